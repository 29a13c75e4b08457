package refusals

import (
	"net/url"
	"slices"
	"strings"

	"github.com/wicket-id/wicket/identity/refusal"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
)

// facts are what a refusal is explained by.
type facts struct {
	Record

	client *clients.Client // the app as it is now; nil: there is none any more, or none was named
	others []string        // the names of other apps that have the redirect URI that was sent
}

// explain says what the likely cause is, and what would mend it. It returns nil for both where the description is all
// that there is to say.
func (f facts) explain() (*refusal.Error, *Mend) {
	if rule := rules[f.Reason]; rule != nil {
		return rule(f)
	}
	return nil, nil
}

// rules are the explanations by the reason of a refusal.
var rules = map[string]func(facts) (*refusal.Error, *Mend){
	oidc.UnknownClient:      always(causeUnknown),
	oidc.WrongCredentials:   facts.explainCredentials,
	oidc.LateAssertion:      always(refusal.New("refused.clock", "the clocks differ")),
	oidc.UnregisteredOrigin: facts.explainOrigin,
	oidc.WrongRedirectURI:   facts.explainRedirectURI,
	oidc.MissingRedirectURI: always(refusal.New("refused.redirect.missing", "no redirect_uri was sent")),
	oidc.OtherRedirectURI:   always(refusal.New("refused.redirect.changed", "redirect_uri differs between the two requests")),
	oidc.WrongLogoutURI:     facts.explainLogoutURI,
	oidc.WrongResponseType:  always(refusal.New("refused.response_type", "this response_type is not offered")),
	oidc.NoResponseType:     facts.explainResponseType,
	oidc.UnknownGrantType:   always(refusal.New("refused.grant_type.unknown", "there is no such grant type")),
	oidc.NoGrantType:        facts.explainGrantType,
	oidc.NoScope:            facts.explainScope,
	oidc.NotGrantedScope:    always(refusal.New("refused.scope.not_granted", "the person has not allowed this scope")),
	oidc.NoAPI:              always(refusal.New("refused.resource", "the app is not registered for this API")),
	oidc.MissingPKCE:        facts.explainPKCE,
	oidc.WrongPKCEMethod:    always(refusal.New("refused.pkce.method", "the PKCE method is not S256")),
	oidc.WrongVerifier:      always(refusal.New("refused.pkce.verifier", "the code_verifier is not the one that belongs to the code")),
	oidc.MustPush:           always(refusal.New("refused.par", "the app must push its requests")),
	oidc.MustSign:           always(refusal.New("refused.signed", "the app must sign its requests")),
	oidc.BadRequestObject:   always(refusal.New("refused.request_object", "the signed request is not in order")),
	oidc.UnknownCode:        always(refusal.New("refused.code.unknown", "no code of this server was sent")),
	oidc.ExpiredCode:        always(refusal.New("refused.code.expired", "the code came too late")),
	oidc.UsedCode:           always(refusal.New("refused.code.used", "the code was sent twice")),
	oidc.OthersCode:         always(refusal.New("refused.code.another_app", "the code is another app's")),

	oidc.UnknownRefreshToken: always(refusal.New("refused.refresh.unknown", "no refresh token of this server was sent")),
	oidc.ExpiredRefreshToken: always(refusal.New("refused.refresh.expired", "the refresh token has expired")),
	oidc.UsedRefreshToken:    always(refusal.New("refused.refresh.used", "a refresh token was sent again that was replaced")),
	oidc.OthersRefreshToken:  always(refusal.New("refused.refresh.another_app", "the refresh token is another app's")),
	oidc.EndedGrant:          always(refusal.New("refused.ended", "what the app was granted has ended")),
	oidc.UnmetAssurance:      always(refusal.New("refused.second_factor", "the person has shown no second factor")),
	oidc.ExcludedPerson:      facts.explainExclusion,
}

// always is the rule for what has one cause, which no change of the app mends.
func always(cause *refusal.Error) func(facts) (*refusal.Error, *Mend) {
	return func(facts) (*refusal.Error, *Mend) { return cause, nil }
}

// got is the first thing that was sent, or "".
func (f facts) got() string {
	if len(f.Got) == 0 {
		return ""
	}
	return f.Got[0]
}

var (
	causeNoSecret = refusal.New("refused.secret.missing", "the app sent no secret")
	causeSecret   = refusal.New("refused.secret.wrong", "the secret is not the one that the app has")
	causeKey      = refusal.New("refused.secret.key", "the app signs with its key instead of sending a secret")
	causePublic   = refusal.New("refused.secret.public", "the app is registered as one without a secret")
	causeMethod   = refusal.New("refused.secret.method", "the app sends its secret by another method")
)

// explainCredentials explains why an app did not show that it is the one that it says.
func (f facts) explainCredentials() (*refusal.Error, *Mend) {
	if f.ClientID == "" {
		return causeUnknown, nil
	}
	client, method := f.client, f.got()
	switch {
	case client == nil:
		return causeGone, nil
	case client.AuthMethod == clients.AuthNone:
		return causePublic, nil
	case client.AuthMethod == clients.AuthPrivateKeyJWT:
		return causeKey, nil
	case method == clients.AuthNone:
		return causeNoSecret, nil
	case !client.AnySecretMethod && method != client.AuthMethod:
		return causeMethod, f.mend(Mend{Member: "any_secret_method", Set: true})
	}
	return causeSecret, nil
}

// lacking is the explanation of what an app is not registered for: what is to be added to which member.
func (f facts) lacking(cause *refusal.Error, member string, add []string) (*refusal.Error, *Mend) {
	if f.client == nil {
		return causeGone, nil
	}
	if list := *listOf(f.client, member); !slices.ContainsFunc(add, func(text string) bool {
		return !slices.Contains(list, text)
	}) {
		return causeMended, nil
	}
	return cause, f.mend(Mend{Member: member, Add: add})
}

var (
	causeUnknown = refusal.New("refused.client", "no app has this client_id")
	causeGone    = refusal.New("refused.gone", "the app was deleted since")
	causeMended  = refusal.New("refused.mended", "the app was changed since, and this is accepted now")
)

// explainOrigin explains why a page may not use an app.
func (f facts) explainOrigin() (*refusal.Error, *Mend) {
	return f.lacking(refusal.New("refused.origin", "pages of this origin are not allowed"), "allowed_origins", f.Got)
}

func (f facts) explainRedirectURI() (*refusal.Error, *Mend) {
	if f.client == nil {
		return causeGone, nil
	}
	return f.explainURI("redirect_uris", f.client.RedirectURIs)
}

func (f facts) explainLogoutURI() (*refusal.Error, *Mend) {
	if f.client == nil {
		return causeGone, nil
	}
	return f.explainURI("post_logout_redirect_uris", f.client.PostLogoutRedirectURIs)
}

var (
	causeNoURI    = refusal.New("refused.redirect.relative", "no absolute address was sent")
	causeNewURI   = refusal.New("refused.redirect.unregistered", "the address is none of the app's")
	causeDotless  = refusal.New("refused.redirect.dotless", "addresses with this scheme are not allowed any more")
	causeMoreURI  = refusal.New("refused.redirect.query", "the address goes on with a query or a fragment")
	causeSlash    = refusal.New("refused.redirect.slash", "one of the addresses ends in a slash")
	causeScheme   = refusal.New("refused.redirect.scheme", "one of the addresses is http, the other https")
	causeCase     = refusal.New("refused.redirect.case", "the addresses differ in capitals")
	causeLoopback = refusal.New("refused.redirect.loopback", "localhost, 127.0.0.1 and [::1] are different addresses")
	causePort     = refusal.New("refused.redirect.port", "the addresses differ in the port")
	causeWWW      = refusal.New("refused.redirect.www", "one of the addresses begins with www")
	causeHost     = refusal.New("refused.redirect.host", "the addresses differ in the host")
	causePath     = refusal.New("refused.redirect.path", "the addresses differ in the path")
)

// explainURI explains why an address that was sent is none of those registered.
func (f facts) explainURI(member string, registered []string) (*refusal.Error, *Mend) {
	sent := f.got()
	if sent == "" {
		return causeNoURI, nil
	}
	if !oidc.IsWhole(sent) {
		for _, uri := range registered {
			if beginning, _, _ := strings.Cut(uri, "?"); strings.HasPrefix(sent, beginning) {
				return causeMoreURI, nil
			}
		}
		return causeNewURI, nil
	}
	if slices.ContainsFunc(registered, func(uri string) bool { return f.client.MatchesRedirectURI(sent, uri) }) {
		if scheme, _, _ := strings.Cut(sent, ":"); !strings.Contains(scheme, ".") && !strings.HasPrefix(scheme, "http") {
			return causeDotless, nil
		}
		return causeMended, nil
	}
	if len(f.others) > 0 { // it is the client_id that is wrong
		return refusal.NewWith("refused.redirect.other_app", "another app has this address",
			refusal.Params{"App": strings.Join(f.others, ", ")}), nil
	}
	return difference(sent, registered), f.mend(Mend{Member: member, Add: []string{sent}})
}

// differences are the ways in which two addresses differ in one thing, the most likely first.
var differences = []struct {
	cause *refusal.Error
	alike func(a, b *url.URL) bool // they are the same but for that
}{
	{causeSlash, func(a, b *url.URL) bool { return a.Host == b.Host && a.Scheme == b.Scheme && sameButSlash(a, b) }},
	{causeScheme, func(a, b *url.URL) bool { return a.Host == b.Host && a.Path == b.Path && isWeb(a) && isWeb(b) }},
	{causeCase, func(a, b *url.URL) bool { return strings.EqualFold(a.String(), b.String()) }},
	{causePort, func(a, b *url.URL) bool { return a.Hostname() == b.Hostname() && sameButHost(a, b) }},
	{causeLoopback, func(a, b *url.URL) bool { return oidc.IsLoopback(a) && oidc.IsLoopback(b) && sameButHost(a, b) }},
	{causeWWW, func(a, b *url.URL) bool {
		return strings.TrimPrefix(a.Host, "www.") == strings.TrimPrefix(b.Host, "www.") && sameButHost(a, b)
	}},
	{causeHost, func(a, b *url.URL) bool { return sameButHost(a, b) && len(a.Path) > len("/") }},
	{causePath, func(a, b *url.URL) bool { return a.Scheme == b.Scheme && a.Host == b.Host && a.Host != "" }},
}

// difference says in what an address that was sent differs from the one of those registered that is most like it.
func difference(sent string, registered []string) *refusal.Error {
	a, err := url.Parse(sent)
	if err != nil {
		return causeNoURI
	}
	for _, difference := range differences {
		for _, uri := range registered {
			if b, err := url.Parse(uri); err == nil && difference.alike(a, b) {
				return difference.cause
			}
		}
	}
	return causeNewURI
}

func isWeb(u *url.URL) bool { return u.Scheme == "http" || u.Scheme == "https" }

func sameButSlash(a, b *url.URL) bool {
	return a.RawQuery == b.RawQuery && strings.TrimSuffix(a.Path, "/") == strings.TrimSuffix(b.Path, "/")
}

func sameButHost(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && a.Path == b.Path && a.RawQuery == b.RawQuery && isWeb(a)
}

var (
	causeFlow      = refusal.New("refused.flow", "the app is not registered for this response_type")
	causeCodeFlow  = refusal.New("refused.code_flow", "the app is not registered for the code flow")
	causeGrantType = refusal.New("refused.grant_type.unregistered", "the app is not registered for this grant type")
)

// explainResponseType explains why an app may not ask for something. Tokens in the browser are not allowed by a click.
func (f facts) explainResponseType() (*refusal.Error, *Mend) {
	if f.got() == "code" {
		return f.lacking(causeCodeFlow, "response_types", f.Got)
	}
	return causeFlow, nil
}

// explainGrantType explains why an app may not ask for tokens in that way.
func (f facts) explainGrantType() (*refusal.Error, *Mend) {
	cause, mend := f.lacking(causeGrantType, "grant_types", f.Got)
	if slices.Contains(f.Got, oidc.GrantDeviceCode) {
		// Anybody can ask, and whoever may use it can ask people to type a code of theirs: that is no matter for one button.
		mend = nil
	}
	return cause, mend
}

var (
	causeScope      = refusal.New("refused.scope.unregistered", "the app is not registered for these scopes")
	causeOtherScope = refusal.New("refused.scope.unknown", "these are scopes of no app and of no API")
)

// explainScope explains why an app may not ask for scopes. Those of this server can be allowed.
func (f facts) explainScope() (*refusal.Error, *Mend) {
	var own []string
	for _, scope := range f.Got {
		if oidc.IsOwnScope(scope) {
			own = append(own, scope)
		}
	}
	if len(own) == 0 {
		return causeOtherScope, nil
	}
	return f.lacking(causeScope, "scope", own)
}

// explainPKCE says who demands PKCE.
func (f facts) explainPKCE() (*refusal.Error, *Mend) {
	if f.client != nil && f.client.IsPublic() {
		return refusal.New("refused.pkce.public", "an app without a secret must use PKCE"), nil
	}
	return refusal.New("refused.pkce.required", "the operator demands PKCE of the app"), nil
}

// explainExclusion says whom the app is for.
func (f facts) explainExclusion() (*refusal.Error, *Mend) {
	if len(f.Expected) == 0 {
		return refusal.New("refused.access.nobody", "the app is for people of certain groups, and none is listed"), nil
	}
	return refusal.New("refused.access.groups", "the person is in none of the groups that may use the app"), nil
}
