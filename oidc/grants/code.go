package grants

import (
	"context"
	"net/url"
	"time"

	"github.com/google/uuid"
	"github.com/ory/fosite"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/oidc/tokens"
	"github.com/wicket-id/wicket/storage"
)

// Code is an authorization code (RFC 6749, section 4.1.2), by its digest. It works once; the row stays as its
// tombstone.
type Code struct {
	bun.BaseModel `bun:"table:codes,alias:code"`

	Hash          []byte     `bun:"hash,pk"`
	GrantID       uuid.UUID  `bun:"grant_id,type:uuid"`
	RedirectURI   string     `bun:"redirect_uri"`   // must be repeated at the token endpoint
	CodeChallenge string     `bun:"code_challenge"` // RFC 7636, S256; empty: no PKCE
	Nonce         string     `bun:"nonce"`
	DPoPKey       string     `bun:"dpop_jkt"` // the thumbprint of the key that must be proved with it; empty: none
	CreatedAt     time.Time  `bun:"created_at"`
	ExpiresAt     time.Time  `bun:"expires_at"`
	UsedAt        *time.Time `bun:"used_at"`
}

// IssueCode makes the code of an authorization request that AcceptRequest has accepted, for a grant that is to be
// written with it, and returns it with the parameters that the app gets: RFC 6749, section 4.1.2. dpopKey is the
// thumbprint of the key that must be proved with it; empty: none.
func (p *Service) IssueCode(
	ctx context.Context, accepted fosite.AuthorizeRequester, client *clients.Client, grant *oidc.Grant, redirectURI,
	dpopKey string,
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
	work.code.RedirectURI, work.code.DPoPKey = redirectURI, dpopKey
	return work.code, answer.GetParameters(), nil
}

// codeWithGrant is what redeeming a code needs to know, in one read.
type codeWithGrant struct {
	Code `bun:",extend"`
	oidc.Standing
	Grant  *oidc.Grant   `bun:"rel:belongs-to,join:grant_id=id"`
	Person tokens.Person `bun:"embed:person_"`
}

// codeByHash reads a code with its grant, and its person if ID tokens for that client tell of them; or it returns
// storage.ErrNotFound.
func (p *Service) codeByHash(ctx context.Context, hash []byte, client *clients.Client) (*codeWithGrant, error) {
	found := new(codeWithGrant)
	query := p.Database.Reader().NewSelect().Model(found).Relation("Grant").Where("code.hash = ?", hash)
	query = p.JoinStanding(query.ColumnExpr("code.*"))
	if err := p.Tokens.JoinPerson(query, client).Scan(ctx); err != nil {
		return nil, storage.NotFound(err)
	}
	return found, nil
}

// useCode is the claim that uses a code up: of several at once, one makes it.
func useCode(draft bun.IDB, hash []byte, now time.Time) *bun.UpdateQuery {
	return draft.NewUpdate().Model((*Code)(nil)).Set("used_at = ?", now).Where("hash = ? AND used_at IS NULL", hash)
}
