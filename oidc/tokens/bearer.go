package tokens

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/storage"
)

// Bearer is who calls an API of this server's own with an access token.
type Bearer struct {
	*AccessClaims

	UserID uuid.UUID // the person for whom the client acts; uuid.Nil: it acts by itself (client_credentials)
}

// AdmitBearer tells who calls an API of this server's own, by its identifier: RFC 6750, section 2.1. The token must be
// for this API and no other, and stand as one does that is introspected: one read. It returns an *oidc.Error with
// invalid_token for a token that is not good here, and one with temporarily_unavailable or server_error where that
// could not be found out. Of a token that is bound to a key the proof is demanded: RFC 9449, section 7.1.
func (p *Service) AdmitBearer(ctx context.Context, shown Presented, api string) (*Bearer, error) {
	claims, err := p.ReadAccessToken(shown.Token)
	if err != nil || len(claims.Audience) != 1 || !claims.For(api) {
		return nil, badToken(shown)
	}
	if err := p.demandHolder(ctx, claims, shown); err != nil {
		return nil, err
	}
	userID, err := p.stillStands(ctx, claims)
	if errors.Is(err, errToken) {
		return nil, badToken(shown)
	} else if err != nil {
		return nil, oidc.ServerError(err)
	}
	client, err := p.Clients.ByID(ctx, claims.ClientID)
	if errors.Is(err, storage.ErrNotFound) || err == nil && !client.MayCall(api) { // it was taken off the app since
		return nil, badToken(shown)
	} else if err != nil {
		return nil, oidc.ServerError(err)
	}
	return &Bearer{claims, userID}, nil
}
