package authorize

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/ory/fosite"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/apis"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/cache"
)

// Request is an authorization request that was read and found in order: RFC 6749, section 4.1.1, and OpenID
// Connect Core, section 3.1.2.1.
type Request struct {
	Client       *clients.Client
	RedirectURI  string           // where the answer goes; vetted
	ResponseType string           // one of oidc.ResponseTypes
	ResponseMode string           // one of oidc.ResponseModes but jwt
	State        string           // may be empty
	Scopes       []string         // of the server's own and of none of APIs
	APIs         []apis.Requested // what is asked for at APIs: RFC 8707
	Prompt       []string
	MaxAge       *time.Duration // nil: the client does not care
	LoginHint    string
	HintSubject  string   // whom the client expects, by id_token_hint; or empty
	AsksSubject  bool     // HintSubject is a mere claim of the client's: it need not have seen the person before
	ACRValues    []string // authentication context classes that would be welcome, the best first
	EssentialACR []string // of which one is a must; or empty
	// what is asked of the person by the names of claims; nil: nothing
	Claims *oidc.ClaimsRequest

	BeganAt   time.Time // when the request first came; what was done for it is done after
	Selected  bool      // the person chose the account, as prompt=select_account asks
	SteppedUp bool      // the person was asked for a second factor, as acr_values asks
	ShownTo   uuid.UUID // the session that a page was shown to, where its answer counts for that session alone
	// the session whose person has said, on a page, that they want to go to the app with this very request
	ConfirmedBy  uuid.UUID
	confirmation uuid.UUID // of which click: each counts once, see Issue

	firstAt    time.Time // when it came to the first browser: see Resume
	registered string    // the redirect URI that RedirectURI was found to match

	form     url.Values     // as sent, each parameter once
	pushed   *PushedRequest // where it was pushed, or is kept; nil: the browser brought it, and carries it
	signed   bool           // it came as a request object that the client has signed
	accepted fosite.AuthorizeRequester
}

// Confirm notes that the person of a session wants to go to the app with this very request.
func (a *Request) Confirm(by *identity.Session) {
	a.ConfirmedBy, a.confirmation = by.ID, storage.NewID()
}

// Unconfirm takes it back: they are asked anew.
func (a *Request) Unconfirm() { a.ConfirmedBy, a.confirmation = uuid.Nil, uuid.Nil }

// Refusal is an Error that belongs to an authorization request. Where Authorization is set, the redirect URI can be
// trusted with it; where it is nil, only the person may see it.
type Refusal struct {
	Reason        *oidc.Error
	Authorization *Request
}

func (r *Refusal) Error() string { return r.Reason.Error() }

// Unwrap returns the reason.
func (r *Refusal) Unwrap() error { return r.Reason }

// Read reads an authorization request that begins now, as the browser brings it. It returns a *Refusal for what is
// wrong with it.
func (p *Service) Read(ctx context.Context, form url.Values) (*Request, error) {
	a, err := reader{p}.readNew(ctx, form)
	if err == nil {
		countProtection(ctx, a)
	}
	return a, err
}

// reader reads authorization requests, in whichever way they come. Its methods return a *Refusal for what is wrong.
type reader struct{ *Service }

func (p reader) readNew(ctx context.Context, form url.Values) (*Request, error) {
	if err := oidc.CheckForm(form); err != nil {
		return nil, &Refusal{Reason: err}
	}
	switch {
	case strings.HasPrefix(form.Get("request_uri"), requestURIPrefix):
		return p.readPushed(ctx, form)
	case form.Get("request") != "", form.Get("request_uri") != "":
		return p.readObject(ctx, form)
	}
	return p.read(ctx, form, p.Now())
}

// read reads a request that is made of its parameters.
func (p reader) read(ctx context.Context, form url.Values, began time.Time) (*Request, error) {
	if err := oidc.CheckForm(form); err != nil {
		return nil, &Refusal{Reason: err}
	}
	form, doubled := oidc.Single(form, "resource")
	if doubled == "client_id" || doubled == "redirect_uri" {
		return nil, &Refusal{Reason: doubledParameter(doubled)}
	}
	a, err := p.identify(ctx, form, began)
	if err != nil {
		return nil, err
	}
	if doubled != "" {
		return nil, &Refusal{Reason: doubledParameter(doubled), Authorization: a}
	}
	return p.examine(ctx, a)
}

func doubledParameter(name string) *oidc.Error {
	return oidc.InvalidRequest("The parameter " + name + " is given more than once.")
}

// identify finds out who asks and where the answer goes. What is wrong with that only the person may see; from then on
// the app hears what is wrong.
func (p reader) identify(ctx context.Context, form url.Values, began time.Time) (*Request, error) {
	client, err := p.clientOf(ctx, form)
	if err != nil {
		return nil, err
	}
	a := &Request{Client: client, BeganAt: began, firstAt: began, form: form}
	if err := p.readRedirect(a); err != nil {
		return nil, &Refusal{Reason: err}
	}
	return a, nil
}

// clientOf finds out who asks. It may return a *cache.Limited, too.
func (p reader) clientOf(ctx context.Context, form url.Values) (*clients.Client, error) {
	client, err := p.Registration.Client(ctx, form.Get("client_id"))
	if errors.Is(err, storage.ErrNotFound) {
		refused := oidc.InvalidRequest("The client_id is missing or unknown.")
		return nil, &Refusal{Reason: refused.Because(oidc.UnknownClient, nil, oidc.SentName(form.Get("client_id")))}
	} else if limited := (*cache.Limited)(nil); errors.As(err, &limited) {
		return nil, err
	} else if refused := (*oidc.Error)(nil); errors.As(err, &refused) {
		return nil, &Refusal{Reason: refused}
	} else if err != nil {
		return nil, &Refusal{Reason: oidc.ServerError(err)}
	}
	return client, nil
}

// readRedirect finds out where the answer goes, and how: in the response mode that is asked for if that can be.
func (p reader) readRedirect(a *Request) *oidc.Error {
	uri, err := a.trustedRedirect(a.form.Get("redirect_uri"))
	if err == nil && clients.CheckRedirectScheme(a.Client, a.registered, p.RedirectSchemes) != nil {
		err = errors.New("the redirect_uri has a scheme that apps may not use any more")
	}
	if err == nil && p.CheckElsewhere(uri) != nil { // registered before that was checked, or another port of this machine
		err = errors.New("the redirect_uri is an address of this server")
	}
	if err != nil {
		why, requested := oidc.WrongRedirectURI, a.form.Get("redirect_uri")
		if requested == "" {
			why = oidc.MissingRedirectURI
		}
		refused := oidc.InvalidRequest("Here "+err.Error()+".").Because(why, a.Client.RedirectURIs, oidc.SentURI(requested))
		refused.Reason.ClientID = a.Client.ID
		refused.Cause = fmt.Errorf("asked for was %q", a.form.Get("redirect_uri")) // for the log
		return refused
	}
	a.RedirectURI, a.State, a.ResponseType = uri, a.form.Get("state"), oidc.ResponseType(a.form.Get("response_type"))
	a.readResponseMode()
	return nil
}

// examine makes the checks of a request whose answer has a way.
func (p reader) examine(ctx context.Context, a *Request) (*Request, error) {
	if err := p.check(ctx, a, atAuthorize); err != nil {
		return nil, &Refusal{Reason: err, Authorization: a}
	}
	if err := p.accept(ctx, a); err != nil {
		return nil, &Refusal{Reason: err, Authorization: a}
	}
	return a, nil
}

// trustedRedirect returns the redirect URI to use, or what is wrong with the one that was asked for. It may be left out
// where a client has registered just one (RFC 6749, section 3.1.2.3).
func (a *Request) trustedRedirect(requested string) (string, error) {
	if requested == "" {
		if len(a.Client.RedirectURIs) == 1 {
			a.registered = a.Client.RedirectURIs[0]
			return a.registered, nil
		}
		return "", errors.New("the redirect_uri is missing, and this client has registered several")
	}
	for _, registered := range a.Client.RedirectURIs {
		if a.Client.MatchesRedirectURI(requested, registered) {
			a.registered = registered
			return requested, nil
		}
	}
	// not repeated: the page is ours, and its text would be that of whoever made the link
	return "", errors.New("the redirect_uri is not one that this client has registered; it must match exactly")
}

// accept hands the request to fosite, which will issue the code, if one is asked for, with the redirect URI as it is
// registered: which ports are as good is decided above. What Next decides (prompt, max_age, hints) is left out: fosite
// is to have no opinion of its own about it.
func (p reader) accept(ctx context.Context, a *Request) *oidc.Error {
	if !a.AsksFor("code") {
		return nil
	}
	form := url.Values{
		"state": {fixedState}, "redirect_uri": {a.registered}, "response_type": {"code"}, // the rest of the type is ours
		"scope": {strings.Join(a.Scopes, " ")},
	}
	for _, name := range []string{"client_id", "code_challenge", "code_challenge_method", "nonce"} {
		if a.form.Has(name) {
			form.Set(name, a.form.Get(name))
		}
	}
	accepted, err := p.Grants.AcceptRequest(ctx, form)
	if err != nil {
		var refused *oidc.Error
		errors.As(err, &refused)
		return refused
	}
	a.accepted = accepted
	return nil
}

// fixedState satisfies fosite, which wants a state of some length. The client's own is Request.State, which is
// optional and comes back as it was.
const fixedState = "wicket-keeps-the-state"

// Asks tells whether the request has that prompt.
func (a *Request) Asks(prompt string) bool { return slices.Contains(a.Prompt, prompt) }

// NamedClaims are the claims that are asked for by name, and that none of the scopes asked for gives: people are asked
// for each.
func (a *Request) NamedClaims() []string {
	return slices.DeleteFunc(a.Claims.Names(), func(name string) bool {
		return slices.Contains(a.Scopes, oidc.ScopeOf(name))
	})
}

// Refuse returns the response that tells the app no: RFC 6749, section 4.1.2.1. It fails where that cannot be
// signed or encrypted.
func (p *Service) Refuse(ctx context.Context, a *Request, err *oidc.Error) (*oidc.Response, error) {
	parameters := url.Values{"error": {err.Code}}
	if err.Description != "" {
		parameters.Set("error_description", err.Text())
	}
	return p.respond(ctx, a, parameters)
}
