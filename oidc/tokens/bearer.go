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
// could not be found out.
func (p *Service) AdmitBearer(ctx context.Context, token, api string) (*Bearer, error) {
	claims, err := p.ReadAccessToken(token)
	if err != nil || len(claims.Audience) != 1 || !claims.For(api) {
		return nil, badToken()
	}
	userID, err := p.stillStands(ctx, claims)
	if errors.Is(err, errToken) {
		return nil, badToken()
	} else if err != nil {
		return nil, oidc.ServerError(err)
	}
	client, err := p.Clients.ByID(ctx, claims.ClientID)
	if errors.Is(err, storage.ErrNotFound) || err == nil && !client.MayCall(api) { // it was taken off the app since
		return nil, badToken()
	} else if err != nil {
		return nil, oidc.ServerError(err)
	}
	return &Bearer{claims, userID}, nil
}
