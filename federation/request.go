package federation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"
	"golang.org/x/oauth2"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/refusal"
	"github.com/wicket-id/wicket/storage"
)

// Request is an authorization request that was sent to a provider. It is answered at most once, in the browser in which
// it began. What must not be seen or changed on the way stays here, sealed.
type Request struct {
	bun.BaseModel `bun:"table:upstream_requests,alias:upstream_request"`

	StateHash   []byte        `bun:"state_hash,pk"`
	Provider    string        `bun:"provider"`
	BrowserHash []byte        `bun:"browser_hash"`
	UserID      uuid.NullUUID `bun:"user_id,type:uuid"` // the user to link an account to; none: to sign in
	Sealed      []byte        `bun:"sealed"`            // a pendingRequest
	CreatedAt   time.Time     `bun:"created_at"`
	ExpiresAt   time.Time     `bun:"expires_at"`
	UsedAt      *time.Time    `bun:"used_at"`
}

// pendingRequest is what a response is verified by, and where the person goes on then.
type pendingRequest struct {
	Nonce    string `json:"nonce"`
	Verifier string `json:"verifier"` // PKCE: RFC 7636
	Continue string `json:"continue"` // as RequestOptions said
	Then     string `json:"then"`     // as RequestOptions said
	Again    bool   `json:"again"`    // as RequestOptions said
}

const (
	maxRequests     = 600 // from one network in requestWindow: each is a row
	requestWindow   = 10 * time.Minute
	requestLifetime = time.Hour // as long as an app's own request may take: a person may have to find a phone first
	sealForRequests = "upstream request"
)

// What can come of a request.
var (
	// ErrRequest covers a response that belongs to no request, or to one that has expired, was answered, or began in
	// another browser, alike.
	ErrRequest = refusal.New("upstream.ended", "there is no such request to a provider, or it was answered before")
	// ErrTooManyRequests says that too many requests to providers begin in one network.
	ErrTooManyRequests = refusal.New("upstream.limit", "too many requests to providers from one network")
	// ErrInvalidResponse says that a response or token of the provider is not valid. The reason is for the log.
	ErrInvalidResponse = errors.New("the provider's response is not valid")
)

// Denied is an error response of a provider: RFC 6749, section 4.1.2.1.
type Denied struct{ Code, Description string }

func (d *Denied) Error() string {
	return "the provider denied the request: " + d.Code + " " + d.Description
}

// RequestOptions are what is known when a request to a provider begins.
type RequestOptions struct {
	Source    string    // the network of the browser: see identity.Device.Source
	Browser   string    // the secret by which the browser is known
	Continue  string    // the request of an app that waits; handed back by Return
	Then      string    // the page of ours to go on to where none waits; handed back by Return
	LinkTo    uuid.UUID // the user to link an account to; uuid.Nil: to sign in
	LoginHint string
	Again     bool     // the person must sign in again, even if they are signed in there
	Select    bool     // the person wants to choose the account there
	ACRValues []string // what the app requests
}

// Begin returns the URL of an authorization request, to which to redirect the browser: OpenID Connect Core, section
// 3.1.2.1, with PKCE. It returns storage.ErrNotFound, ErrUnreachable or ErrTooManyRequests.
func (u *Upstreams) Begin(ctx context.Context, id string, o RequestOptions) (string, error) {
	p, err := u.Provider(ctx, id)
	if err != nil {
		return "", err
	}
	if u.Cache.Count(ctx, "upstream requests from "+o.Source, requestWindow) > maxRequests {
		return "", ErrTooManyRequests
	}
	m, _, err := u.metadata(ctx, p)
	if err != nil {
		return "", err
	}
	config, err := u.oauth(p, m)
	if err != nil {
		return "", err
	}
	state, pending := storage.NewSecret(), pendingRequest{
		Nonce: storage.NewSecret(), Verifier: oauth2.GenerateVerifier(), Continue: o.Continue, Then: o.Then,
		Again: o.Again,
	}
	encoded, err := json.Marshal(pending)
	if err != nil {
		return "", err
	}
	now := u.Now()
	request := &Request{
		StateHash: storage.Digest(state), Provider: p.ID, BrowserHash: storage.Digest(o.Browser),
		UserID: uuid.NullUUID{UUID: o.LinkTo, Valid: o.LinkTo != uuid.Nil},
		Sealed: u.Seal.Close(sealForRequests, encoded), CreatedAt: now, ExpiresAt: now.Add(requestLifetime),
	}
	err = u.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewInsert().Model(request).Exec(ctx)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("begin at %s: %w", p.ID, err)
	}
	options := []oauth2.AuthCodeOption{oauth2.S256ChallengeOption(pending.Verifier)}
	for name, value := range p.kind().parameters(p, o, pending.Nonce) {
		options = append(options, oauth2.SetAuthURLParam(name, value))
	}
	return config.AuthCodeURL(state, options...), nil
}

// Answer is the account with which a person has signed in at a provider.
type Answer struct {
	External identity.External

	Continue, Then string    // as RequestOptions said
	LinkTo         uuid.UUID // as RequestOptions said
}

// Return verifies the response to an authorization request: OpenID Connect Core, sections 3.1.2.5 to 3.1.3.7. form are
// its parameters. Where it answers a request of this browser, the Answer has what RequestOptions said also with an
// error: *Denied, ErrInvalidResponse or ErrUnreachable. ErrRequest comes without an Answer.
func (u *Upstreams) Return(ctx context.Context, id string, form url.Values, browser string) (*Answer, error) {
	p, err := u.Provider(ctx, id)
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"state", "code", "iss", "error", "error_description"} {
		if len(form[name]) > 1 {
			return nil, ErrRequest
		}
	}
	request, pending, err := u.take(ctx, p, form.Get("state"), browser)
	if err != nil {
		return nil, err
	}
	answer := &Answer{Continue: pending.Continue, Then: pending.Then, LinkTo: request.UserID.UUID}
	m, ctx, err := u.metadata(ctx, p)
	if err != nil {
		return answer, err
	}
	// The provider that answers must be the one that was asked, or the code would go to another's token endpoint: RFC
	// 9207, section 2.4.
	if iss := form.Get("iss"); iss != "" || m.NamesIssuer {
		if err := p.kind().checkResponseIssuer(p, m, iss); err != nil {
			return answer, fmt.Errorf("%w: %w", ErrInvalidResponse, err)
		}
	}
	if code := form.Get("error"); code != "" {
		return answer, &Denied{Code: printable(code, 100), Description: printable(form.Get("error_description"), 300)}
	}
	if form.Get("code") == "" {
		return answer, fmt.Errorf("%w: neither a code nor an error", ErrInvalidResponse)
	}
	config, err := u.oauth(p, m)
	if err != nil {
		return answer, err
	}
	token, err := config.Exchange(ctx, form.Get("code"), oauth2.VerifierOption(pending.Verifier))
	if err != nil {
		return answer, exchangeFault(err)
	}
	verified, err := p.kind().identify(ctx, &tokenResponse{
		Token: token, provider: p, metadata: m, client: u.cached(p).client, request: request, pending: pending, now: u.Now,
	})
	if err != nil {
		return answer, err
	}
	answer.External, err = p.external(verified, token)
	answer.External.IsTrusted = u.trustOf(p.ID)
	return answer, err
}

// take uses up a request: of several responses to it, one is accepted.
func (u *Upstreams) take(ctx context.Context, p *Provider, state, browser string) (*Request, *pendingRequest, error) {
	if state == "" || browser == "" {
		return nil, nil, ErrRequest
	}
	now := u.Now()
	request, err := storage.Write(ctx, u.Database, func(ctx context.Context, tx bun.Tx) (*Request, error) {
		request := new(Request)
		return request, tx.NewUpdate().Model(request).Set("used_at = ?", now).
			Where("state_hash = ?", storage.Digest(state)).
			Where("provider = ?", p.ID).
			Where("browser_hash = ?", storage.Digest(browser)).
			Where("used_at IS NULL").
			Where("expires_at > ?", now).
			Returning("*").Scan(ctx)
	})
	if errors.Is(storage.NotFound(err), storage.ErrNotFound) {
		return nil, nil, ErrRequest
	} else if err != nil {
		return nil, nil, fmt.Errorf("return from %s: %w", p.ID, err)
	}
	encoded, err := u.Seal.Open(sealForRequests, request.Sealed)
	if err != nil {
		return nil, nil, fmt.Errorf("return from %s: %w", p.ID, err)
	}
	pending := new(pendingRequest)
	return request, pending, json.Unmarshal(encoded, pending)
}

// exchangeFault tells a provider that refuses from one that does not work. Its description may repeat the code, so it
// is left out.
func exchangeFault(err error) error {
	if refused := (*oauth2.RetrieveError)(nil); errors.As(err, &refused) {
		if refused.Response != nil && refused.Response.StatusCode >= 500 || refused.ErrorCode == "" {
			return fmt.Errorf("%w: the token endpoint answered %s", ErrUnreachable, refused.Response.Status)
		}
		return fmt.Errorf("%w: the token endpoint says %s", ErrInvalidResponse, printable(refused.ErrorCode, 100))
	}
	if failed := (*url.Error)(nil); errors.As(err, &failed) {
		return fmt.Errorf("%w: the token endpoint: %w", ErrUnreachable, failed.Err)
	}
	return fmt.Errorf("%w: the token endpoint gives no token", ErrInvalidResponse)
}
