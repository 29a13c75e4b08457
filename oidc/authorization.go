package oidc

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/ory/fosite"

	"github.com/wicket-id/wicket/storage"
)

// Authorization is an authorization request that was read and found in order: RFC 6749, section 4.1.1, and OpenID
// Connect Core, section 3.1.2.1.
type Authorization struct {
	Client       *Client
	RedirectURI  string // where the answer goes; vetted
	ResponseMode string // "query", "fragment" or "form_post"
	State        string // may be empty
	Scopes       []string
	Prompt       []string
	MaxAge       *time.Duration // nil: the client does not care
	LoginHint    string
	HintSubject  string   // whom the client expects, by id_token_hint; or empty
	ACRValues    []string // authentication context classes that would be welcome, the best first
	EssentialACR []string // of which one is a must; or empty

	BeganAt   time.Time // when the request first came; what was done for it is done after
	Selected  bool      // the person chose the account, as prompt=select_account asks
	SteppedUp bool      // the person was asked for a second factor, as acr_values asks
	ShownTo   uuid.UUID // the session that a page was shown to, where its answer counts for that session alone

	form     url.Values // as sent, each parameter once
	accepted fosite.AuthorizeRequester
}

// Refusal is an Error that belongs to an authorization request. Where Authorization is set, the redirect URI can be
// trusted with it; where it is nil, only the person may see it.
type Refusal struct {
	Reason        *Error
	Authorization *Authorization
}

func (r *Refusal) Error() string { return r.Reason.Error() }

// Unwrap returns the reason.
func (r *Refusal) Unwrap() error { return r.Reason }

// ReadAuthorization reads an authorization request that begins now. It returns a *Refusal for what is wrong with it.
func (p *Provider) ReadAuthorization(ctx context.Context, form url.Values) (*Authorization, error) {
	return p.readAuthorization(ctx, form, p.Now())
}

func (p *Provider) readAuthorization(ctx context.Context, form url.Values, began time.Time) (*Authorization, error) {
	if err := CheckForm(form); err != nil {
		return nil, &Refusal{Reason: err}
	}
	form, doubled := single(form)
	untrusted := func(description string) error { return &Refusal{Reason: invalidRequest(description)} }
	if doubled == "client_id" || doubled == "redirect_uri" {
		return nil, untrusted("The parameter " + doubled + " is given more than once.")
	}
	client, err := p.Client(ctx, form.Get("client_id"))
	if errors.Is(err, storage.ErrNotFound) {
		return nil, untrusted("The client_id is missing or unknown.")
	} else if err != nil {
		return nil, &Refusal{Reason: serverError(err)}
	}
	a := &Authorization{Client: client, BeganAt: began, form: form, State: form.Get("state")}
	if a.RedirectURI, err = a.trustedRedirect(form.Get("redirect_uri")); err != nil {
		return nil, untrusted("Here " + err.Error() + ".")
	}
	// From here on the app hears what is wrong, in the response mode that it asked for if that can be.
	a.ResponseMode = form.Get("response_mode")
	mode := a.ResponseMode
	if !slices.Contains(ResponseModes, a.ResponseMode) {
		a.ResponseMode = "query"
	}
	if err := p.check(ctx, a, doubled, mode); err != nil {
		return nil, &Refusal{Reason: err, Authorization: a}
	}
	return a, nil
}

// ResponseModes are the ways in which an answer travels: OAuth 2.0 Multiple Response Type Encoding Practices, section
// 2.1, and OAuth 2.0 Form Post Response Mode.
var ResponseModes = []string{"query", "fragment", "form_post"}

// prompts are the values of the parameter prompt: OpenID Connect Core, section 3.1.2.1.
var prompts = []string{"none", "login", "consent", "select_account"}

// trustedRedirect returns the redirect URI to use, or what is wrong with the one that was asked for. It may be left out
// where a client has registered just one (RFC 6749, section 3.1.2.3).
func (a *Authorization) trustedRedirect(requested string) (string, error) {
	if requested == "" {
		if len(a.Client.RedirectURIs) == 1 {
			return a.Client.RedirectURIs[0], nil
		}
		return "", errors.New("the redirect_uri is missing, and this client has registered several")
	}
	for _, registered := range a.Client.RedirectURIs {
		if matchesRedirectURI(requested, registered) {
			return requested, nil
		}
	}
	return "", fmt.Errorf("the redirect_uri %.200s is not one that this client has registered; it must match to the letter", requested)
}

// check reads what is left, once the redirect URI can be trusted.
func (p *Provider) check(ctx context.Context, a *Authorization, doubled, mode string) *Error {
	form := a.form
	switch {
	case doubled != "":
		return invalidRequest("The parameter " + doubled + " is given more than once.")
	case form.Has("request"):
		return &Error{Code: "request_not_supported", Description: "Request objects are not supported."}
	case form.Has("request_uri"):
		return &Error{Code: "request_uri_not_supported", Description: "request_uri is not supported."}
	case form.Has("registration"):
		return &Error{Code: "registration_not_supported", Description: "registration is not supported."}
	case !form.Has("response_type"):
		return invalidRequest("The response_type is missing; it must be code.")
	case form.Get("response_type") != "code":
		return &Error{Code: "unsupported_response_type", Description: "The response_type must be code."}
	case mode != "" && mode != a.ResponseMode:
		return invalidRequest("The response_mode must be query, fragment or form_post.")
	case !slices.Contains(a.Client.GrantTypes, GrantCode):
		return &Error{Code: "unauthorized_client", Description: "This client is not registered for the authorization code flow."}
	}
	requested := parseScopes(form.Get("scope"))
	if a.Scopes = intersect(requested, a.Client.Scopes); len(a.Scopes) == 0 && len(requested) > 0 {
		return invalidScope("None of the scopes asked for is registered for this client.")
	}
	if slices.Contains(a.Scopes, "openid") && !form.Has("redirect_uri") {
		return invalidRequest("The redirect_uri is missing; OpenID Connect requires it.")
	}
	if err := a.checkPKCE(); err != nil {
		return err
	}
	a.Prompt = parseScopes(form.Get("prompt"))
	for _, prompt := range a.Prompt {
		if !slices.Contains(prompts, prompt) {
			return invalidRequest("prompt must be made of none, login, consent and select_account.")
		}
	}
	if a.Asks("none") && len(a.Prompt) > 1 {
		return invalidRequest("prompt=none cannot be combined with another prompt.")
	}
	if text := form.Get("max_age"); text != "" {
		seconds, err := strconv.ParseUint(text, 10, 31)
		if err != nil {
			return invalidRequest("max_age must be a number of seconds.")
		}
		age := time.Duration(seconds) * time.Second
		a.MaxAge = &age
	}
	if hint := form.Get("id_token_hint"); hint != "" {
		claims, err := p.readIDTokenHint(hint)
		if err != nil {
			return invalidRequest("The id_token_hint is not an ID token of ours.")
		}
		a.HintSubject = claims.Subject
	}
	a.LoginHint = form.Get("login_hint")
	a.ACRValues = parseScopes(form.Get("acr_values"))
	if err := a.readClaims(); err != nil {
		return err
	}
	return p.accept(ctx, a)
}

// checkPKCE is RFC 7636, section 4.4.1, less the method plain, which protects nobody: S256 is required of public
// clients, and of whoever begins with PKCE.
func (a *Authorization) checkPKCE() *Error {
	challenge, method := a.form.Get("code_challenge"), a.form.Get("code_challenge_method")
	switch {
	case challenge == "" && method != "":
		return invalidRequest("code_challenge_method is given without code_challenge.")
	case challenge == "" && a.Client.IsPublic():
		return invalidRequest("A public client must use PKCE: code_challenge is missing.")
	case challenge == "":
		return nil
	case method != "S256":
		return invalidRequest("code_challenge_method must be S256.")
	case !challengeS256.MatchString(challenge):
		return invalidRequest("code_challenge must be a SHA-256 digest in base64url: 43 characters.")
	}
	return nil
}

var challengeS256 = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)

// accept hands the request to fosite, which will issue the code. What Next decides (prompt, max_age, hints) is left out:
// fosite is to have no opinion of its own about it.
func (p *Provider) accept(ctx context.Context, a *Authorization) *Error {
	form := url.Values{"state": {fixedState}, "redirect_uri": {a.RedirectURI}, "scope": {strings.Join(a.Scopes, " ")}}
	for _, name := range []string{"client_id", "response_type", "code_challenge", "code_challenge_method", "nonce"} {
		if a.form.Has(name) {
			form.Set(name, a.form.Get(name))
		}
	}
	accepted, err := p.AcceptRequest(ctx, form)
	if err != nil {
		var refused *Error
		errors.As(err, &refused)
		return refused
	}
	a.accepted = accepted
	return nil
}

// fixedState satisfies fosite, which wants a state of some length. The client's own is Authorization.State, which is
// optional and comes back as it was.
const fixedState = "wicket-keeps-the-state"

// Asks tells whether the request has that prompt.
func (a *Authorization) Asks(prompt string) bool { return slices.Contains(a.Prompt, prompt) }

// Response is what goes back to the app by way of the browser.
type Response struct {
	RedirectURI string
	Mode        string // see ResponseModes
	Parameters  url.Values
}

// Refuse returns the response that tells the app no: RFC 6749, section 4.1.2.1, with iss (RFC 9207).
func (p *Provider) Refuse(a *Authorization, err *Error) *Response {
	parameters := url.Values{"error": {err.Code}, "iss": {p.Issuer}}
	if err.Description != "" {
		parameters.Set("error_description", err.Text())
	}
	return a.respond(parameters)
}

func (a *Authorization) respond(parameters url.Values) *Response {
	if a.State != "" {
		parameters.Set("state", a.State)
	}
	return &Response{RedirectURI: a.RedirectURI, Mode: a.ResponseMode, Parameters: parameters}
}

// URL returns where the browser is redirected to, for the modes query and fragment. A query that was registered with the
// redirect URI stays as it is.
func (r *Response) URL() string {
	encoded := r.Parameters.Encode()
	if r.Mode == "fragment" {
		return r.RedirectURI + "#" + encoded
	}
	separator := "?"
	if strings.Contains(r.RedirectURI, "?") {
		separator = "&"
	}
	return r.RedirectURI + separator + encoded
}
