package authorize

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/oidc/dpop"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

// PushedRequest is an authorization request that an app has sent by itself, ahead of the browser, by the digest of its
// request_uri: RFC 9126. One code is issued for it; the row stays as its tombstone.
type PushedRequest struct {
	bun.BaseModel `bun:"table:pushed_requests,alias:pushed_request"`

	Hash     []byte     `bun:"hash,pk"`
	ClientID string     `bun:"client_id"`
	Form     url.Values `bun:"form,type:jsonb"` // as sent, each parameter once; without the client's credentials
	Signed   bool       `bun:"signed"`          // it was a request object that the client has signed
	// it is a request object that the browser has brought, kept for the pages: it may give several codes
	Repeatable bool       `bun:"repeatable"`
	CreatedAt  time.Time  `bun:"created_at"`
	ExpiresAt  time.Time  `bun:"expires_at"` // until then the browser has to come; it may stay on our pages for longer
	UsedAt     *time.Time `bun:"used_at"`
}

// Pushed is the answer to an app that has pushed a request: RFC 9126, section 2.2.
type Pushed struct {
	RequestURI string `json:"request_uri"`
	ExpiresIn  int64  `json:"expires_in"` // seconds
}

const (
	requestURIPrefix = "urn:ietf:params:oauth:request_uri:" // RFC 9126, section 2.2
	pushedLifetime   = time.Minute
	maxPushed        = 16 << 10 // bytes of all parameters; each request is kept for hours
)

// credentials are the parameters by which a client authenticates; they are not part of its request.
var credentials = []string{"client_secret", "client_assertion", "client_assertion_type"}

// Push takes an authorization request from the app itself, which authenticates as at the token endpoint, and checks it
// as if the browser had brought it: RFC 9126, section 2. It returns an *oidc.Error for what is wrong, or a
// *cache.Limited. The client is returned whenever it is known.
func (p *Service) Push(ctx context.Context, r oidc.Request) (*Pushed, *clients.Client, error) {
	form, err := oidc.Parameters(r.Form, "resource")
	if err != nil {
		return nil, nil, err
	}
	r.Form = form
	// A client that is known by a document may come here first.
	if _, err := p.Registration.Client(ctx, form.Get("client_id")); err != nil && !errors.Is(err, storage.ErrNotFound) {
		return nil, nil, err
	}
	client, err := p.Clients.Admit(ctx, "par", r)
	if err != nil {
		return nil, client, err
	}
	for _, name := range credentials {
		form.Del(name)
	}
	form.Set("client_id", client.ID)
	if size := len(form.Encode()); size > maxPushed {
		return nil, client, &oidc.Error{
			Code: "invalid_request", Status: http.StatusRequestEntityTooLarge,
			Description: fmt.Sprintf("The request has %d bytes, and may have %d.", size, maxPushed),
		}
	}
	form, signed, refused := reader{p}.pushed(ctx, client, form)
	if refused != nil {
		if refused.Status == 0 {
			refused.Status = http.StatusBadRequest
		}
		return nil, client, refused
	}
	if err := p.limitKept(ctx, "par", client); err != nil {
		return nil, client, err
	}
	if err := bindPushed(ctx, dpop.Verifier{Provider: p.Provider}, r, client, form); err != nil {
		return nil, client, err
	}
	reference, now := storage.NewSecret(), p.Now()
	pushed := &PushedRequest{
		Hash: storage.Digest(reference), ClientID: client.ID, Form: form, Signed: signed, CreatedAt: now,
		ExpiresAt: now.Add(pushedLifetime),
	}
	if err := p.Database.Append(ctx, p.Database.Draft().NewInsert().Model(pushed)); err != nil {
		return nil, client, oidc.ServerError(fmt.Errorf("push request: %w", err))
	}
	return &Pushed{requestURIPrefix + reference, int64(pushedLifetime.Seconds())}, client, nil
}

// limitKept counts a request to an endpoint that is kept for a client that anybody can use, by the network that it
// comes from: each is a row for a while. It returns a *cache.Limited.
func (p *Service) limitKept(ctx context.Context, endpoint string, client *clients.Client) error {
	if !client.IsPublic() && !client.IsStranger() {
		return nil
	}
	return p.Limits.Take(ctx, endpoint, "public", identity.Device{IP: audit.ActorOf(ctx).IP}.Source())
}

// pushed checks a request that is pushed, and returns its parameters: those of the request object, where it is one
// (RFC 9126, section 3), and whether the client has signed them.
func (p reader) pushed(
	ctx context.Context, client *clients.Client, form url.Values,
) (parameters url.Values, signed bool, refused *oidc.Error) {
	if form.Has("request_uri") {
		return nil, false, oidc.InvalidRequest("A pushed request cannot hold a request_uri.") // section 2.1
	}
	if form.Has("request") {
		inside, object, refused := p.open(ctx, client, requestObject{text: form.Get("request")})
		if refused != nil {
			return nil, false, refused
		}
		form, signed = inside, object.signed
	}
	a := &Request{Client: client, form: form, signed: signed}
	if refused := p.readRedirect(a); refused != nil {
		return nil, false, refused
	}
	if refused := p.check(ctx, a, atPAR); refused != nil {
		return nil, false, refused
	}
	return form, signed, p.accept(ctx, a)
}

// checkPushing refuses a request that the browser has brought where it must be pushed: RFC 9126, section 5.
func checkPushing(_ context.Context, p *Service, a *Request) *oidc.Error {
	if (a.pushed == nil || a.pushed.Repeatable) && (p.RequirePAR || a.Client.RequirePAR) {
		return oidc.InvalidRequest("This client must push its authorization requests (RFC 9126).").Because(oidc.MustPush, nil)
	}
	return nil
}

// readPushed reads the request that a request_uri stands for, when the browser first comes with it: RFC 9126, section
// 4. Besides the client_id nothing that the browser brings counts. It returns a *Refusal.
func (p reader) readPushed(ctx context.Context, form url.Values) (*Request, error) {
	for _, name := range []string{"client_id", "request_uri"} {
		if len(form[name]) > 1 {
			return nil, &Refusal{Reason: doubledParameter(name)}
		}
	}
	reference := strings.TrimPrefix(form.Get("request_uri"), requestURIPrefix)
	pushed, err := p.pushedRequest(ctx, storage.Digest(reference))
	if err == nil && (pushed.ClientID != form.Get("client_id") || pushed.Repeatable) {
		err = storage.ErrNotFound // whose it is is nobody else's business; what the browser brought was not pushed
	}
	if err != nil {
		return nil, refusePushed(err)
	}
	return p.takeUp(ctx, pushed, p.Now(), p.Now().Before(pushed.ExpiresAt))
}

// takeUp reads a pushed request anew: what was registered meanwhile counts. It returns a *Refusal where it was used, or
// is late.
func (p reader) takeUp(ctx context.Context, pushed *PushedRequest, began time.Time, inTime bool) (*Request, error) {
	a, err := p.identify(ctx, pushed.Form, began)
	if err != nil {
		return nil, err
	}
	a.pushed, a.signed = pushed, pushed.Signed
	switch {
	case pushed.UsedAt != nil:
		err := invalidRequestURI("The request_uri works once, and was used before.")
		return nil, &Refusal{Reason: err, Authorization: a}
	case !inTime:
		err := invalidRequestURI("The request_uri has expired: the browser must come within a minute.")
		return nil, &Refusal{Reason: err, Authorization: a}
	}
	return p.examine(ctx, a)
}

// refusePushed is what a person is told of a request that cannot be read.
func refusePushed(err error) *Refusal {
	if errors.Is(err, storage.ErrNotFound) {
		return &Refusal{Reason: invalidRequestURI(
			"The request_uri is unknown: it has expired long ago, or belongs to another client.",
		)}
	}
	return &Refusal{Reason: oidc.ServerError(err)}
}

// invalidRequestURI is the error of that code: OpenID Connect Core, section 3.1.2.6.
func invalidRequestURI(description string) *oidc.Error {
	return &oidc.Error{Code: "invalid_request_uri", Description: description, Status: http.StatusBadRequest}
}

// use is the claim that uses a pushed request up: of several at once, one makes it.
func (r *PushedRequest) use(draft bun.IDB, now time.Time) *bun.UpdateQuery {
	return draft.NewUpdate().Model((*PushedRequest)(nil)).
		Set("used_at = ?", now).
		Where("hash = ? AND used_at IS NULL", r.Hash)
}

// pushedRequest returns the request with that digest, or storage.ErrNotFound.
func (p reader) pushedRequest(ctx context.Context, hash []byte) (*PushedRequest, error) {
	pushed := new(PushedRequest)
	err := p.Database.Reader().NewSelect().Model(pushed).Where("hash = ?", hash).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("pushed request: %w", storage.NotFound(err))
	}
	return pushed, nil
}
