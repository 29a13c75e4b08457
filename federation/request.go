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
	"github.com/wicket-id/wicket/storage"
)

// Request is a person who was sent to a provider and may come back, once, in the browser in which they left. What must
// not be seen or changed on the way stays here, sealed.
type Request struct {
	bun.BaseModel `bun:"table:upstream_requests,alias:upstream_request"`

	StateHash   []byte        `bun:"state_hash,pk"`
	Provider    string        `bun:"provider"`
	BrowserHash []byte        `bun:"browser_hash"`
	UserID      uuid.NullUUID `bun:"user_id,type:uuid"` // whose account it is to be linked to; none: to sign in
	Sealed      []byte        `bun:"sealed"`            // an errand
	CreatedAt   time.Time     `bun:"created_at"`
	ExpiresAt   time.Time     `bun:"expires_at"`
	UsedAt      *time.Time    `bun:"used_at"`
}

// errand is what a request keeps to itself.
type errand struct {
	Nonce    string `json:"nonce"`
	Verifier string `json:"verifier"` // PKCE: RFC 7636
	Continue string `json:"continue"` // where the person goes on, as the page gave it
	Again    bool   `json:"again"`    // they were to prove anew who they are
}

const (
	maxRequests     = 600 // from one address in requestWindow: each is a row
	requestWindow   = 10 * time.Minute
	requestLifetime = time.Hour // as long as an app's own request may take: a person may have to find a phone first
	sealForRequests = "upstream request"
)

// What can come of a request.
var (
	// ErrRequest covers an answer that belongs to no request, or to one that is too old, was answered, or began in another
	// browser, alike.
	ErrRequest = errors.New("nobody here has asked for this, or it was answered before")
	// ErrTooManyRequests says that one address sends too many people to providers.
	ErrTooManyRequests = errors.New("too many sign-ins were begun from your network; try again in a few minutes")
	// ErrUnbelievable says that what the provider answered does not hold. The reason is for the log.
	ErrUnbelievable = errors.New("the provider's answer does not hold")
)

// Denied is a provider that does not say who somebody is: RFC 6749, section 4.1.2.1.
type Denied struct{ Code, Description string }

func (d *Denied) Error() string { return "the provider denies it: " + d.Code + " " + d.Description }

// Beginning is what a person is sent to a provider for.
type Beginning struct {
	Source    string    // the network that the person is in: see identity.Device.Source
	Browser   string    // the secret that their browser is known by
	Continue  string    // handed back by Return
	LinkTo    uuid.UUID // whose account it is to be linked to; uuid.Nil: to sign in
	LoginHint string
	Again     bool     // they must prove anew who they are, though they may be signed in there
	Select    bool     // they want to choose the account there
	ACRValues []string // what the app asks for
}

// Begin returns where to send a person's browser, so that they sign in with a provider: OpenID Connect Core, section
// 3.1.2.1, with PKCE. It returns storage.ErrNotFound, ErrUnreachable or ErrTooManyRequests.
func (u *Upstreams) Begin(ctx context.Context, id string, b Beginning) (string, error) {
	p, err := u.Provider(ctx, id)
	if err != nil {
		return "", err
	}
	if u.Memory.Count(ctx, "upstream requests from "+b.Source, requestWindow) > maxRequests {
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
	state, kept := storage.NewSecret(), errand{
		Nonce: storage.NewSecret(), Verifier: oauth2.GenerateVerifier(), Continue: b.Continue, Again: b.Again,
	}
	encoded, err := json.Marshal(kept)
	if err != nil {
		return "", err
	}
	now := u.Now()
	request := &Request{
		StateHash: storage.Digest(state), Provider: p.ID, BrowserHash: storage.Digest(b.Browser),
		UserID: uuid.NullUUID{UUID: b.LinkTo, Valid: b.LinkTo != uuid.Nil},
		Sealed: u.Seal.Close(sealForRequests, encoded), CreatedAt: now, ExpiresAt: now.Add(requestLifetime),
	}
	err = u.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewInsert().Model(request).Exec(ctx)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("begin at %s: %w", p.ID, err)
	}
	options := []oauth2.AuthCodeOption{oauth2.S256ChallengeOption(kept.Verifier)}
	for name, value := range p.kind().parameters(p, b, kept.Nonce) {
		options = append(options, oauth2.SetAuthURLParam(name, value))
	}
	return config.AuthCodeURL(state, options...), nil
}

// Answer is what a provider says of a person who came back.
type Answer struct {
	External identity.External
	Continue string
	LinkTo   uuid.UUID // as Beginning said
}

// Return takes a person back from a provider: OpenID Connect Core, sections 3.1.2.5 to 3.1.3.7. form is what the
// browser brings along. Where the request was ours the Answer says where they wanted to go on, also with an error:
// *Denied, ErrUnbelievable, ErrUnreachable. ErrRequest comes without one.
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
	request, kept, err := u.take(ctx, p, form.Get("state"), browser)
	if err != nil {
		return nil, err
	}
	answer := &Answer{Continue: kept.Continue, LinkTo: request.UserID.UUID}
	m, ctx, err := u.metadata(ctx, p)
	if err != nil {
		return answer, err
	}
	// Who answers must be who was asked, or the code would be taken to another's token endpoint: RFC 9207, section 2.4.
	if iss := form.Get("iss"); iss != "" || m.NamesIssuer {
		if err := p.kind().checkResponseIssuer(p, m, iss); err != nil {
			return answer, fmt.Errorf("%w: %w", ErrUnbelievable, err)
		}
	}
	if code := form.Get("error"); code != "" {
		return answer, &Denied{Code: printable(code, 100), Description: printable(form.Get("error_description"), 300)}
	}
	if form.Get("code") == "" {
		return answer, fmt.Errorf("%w: neither a code nor an error", ErrUnbelievable)
	}
	config, err := u.oauth(p, m)
	if err != nil {
		return answer, err
	}
	token, err := config.Exchange(ctx, form.Get("code"), oauth2.VerifierOption(kept.Verifier))
	if err != nil {
		return answer, exchangeFault(err)
	}
	said, err := p.kind().identify(ctx, &tokenResponse{
		Token: token, provider: p, metadata: m, client: u.of(p).client, request: request, errand: kept, now: u.Now,
	})
	if err != nil {
		return answer, err
	}
	answer.External, err = p.believe(said, token)
	return answer, err
}

// take uses up a request: of several answers to it, one is heard.
func (u *Upstreams) take(ctx context.Context, p *Provider, state, browser string) (*Request, *errand, error) {
	if state == "" || browser == "" {
		return nil, nil, ErrRequest
	}
	now := u.Now()
	request, err := storage.Write(ctx, u.Database, func(ctx context.Context, tx bun.Tx) (*Request, error) {
		request := new(Request)
		return request, tx.NewUpdate().Model(request).Set("used_at = ?", now).
			Where("state_hash = ? AND provider = ? AND browser_hash = ?", storage.Digest(state), p.ID, storage.Digest(browser)).
			Where("used_at IS NULL AND expires_at > ?", now).Returning("*").Scan(ctx)
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
	kept := new(errand)
	return request, kept, json.Unmarshal(encoded, kept)
}

// exchangeFault tells a provider that will not from one that cannot. What it says may hold the code, so it is not
// repeated.
func exchangeFault(err error) error {
	if refused := (*oauth2.RetrieveError)(nil); errors.As(err, &refused) {
		if refused.Response != nil && refused.Response.StatusCode >= 500 || refused.ErrorCode == "" {
			return fmt.Errorf("%w: the token endpoint answered %s", ErrUnreachable, refused.Response.Status)
		}
		return fmt.Errorf("%w: the token endpoint says %s", ErrUnbelievable, printable(refused.ErrorCode, 100))
	}
	if failed := (*url.Error)(nil); errors.As(err, &failed) {
		return fmt.Errorf("%w: the token endpoint: %w", ErrUnreachable, failed.Err)
	}
	return fmt.Errorf("%w: the token endpoint gives no token", ErrUnbelievable)
}
