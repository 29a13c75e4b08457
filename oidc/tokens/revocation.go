package tokens

import (
	"context"
	"errors"
	"time"

	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

// RevokedToken is an access token that was revoked by itself, until it would have expired anyway.
type RevokedToken struct {
	bun.BaseModel `bun:"table:revoked_tokens,alias:revoked_token"`

	JTI       string    `bun:"jti,pk"`
	ExpiresAt time.Time `bun:"expires_at"`
}

// Revoke answers the revocation endpoint: RFC 7009. Revoking a refresh token ends its whole family, access tokens
// included; revoking an access token voids that one. A token that is unknown or void already is revoked as far as
// anyone can tell. It returns an *Error for what is refused: another client's token, or a fault of ours.
func (p *Service) Revoke(ctx context.Context, r oidc.Request) (*clients.Client, error) {
	token, client, err := p.tokenInQuestion(ctx, "revoke", &r)
	if err != nil {
		return client, err
	}
	ctx = audit.AsNamed(ctx, client.Actor())
	notYours := &oidc.Error{Code: "invalid_grant", Description: "The token was issued to another client.", Status: 400}
	if claims, err := p.ReadAccessToken(token); err == nil {
		if claims.ClientID != client.ID {
			return client, notYours
		}
		if err := p.revokeAccessToken(ctx, claims); err != nil {
			return client, oidc.ServerError(err)
		}
		return client, nil
	}
	found, err := p.RefreshTokenByHash(ctx, storage.Digest(token), nil)
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return client, nil
	case err != nil:
		return client, oidc.ServerError(err)
	case found.Grant.ClientID != client.ID:
		return client, notYours
	}
	if _, err := p.EndGrant(ctx, found.Grant.ID, oidc.EndedByRevocation); err != nil {
		return client, oidc.ServerError(err)
	}
	return client, nil
}

func (p *Service) revokeAccessToken(ctx context.Context, claims *AccessClaims) error {
	now := p.Now()
	return p.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		revoked := &RevokedToken{JTI: claims.ID, ExpiresAt: time.Unix(claims.Expiry, 0).UTC()}
		if _, err := tx.NewInsert().Model(revoked).On("CONFLICT DO NOTHING").Exec(ctx); err != nil {
			return err
		}
		return audit.Record(ctx, tx, now, audit.Change{
			Entity: "access_token", EntityID: claims.ID, Action: "revoked",
			New: audit.Values{"client_id": claims.ClientID, "grant_id": claims.GrantID},
		})
	})
}
