package authorize

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/apis"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage"
)

// endpoint is where an authorization request can come in. A request is checked where the app sends it; what only makes
// sense with a browser at hand is not asked of the others.
type endpoint uint

const (
	atAuthorize endpoint = 1 << iota // OpenID Connect Core, section 3.1.2
	atPAR                            // pushed authorization requests: RFC 9126
	atDevice                         // device authorization: RFC 8628
	atCIBA                           // client-initiated backchannel authentication
)

const (
	withBrowser = atAuthorize | atPAR // the answer goes to a redirect URI
	everywhere  = atAuthorize | atPAR | atDevice | atCIBA
)

// checks are the checks of an authorization request whose client is known, in the order in which they are made: each
// may count on those above it. The first that fails is the answer.
var checks = []struct {
	at  endpoint
	run func(ctx context.Context, p *Service, a *Request) *oidc.Error
}{
	{atAuthorize, checkPushing},
	{withBrowser, checkSigned},
	{withBrowser, checkUnsupported},
	{withBrowser, checkResponseType},
	{withBrowser, checkResponseMode},
	{everywhere, readResources},
	{everywhere, readScopes},
	{withBrowser, checkIDToken},
	{withBrowser, checkFrontToken},
	{withBrowser, checkOpenIDRedirect},
	{withBrowser, checkPKCE},
	{withBrowser, checkDPoPKey},
	{withBrowser, readPrompt},
	{withBrowser, readMaxAge},
	{withBrowser | atCIBA, readIDTokenHint},
	{withBrowser | atCIBA, readLoginHint},
	{everywhere, readACRValues},
	{everywhere, readClaims},
}

// check makes the checks of an endpoint, and takes from the request what they read.
func (p *Service) check(ctx context.Context, a *Request, at endpoint) *oidc.Error {
	for _, check := range checks {
		if check.at&at == 0 {
			continue
		}
		if err := check.run(ctx, p, a); err != nil {
			return err
		}
	}
	return nil
}

func checkUnsupported(_ context.Context, _ *Service, a *Request) *oidc.Error {
	if a.form.Has("registration") {
		return &oidc.Error{Code: "registration_not_supported", Description: "registration is not supported."}
	}
	return nil
}

// readResources reads which APIs are asked for (RFC 8707, section 2.1), and which of the scopes belong to them.
func readResources(ctx context.Context, p *Service, a *Request) (refused *oidc.Error) {
	a.APIs, refused = p.APIs.Request(ctx, a.Client, a.form["resource"], oidc.ParseScopes(a.form.Get("scope")))
	return refused
}

func readScopes(_ context.Context, _ *Service, a *Request) *oidc.Error {
	requested := oidc.ParseScopes(a.form.Get("scope"))
	if a.ResponseType != "" && !a.AsksFor("code") { // no refresh token without: OpenID Connect Core, section 11
		requested = without(requested, []string{oidc.OfflineAccess})
	}
	known := false
	for _, scope := range requested {
		ofAPI := slices.ContainsFunc(a.APIs, func(api apis.Requested) bool { return api.Has(scope) })
		// A stranger's client names scopes of open APIs to say what it will ask for there: they mean nothing without.
		if !ofAPI && slices.Contains(a.Client.Scopes, scope) && (oidc.IsOwnScope(scope) || !a.Client.IsStranger()) {
			a.Scopes = append(a.Scopes, scope)
		}
		known = known || ofAPI
	}
	if len(a.Scopes) == 0 && len(requested) > 0 && !known {
		return oidc.InvalidScope("None of the scopes asked for is registered for this client.").
			Because(oidc.NoScope, a.Client.Scopes, oidc.SentNames(requested)...)
	}
	return nil
}

func checkOpenIDRedirect(_ context.Context, _ *Service, a *Request) *oidc.Error {
	if slices.Contains(a.Scopes, "openid") && !a.form.Has("redirect_uri") {
		return oidc.InvalidRequest("The redirect_uri is missing; OpenID Connect requires it.").
			Because(oidc.MissingRedirectURI, a.Client.RedirectURIs)
	}
	return nil
}

// Prompts are the values of the parameter prompt: OpenID Connect Core, section 3.1.2.1.
var Prompts = []string{"none", "login", "consent", "select_account"}

func readPrompt(_ context.Context, _ *Service, a *Request) *oidc.Error {
	a.Prompt = oidc.ParseScopes(a.form.Get("prompt"))
	for _, prompt := range a.Prompt {
		if !slices.Contains(Prompts, prompt) {
			return oidc.InvalidRequest("prompt must be made of none, login, consent and select_account.")
		}
	}
	if a.Asks("none") && len(a.Prompt) > 1 {
		return oidc.InvalidRequest("prompt=none cannot be combined with another prompt.")
	}
	return nil
}

func readMaxAge(_ context.Context, _ *Service, a *Request) *oidc.Error {
	text := a.form.Get("max_age")
	if text == "" {
		return nil
	}
	seconds, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		return oidc.InvalidRequest("max_age must be a number of seconds.")
	}
	age := time.Duration(seconds) * time.Second
	a.MaxAge = &age
	return nil
}

func readIDTokenHint(ctx context.Context, p *Service, a *Request) *oidc.Error {
	hint := a.form.Get("id_token_hint")
	if hint == "" {
		return nil
	}
	claims, err := p.Tokens.ReadIDTokenHint(hint)
	if err != nil {
		return oidc.InvalidRequest("The id_token_hint is not an ID token of ours.")
	}
	if ok, err := p.knowsSubjectsOf(ctx, a.Client, claims.Audience); err != nil {
		return oidc.ServerError(err)
	} else if !ok {
		return oidc.InvalidRequest("The id_token_hint was issued to a client that knows people by other subjects.")
	}
	a.HintSubject = claims.Subject
	return nil
}

// knowsSubjectsOf tells whether a client knows people by the same subjects as another, so that an ID token of the
// latter says whom it expects. One that was deleted cannot be asked for its sector: only its own tokens would do.
func (p *Service) knowsSubjectsOf(ctx context.Context, client *clients.Client, otherID string) (bool, error) {
	if client.ID == otherID {
		return true, nil
	}
	other, err := p.Clients.ByID(ctx, otherID)
	if errors.Is(err, storage.ErrNotFound) {
		return client.Sector == "", nil
	} else if err != nil {
		return false, err
	}
	return other.Sector == client.Sector, nil
}

func readLoginHint(_ context.Context, _ *Service, a *Request) *oidc.Error {
	a.LoginHint = a.form.Get("login_hint")
	return nil
}

func readACRValues(_ context.Context, _ *Service, a *Request) *oidc.Error {
	a.ACRValues = oidc.ParseScopes(a.form.Get("acr_values"))
	return nil
}
