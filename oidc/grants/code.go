package grants

import (
	"context"
	"encoding/base64"
	"net/url"
	"time"

	"github.com/google/uuid"
	"github.com/ory/fosite"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage"
)

// Code is an authorization code (RFC 6749, section 4.1.2), by its digest. It works once; the row stays as its tombstone.
type Code struct {
	bun.BaseModel `bun:"table:codes,alias:code"`

	Hash          []byte     `bun:"hash,pk"`
	GrantID       uuid.UUID  `bun:"grant_id,type:uuid"`
	RedirectURI   string     `bun:"redirect_uri"`   // must be repeated at the token endpoint
	CodeChallenge string     `bun:"code_challenge"` // RFC 7636, S256; empty: no PKCE
	Nonce         string     `bun:"nonce"`
	CreatedAt     time.Time  `bun:"created_at"`
	ExpiresAt     time.Time  `bun:"expires_at"`
	UsedAt        *time.Time `bun:"used_at"`
}

// A code that comes again is a replay, and ends its family (RFC 9700, section 4.5.3.2). A client that sends one code many
// times at once is merely clumsy: it gets tokens once, and keeps them. What tells the two apart is company: within
// parallelRedemption of its use, a code that comes again waits for settling, and if others came again too it was a burst.
const (
	parallelRedemption = 2 * time.Second
	settling           = 250 * time.Millisecond
)

// noteRival counts a request that came with a code that another had used.
func (w *work) noteRival(ctx context.Context) int64 {
	return w.service.Cache.Count(ctx, "code again "+string(w.code.Hash), parallelRedemption)
}

// mightRedeem tells whether a request has all that the code asks for: only then is it one of a clumsy client's burst. Who
// merely knows the code is no company.
func (w *work) mightRedeem() bool {
	if w.grant.ClientID != w.client.ID || w.code.RedirectURI != "" && w.code.RedirectURI != w.form.Get("redirect_uri") {
		return false
	}
	return w.code.CodeChallenge == "" || base64.RawURLEncoding.EncodeToString(storage.Digest(w.form.Get("code_verifier"))) == w.code.CodeChallenge
}

// isReplay tells whether a code that was used before comes again on purpose, rather than in a burst.
func (w *work) isReplay(ctx context.Context) bool {
	if w.now.Sub(*w.code.UsedAt) > parallelRedemption || !w.mightRedeem() {
		return true
	}
	rivals := w.noteRival(ctx)
	select {
	case <-ctx.Done():
	case <-time.After(settling):
	}
	return max(rivals, w.service.Cache.Peek(ctx, "code again "+string(w.code.Hash))) == 1
}

// IssueCode makes the code of an authorization request that AcceptRequest has accepted, for a grant that is to be written
// with it, and returns it with the parameters that the app gets: RFC 6749, section 4.1.2.
func (p *Service) IssueCode(
	ctx context.Context, accepted fosite.AuthorizeRequester, client *clients.Client, grant *oidc.Grant, redirectURI string,
) (*Code, url.Values, error) {
	work := &work{service: p, now: grant.CreatedAt, client: client, grant: grant}
	accepted.SetID(grant.ID.String())
	for _, scope := range grant.Scopes {
		accepted.GrantScope(scope)
	}
	answer, err := p.engine.NewAuthorizeResponse(withWork(ctx, work), accepted, &engineSession{grant: grant})
	if err != nil {
		return nil, nil, Translate(err)
	}
	work.code.RedirectURI = redirectURI
	return work.code, answer.GetParameters(), nil
}

// codeWithGrant is what redeeming a code needs to know, in one read.
type codeWithGrant struct {
	Code `bun:",extend"`
	oidc.Standing
	Grant *oidc.Grant `bun:"rel:belongs-to,join:grant_id=id"`
}

// codeByHash reads a code with its grant, or returns storage.ErrNotFound.
func (p *Service) codeByHash(ctx context.Context, hash []byte) (*codeWithGrant, error) {
	found := new(codeWithGrant)
	query := p.Database.Reader().NewSelect().Model(found).Relation("Grant").Where("code.hash = ?", hash)
	if err := oidc.JoinStanding(query.ColumnExpr("code.*")).Scan(ctx); err != nil {
		return nil, storage.NotFound(err)
	}
	return found, nil
}

// useCode is the claim that uses a code up: of several at once, one makes it.
func useCode(draft bun.IDB, hash []byte, now time.Time) *bun.UpdateQuery {
	return draft.NewUpdate().Model((*Code)(nil)).Set("used_at = ?", now).Where("hash = ? AND used_at IS NULL", hash)
}
