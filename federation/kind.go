package federation

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// The kinds of providers.
const (
	KindGoogle    = "google"
	KindMicrosoft = "microsoft"
	KindGitHub    = "github"
	KindOpenID    = "oidc" // any OpenID Provider
)

// kinds has the rules of each kind, which are in a file of its own.
var kinds = map[string]kind{
	KindGoogle:    google{},
	KindMicrosoft: microsoft{},
	KindGitHub:    gitHub{},
	KindOpenID:    openIDProvider{},
}

// kind is what providers of one kind do not have in common with the others.
type kind interface {
	// setDefaults fills in what an operator may leave out.
	setDefaults(p *Provider)
	// checkSettings says what is wrong with settings, beyond what is wrong with those of every kind.
	checkSettings(s *Settings) error
	// discover returns the provider's endpoints, and how its tokens are verified.
	discover(ctx context.Context, p *Provider, client *http.Client) (*metadata, error)
	// scopes are those to request, by those that the operator has set, if any.
	scopes(configured []string) []string
	// parameters are those of an authorization request that depend on the person's request.
	parameters(p *Provider, o RequestOptions, nonce string) map[string]string
	// checkResponseIssuer says whether the parameter iss of an authorization response names the provider: RFC 9207.
	checkResponseIssuer(p *Provider, m *metadata, issuer string) error
	// identify verifies who the person is. It returns ErrInvalidResponse or ErrUnreachable.
	identify(ctx context.Context, r *tokenResponse) (*verifiedClaims, error)
	// isAuthoritative tells whether the provider can know whose the person's e-mail address is now.
	isAuthoritative(verified *verifiedClaims) bool
	// domain is the one to which the person belongs, in lower case, or empty. proved tells whether the e-mail address
	// counts as theirs, by the claims and the settings.
	domain(verified *verifiedClaims, proved bool) string
}

// openIDKind is a kind that speaks OpenID Connect: it issues ID tokens and may issue logout tokens.
type openIDKind interface {
	kind
	// tokenIssuer checks that the provider may issue tokens as issuer, with the tenant that the token names, if any. It
	// returns the issuer under which accounts are kept.
	tokenIssuer(p *Provider, m *metadata, issuer, tenant string) (string, error)
}

// tokenResponse is what a provider gave for a code, and what is needed to verify it.
type tokenResponse struct {
	*oauth2.Token
	provider *Provider
	metadata *metadata
	client   *http.Client
	request  *Request
	pending  *pendingRequest
	now      func() time.Time
}

// kind returns the rules of the provider's kind, or nil where this version of Wicket does not know it.
func (p *Provider) kind() kind { return kinds[p.Kind] }

// SendsLogoutTokens tells whether the provider can tell Wicket that a session there has ended.
func (p *Provider) SendsLogoutTokens() bool {
	_, ok := p.kind().(openIDKind)
	return ok
}

// openIDConnect is what most providers do that speak OpenID Connect.
type openIDConnect struct{}

func (openIDConnect) discover(ctx context.Context, p *Provider, client *http.Client) (*metadata, error) {
	return p.readDocument(ctx, client, strings.TrimSuffix(p.Issuer, "/"), func(issuer string) error {
		if issuer != p.Issuer {
			return fmt.Errorf("the document is of the issuer %q, not of %s", issuer, p.Issuer)
		}
		return nil
	})
}

func (openIDConnect) scopes(configured []string) []string {
	switch {
	case len(configured) == 0:
		return []string{gooidc.ScopeOpenID, "profile", "email"}
	case slices.Contains(configured, gooidc.ScopeOpenID):
		return configured
	}
	return append([]string{gooidc.ScopeOpenID}, configured...)
}

func (openIDConnect) checkResponseIssuer(_ *Provider, m *metadata, issuer string) error {
	return m.checkIssuer(issuer)
}

func (openIDConnect) tokenIssuer(_ *Provider, m *metadata, issuer, _ string) (string, error) {
	return issuer, m.checkIssuer(issuer)
}

func (openIDConnect) isAuthoritative(*verifiedClaims) bool { return true }

func (openIDConnect) domain(verified *verifiedClaims, proved bool) string {
	return verified.provedDomain(proved)
}

// openIDParameters are those that every OpenID Provider knows: OpenID Connect Core, section 3.1.2.1.
func openIDParameters(o RequestOptions, nonce string) map[string]string {
	parameters := map[string]string{"nonce": nonce}
	if o.LoginHint != "" {
		parameters["login_hint"] = o.LoginHint
	}
	return parameters
}
