package tokens

import (
	"bytes"
	"context"
	"encoding/base64"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

// RefreshToken is a refresh token (RFC 6749, section 1.5), by its digest. It is used once and followed by its successor
// (RFC 9700, section 4.14.2); the row stays as its tombstone, so that a copy of it is known when it comes.
type RefreshToken struct {
	bun.BaseModel `bun:"table:refresh_tokens,alias:refresh_token"`

	Hash          []byte     `bun:"hash,pk"`
	GrantID       uuid.UUID  `bun:"grant_id,type:uuid"`
	CreatedAt     time.Time  `bun:"created_at"`
	ExpiresAt     time.Time  `bun:"expires_at"`
	UsedAt        *time.Time `bun:"used_at"`
	UsedFrom      string     `bun:"used_from,nullzero"` // the network; only its repeat may be of a lost answer
	SuccessorHash []byte     `bun:"successor_hash"`
	DPoPKey       string     `bun:"dpop_jkt"` // the thumbprint of the key that it is bound to; empty: none
}

// UsedNear tells whether who asks in ctx is where the token was used. The version before did not keep that.
func (t *RefreshToken) UsedNear(ctx context.Context) bool {
	return t.UsedFrom == "" || t.UsedFrom == network(ctx)
}

// network is where somebody asks from, as a used token keeps it: the /24 of IPv4 or the /48 of IPv6.
func network(ctx context.Context) string { return identity.Network(audit.ActorOf(ctx).IP) }

// NewRefreshToken is the row of a refresh token of a grant; it expires with the grant at the latest. dpopKey is the
// thumbprint of the key that it is bound to; empty: none.
func (p *Service) NewRefreshToken(token string, grant *oidc.Grant, dpopKey string, now time.Time) *RefreshToken {
	return &RefreshToken{
		Hash: storage.Digest(token), GrantID: grant.ID, CreatedAt: now, DPoPKey: dpopKey,
		ExpiresAt: refreshTokenEnd(p.Lifetimes, grant, now),
	}
}

// refreshTokenEnd is when a refresh token expires that is used or made at that time.
func refreshTokenEnd(l oidc.Lifetimes, grant *oidc.Grant, now time.Time) time.Time {
	expires := now.Add(l.RefreshToken)
	if expires.After(grant.ExpiresAt) {
		return grant.ExpiresAt
	}
	return expires
}

// ExtendRefreshToken is the claim that uses a token which stays as it is. It finds its row while nothing has used it
// up.
func (p *Service) ExtendRefreshToken(
	draft bun.IDB, hash []byte, grant *oidc.Grant, now time.Time,
) *bun.UpdateQuery {
	return draft.NewUpdate().Model((*RefreshToken)(nil)).
		Set("expires_at = ?", refreshTokenEnd(p.Lifetimes, grant, now)).
		Where("hash = ? AND used_at IS NULL", hash)
}

// Successor returns the refresh token that follows token. It is derived from token with a key that only we have. So a
// client that lost the answer, or asked twice at once, gets the same successor for its repeat: there is one chain, and
// nothing that could be read back is stored. known is the digest of the successor where there is one already; it may
// have been derived with a master key that has been replaced since.
func (p *Service) Successor(token string, known []byte) (string, bool) {
	for _, derived := range p.Seal.Derive("refresh token", []byte(token)) {
		next := base64.RawURLEncoding.EncodeToString(derived)
		if known == nil || bytes.Equal(storage.Digest(next), known) {
			return next, true
		}
	}
	return "", false
}

// refreshTokenWithGrant is what using a refresh token needs to know, in one read.
type refreshTokenWithGrant struct {
	RefreshToken `bun:",extend"`
	oidc.Standing
	Grant  *oidc.Grant `bun:"rel:belongs-to,join:grant_id=id"`
	Person Person      `bun:"embed:person_"`
}

// RefreshTokenByHash reads a refresh token with its grant, and its person if ID tokens for that client tell of them; or
// it returns storage.ErrNotFound. client is nil where no tokens are to be made.
func (p *Service) RefreshTokenByHash(
	ctx context.Context, hash []byte, client *clients.Client,
) (*refreshTokenWithGrant, error) {
	found := new(refreshTokenWithGrant)
	query := p.Database.Reader().NewSelect().Model(found).Relation("Grant").Where("refresh_token.hash = ?", hash)
	query = p.JoinStanding(query.ColumnExpr("refresh_token.*"))
	if err := p.JoinPerson(query, client).Scan(ctx); err != nil {
		return nil, storage.NotFound(err)
	}
	return found, nil
}

// UseRefreshToken is the claim that uses a token up in favour of its successor, for who asks in ctx: of several at
// once, one makes it.
func UseRefreshToken(ctx context.Context, draft bun.IDB, hash, successor []byte, now time.Time) *bun.UpdateQuery {
	return draft.NewUpdate().Model((*RefreshToken)(nil)).
		Set("used_at = ?", now).
		Set("used_from = ?", network(ctx)).
		Set("successor_hash = ?", successor).
		Where("hash = ? AND used_at IS NULL", hash)
}
