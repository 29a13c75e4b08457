package logout

import (
	"context"
	"net/url"
	"strings"

	"github.com/google/uuid"
)

// Frames are the addresses that the browser of a person whose session has ended shows in frames, so that the apps that
// took part in it forget them there: OpenID Connect Front-Channel Logout, section 2. There are none unless the operator
// wants it.
func (p *Service) Frames(ctx context.Context, sessionID uuid.UUID) ([]string, error) {
	if !p.FrontchannelLogout || sessionID == uuid.Nil {
		return nil, nil
	}
	participations, err := p.Clients.Participations(ctx, []uuid.UUID{sessionID})
	if err != nil {
		return nil, err
	}
	query := url.Values{"iss": {p.Issuer}, "sid": {sessionID.String()}}.Encode()
	var frames []string
	for _, participation := range participations {
		uri := participation.Client.FrontchannelLogoutURI
		switch {
		case uri == "":
			continue
		case strings.Contains(uri, "?"):
			uri += "&" + query
		default:
			uri += "?" + query
		}
		frames = append(frames, uri)
	}
	return frames, nil
}
