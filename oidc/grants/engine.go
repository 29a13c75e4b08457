package grants

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/google/uuid"
	"github.com/ory/fosite"
	"github.com/ory/fosite/handler/oauth2"
	"github.com/ory/fosite/handler/openid"
	"github.com/ory/fosite/handler/pkce"
	"github.com/ory/fosite/token/jwt"

	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/apis"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/oidc/dpop"
	"github.com/wicket-id/wicket/oidc/tokens"
)

// newEngine wires fosite's handlers directly, in the order in which they must run, onto our storage (enginestore.go)
// and our tokens (enginetokens.go). Every field of the configuration that fosite would fill in later, behind our back
// and with a data race, is set here.
func newEngine(p *Service) *fosite.Fosite {
	config := &fosite.Config{
		AccessTokenLifespan:         p.Lifetimes.AccessToken,
		RefreshTokenLifespan:        p.Lifetimes.RefreshToken,
		AuthorizeCodeLifespan:       p.Lifetimes.Code,
		IDTokenLifespan:             p.Lifetimes.IDToken,
		IDTokenIssuer:               p.Issuer,
		AccessTokenIssuer:           p.Issuer,
		EnforcePKCEForPublicClients: true,
		OmitRedirectScopeParam:      true,
		RefreshTokenScopes:          []string{oidc.OfflineAccess},
		SanitationWhiteList:         []string{"code", "redirect_uri", "code_challenge", "code_challenge_method", "nonce"},
		ScopeStrategy:               fosite.ExactScopeStrategy,
		AudienceMatchingStrategy:    func([]string, []string) error { return nil },
		RedirectSecureChecker: func(context.Context, *url.URL) bool {
			return true
		}, // redirection.Check has decided
		ClientSecretsHasher: &fosite.BCrypt{Config: nil}, // never asked: clientauth.go
		MinParameterEntropy: 1,
		ClientAuthenticationStrategy: func(ctx context.Context, _ *http.Request, _ url.Values) (fosite.Client, error) {
			return workOf(ctx).client, nil // Token has authenticated it
		},
	}
	store, tokens := engineStore{p}, engineTokens{p}
	idTokens := &openid.IDTokenHandleHelper{IDTokenStrategy: tokens}
	code := &oauth2.AuthorizeExplicitGrantHandler{
		AccessTokenStrategy: tokens, RefreshTokenStrategy: tokens, AuthorizeCodeStrategy: tokens,
		CoreStorage: store, TokenRevocationStorage: store, Config: config,
	}
	openidCode := &openid.OpenIDConnectExplicitHandler{
		OpenIDConnectRequestStorage:   store,
		OpenIDConnectRequestValidator: openid.NewOpenIDConnectRequestValidator(nil, config),
		Config:                        config, IDTokenHandleHelper: idTokens,
	}
	proof := &pkce.Handler{AuthorizeCodeStrategy: tokens, Storage: store, Config: config}
	config.AuthorizeEndpointHandlers = fosite.AuthorizeEndpointHandlers{code, openidCode, proof}
	config.TokenEndpointHandlers = fosite.TokenEndpointHandlers{
		code, openidCode, proof,
		&oauth2.RefreshTokenGrantHandler{
			AccessTokenStrategy: tokens, RefreshTokenStrategy: tokens, TokenRevocationStorage: store, Config: config,
		},
		&openid.OpenIDConnectRefreshHandler{IDTokenHandleHelper: idTokens, Config: config},
		&oauth2.ClientCredentialsGrantHandler{
			HandleHelper: &oauth2.HandleHelper{AccessTokenStrategy: tokens, AccessTokenStorage: store, Config: config},
			Config:       config,
		},
		deviceCodes{p},
	}
	return fosite.NewOAuth2Provider(store, config)
}

// AcceptRequest takes the parameters of an authorization request, for IssueCode. It returns an *Error where fosite
// refuses them.
func (p *Service) AcceptRequest(ctx context.Context, form url.Values) (fosite.AuthorizeRequester, error) {
	accepted, err := p.engine.NewAuthorizeRequest(ctx, &http.Request{
		Method: http.MethodGet, Form: form, PostForm: url.Values{}, Header: http.Header{},
	})
	if err != nil {
		return nil, Translate(err)
	}
	return accepted, nil
}

// work is one request at work: what was read for it and what is to be written. fosite asks its storage for the same
// thing several times and writes in small steps; work reads once and writes all of it in one short transaction.
type work struct {
	service *Service
	now     time.Time
	client  *clients.Client // who asks
	proof   *dpop.Proof     // of the key that what is issued is bound to; nil: none
	grant   *oidc.Grant     // the family that is extended; nil for client_credentials
	person  *tokens.Person  // whose the grant is; see readPerson
	api     *apis.API       // what the access token is good at; nil: this server itself
	scopes  []string        // of the access token
	stands  bool            // what the grant hangs on stands: see oidc.Grant.Stands
	reason  string          // why what was presented is not good, as oidc.Reason says it

	code    *Code                // the code that is issued or redeemed
	device  *deviceWithStanding  // what is redeemed by a device code
	refresh *tokens.RefreshToken // the refresh token that is used
	repeat  bool                 // it was used a moment ago by a client that may have lost the answer

	onDevice bool // the grant is that of a device without a browser, which is seen by this alone

	issued     *tokens.RefreshToken // the refresh token that is made
	issuedText string
	form       url.Values // what the token endpoint was sent
	presented  string     // the text of refresh

	fault     error // what went wrong where fosite does not listen
	elsewhere bool  // the refresh token was used a moment ago in another network, by the same client, which has a secret
	lost      bool  // another request used the code, or the refresh token elsewhere, a moment before
}

// readPerson returns the person of the grant, for an ID token. They were read with the grant, unless the client wants
// to know of people only where it asks for something by name.
func (w *work) readPerson(ctx context.Context) (*tokens.Person, error) {
	if w.person != nil && w.person.UserID != uuid.Nil || !tokens.NeedsPerson(w.client, w.grant) {
		return w.person, nil
	}
	return w.service.Tokens.PersonByID(ctx, w.client, w.grant.UserID)
}

type workKey struct{}

func withWork(ctx context.Context, w *work) context.Context {
	return context.WithValue(ctx, workKey{}, w)
}

func workOf(ctx context.Context) *work { return ctx.Value(workKey{}).(*work) }

// engineSession is what fosite calls a session: the grant that a request works on. Expiries are ours, so those that
// fosite sets are dropped.
type engineSession struct {
	grant  *oidc.Grant // nil for client_credentials
	claims jwt.IDTokenClaims
}

var _ openid.Session = (*engineSession)(nil)

func (s *engineSession) SetExpiresAt(fosite.TokenType, time.Time) {}
func (s *engineSession) GetExpiresAt(fosite.TokenType) time.Time  { return time.Time{} }
func (s *engineSession) GetUsername() string                      { return "" }
func (s *engineSession) IDTokenHeaders() *jwt.Headers             { return &jwt.Headers{} }
func (s *engineSession) Clone() fosite.Session                    { clone := *s; return &clone }

func (s *engineSession) GetSubject() string {
	if s.grant == nil {
		return ""
	}
	return s.grant.UserID.String()
}

// IDTokenClaims exists for the subject alone, which fosite wants to see: the ID token is ours.
func (s *engineSession) IDTokenClaims() *jwt.IDTokenClaims {
	s.claims.Subject = s.GetSubject()
	return &s.claims
}
