package clients

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/keys"
	"github.com/wicket-id/wicket/oidc/redirection"
)

// maxEntries bounds what a client may be registered with.
const maxEntries = 500

// ErrRedirectURI says that what is wrong with a client is an address that people are to be sent to.
var ErrRedirectURI = errors.New("invalid redirect URI")

var (
	clientID   = regexp.MustCompile(`^[A-Za-z0-9._~-]{1,100}$`)
	scopeToken = regexp.MustCompile(`^[\x21\x23-\x5B\x5D-\x7E]{1,100}$`) // RFC 6749, section 3.3
)

// Complete fills in what was left out and says what is wrong with the rest, as an ErrClient. Its messages are for the
// person who registers the client.
func (c *Client) Complete() error {
	c.fillIn()
	for _, check := range []func() error{
		c.checkIdentity, c.checkGrants, c.checkAddresses, func() error { return checkSubjects(c) }, c.checkLogout,
		c.checkKeys, func() error { return checkAccess(c) }, func() error { return checkProfile(c) },
	} {
		if err := check(); err != nil {
			return fmt.Errorf("%w: %w", ErrClient, err)
		}
	}
	return nil
}

// fillIn chooses what was left out.
func (c *Client) fillIn() {
	if c.ID == "" {
		c.ID = uuid.NewString()
	}
	if c.Origin == "" {
		c.Origin = OriginOperator
	}
	c.Name = strings.TrimSpace(c.Name)
	fillInProfile(c)
	if c.AuthMethod == "" {
		c.AuthMethod, c.AnySecretMethod = AuthBasic, true
	}
	fillInGrants(c)
	if len(c.Scopes) == 0 && (redirects(c) || slices.Contains(c.GrantTypes, oidc.GrantDeviceCode)) {
		c.Scopes = oidc.EverydayScopes()
	}
	for _, alg := range []*string{&c.IDTokenAlg, &c.ResponseAlg} {
		if *alg == "" {
			*alg = string(jose.RS256)
		}
	}
	fillInEncryption(c)
	if c.SubjectType == "" {
		c.SubjectType = SubjectPublic
	}
	if c.IDTokenClaims == "" {
		c.IDTokenClaims = IDTokenScopes
	}
	fillInAccess(c)
	for _, list := range []*[]string{
		&c.RedirectURIs, &c.PostLogoutRedirectURIs, &c.AllowedOrigins, &c.Scopes, &c.APIs, &c.Contacts,
		&c.RequestURIs,
	} {
		if *list == nil {
			*list = []string{} // the column is not null
		}
	}
}

// fillInGrants chooses response types and grant types that were left out, so that they fit: RFC 7591, section 2.1.
func fillInGrants(c *Client) {
	if len(c.ResponseTypes) == 0 {
		c.ResponseTypes = []string{"code"}
	}
	code, front := false, false
	for i, asked := range c.ResponseTypes {
		if known := oidc.ResponseType(asked); known != "" {
			c.ResponseTypes[i] = known
		}
		code = code || strings.HasPrefix(c.ResponseTypes[i], "code")
		front = front || oidc.HasToken(asked)
	}
	if len(c.GrantTypes) == 0 && code {
		c.GrantTypes = []string{oidc.GrantCode, oidc.GrantRefreshToken}
	}
	if front && !slices.Contains(c.GrantTypes, oidc.GrantImplicit) {
		c.GrantTypes = append(slices.Clone(c.GrantTypes), oidc.GrantImplicit)
	}
	if c.GrantTypes == nil {
		c.GrantTypes = []string{} // response_type=none alone
	}
}

// redirects tells whether people are sent back to the client with an answer.
func redirects(c *Client) bool {
	return slices.Contains(c.GrantTypes, oidc.GrantCode) || slices.Contains(c.GrantTypes, oidc.GrantImplicit) ||
		slices.Contains(c.ResponseTypes, "none")
}

func (c *Client) checkIdentity() error {
	for _, text := range append([]string{c.Name, c.SoftwareID, c.SoftwareVersion}, c.Contacts...) {
		if oidc.CheckText(text) != nil || len(text) > 200 || strings.ContainsFunc(text, isUnseen) {
			return errors.New("names, contacts and what the software is called must be text of at most 200 bytes, without " +
				"control characters and others that cannot be seen")
		}
	}
	switch {
	case len(c.RedirectURIs)+len(c.PostLogoutRedirectURIs)+len(c.Contacts)+len(c.Scopes) > maxEntries:
		return fmt.Errorf("a client may have %d URIs, contacts and scopes at the most", maxEntries)
	case c.Origin != OriginDocument && !clientID.MatchString(c.ID):
		return errors.New("the id may have up to 100 letters, digits and . _ ~ -")
	case c.Name == "" || len(c.Name) > 200:
		return errors.New("the client needs a name of at most 200 bytes; people read it when they are asked for consent")
	case !slices.Contains(AuthMethods, c.AuthMethod):
		return fmt.Errorf("the authentication method %q is not one of %s", c.AuthMethod, strings.Join(AuthMethods, ", "))
	case c.AnySecretMethod && !c.HasSecret():
		return fmt.Errorf("with the authentication method %s there is no secret that could come by any method", c.AuthMethod)
	case !slices.Contains(IDTokenClaimsValues, c.IDTokenClaims):
		return fmt.Errorf("what ID tokens tell of people, %q, is not one of %s",
			c.IDTokenClaims, strings.Join(IDTokenClaimsValues, ", "))
	case c.RequiredACR != "" && !slices.Contains(identity.ACRs, c.RequiredACR):
		return fmt.Errorf("the authentication context class %q is not one of %s",
			c.RequiredACR, strings.Join(identity.ACRs, ", "))
	}
	return nil
}

// isUnseen tells whether a character changes how others are shown, or what a terminal does, and is not seen itself.
func isUnseen(r rune) bool { return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) }

func (c *Client) checkGrants() error {
	for _, grant := range c.GrantTypes {
		if !slices.Contains(oidc.GrantTypes, grant) && grant != oidc.GrantImplicit {
			return fmt.Errorf("the grant type %q is not one of %s", grant, strings.Join(oidc.GrantTypes, ", "))
		}
	}
	if c.IsPublic() && slices.Contains(c.GrantTypes, oidc.GrantClientCredentials) {
		return fmt.Errorf("a public client has no credentials, so it cannot use %s", oidc.GrantClientCredentials)
	}
	for _, asked := range c.ResponseTypes {
		if !slices.Contains(oidc.ResponseTypes, asked) {
			return fmt.Errorf("the response type %q is not one of %s", asked, strings.Join(oidc.ResponseTypes, ", "))
		}
	}
	if redirects(c) && len(c.RedirectURIs) == 0 {
		return errors.New("an app to which people are sent back needs at least one redirect URI")
	}
	for _, scope := range c.Scopes {
		if !scopeToken.MatchString(scope) {
			return fmt.Errorf("%q is not a scope", scope)
		}
	}
	return nil
}

func (c *Client) checkAddresses() error {
	for _, uri := range append(slices.Clone(c.RedirectURIs), c.PostLogoutRedirectURIs...) {
		if err := redirection.Check(uri); err != nil {
			return fmt.Errorf("%w: %w", ErrRedirectURI, err)
		}
	}
	if n := slices.IndexFunc(c.RedirectURIs, c.MayBeImpersonated); n >= 0 && c.IsTrusted {
		return fmt.Errorf("a public client cannot be trusted with the redirect URI %q: any program on a person's machine "+
			"can receive what is sent there, so people must be asked (RFC 8252, section 8.6)", c.RedirectURIs[n])
	}
	for _, origin := range c.AllowedOrigins {
		if oidc.OriginOf(origin) != origin {
			return fmt.Errorf("%q is not an origin, such as https://app.example.com", origin)
		}
	}
	for _, uri := range c.RequestURIs {
		if !oidc.IsWebURL(uri) || len(uri) > 512 {
			return fmt.Errorf("the request URI %q must be an https URL of at most 512 bytes", uri)
		}
	}
	for _, page := range []struct{ name, uri string }{
		{"logo", c.LogoURI}, {"client", c.ClientURI}, {"policy", c.PolicyURI}, {"terms of service", c.TOSURI},
		{"JWK set", c.JWKSURI},
	} {
		if page.uri != "" && !oidc.IsWebURL(page.uri) {
			return fmt.Errorf("the %s URI must be an https URL", page.name)
		}
	}
	// OpenID Connect Dynamic Client Registration, section 2: https, on this machine too.
	if uri := c.InitiateLoginURI; uri != "" && (!strings.HasPrefix(uri, "https://") || redirection.Check(uri) != nil) {
		return errors.New("the URI where a login starts must be an https URL without a fragment, a user name or a *")
	}
	return nil
}

// checkLogout looks at where the app wants to be told of logouts.
func (c *Client) checkLogout() error {
	for _, endpoint := range []struct{ name, uri string }{
		{"back-channel", c.BackchannelLogoutURI}, {"front-channel", c.FrontchannelLogoutURI},
	} {
		if endpoint.uri != "" && (!oidc.IsWebURL(endpoint.uri) || redirection.Check(endpoint.uri) != nil) {
			return fmt.Errorf("the %s logout URI must be an https URL without a fragment, a user name or a *", endpoint.name)
		}
	}
	if c.FrontchannelLogoutURI == "" {
		return nil
	}
	// Front-Channel Logout, section 2: it is shown in a frame with the cookies of the app.
	if !slices.ContainsFunc(c.RedirectURIs, func(uri string) bool {
		return oidc.OriginOf(uri) == oidc.OriginOf(c.FrontchannelLogoutURI)
	}) {
		return errors.New("the front-channel logout URI must have the scheme, host and port of one of the redirect URIs")
	}
	return nil
}

func (c *Client) checkKeys() error {
	if !slices.Contains(keys.SigningAlgs, jose.SignatureAlgorithm(c.IDTokenAlg)) {
		return fmt.Errorf("the algorithm of ID tokens %q is not RS256, ES256 or EdDSA", c.IDTokenAlg)
	}
	if !slices.Contains(keys.SigningAlgs, jose.SignatureAlgorithm(c.ResponseAlg)) {
		return fmt.Errorf("the algorithm of signed answers %q is not RS256, ES256 or EdDSA", c.ResponseAlg)
	}
	if c.UserinfoAlg != "" && !slices.Contains(keys.SigningAlgs, jose.SignatureAlgorithm(c.UserinfoAlg)) {
		return fmt.Errorf("the algorithm of userinfo %q is not RS256, ES256 or EdDSA", c.UserinfoAlg)
	}
	if c.AuthMethod == AuthPrivateKeyJWT && (c.JWKS == nil) == (c.JWKSURI == "") {
		return fmt.Errorf("%s needs the client's public keys: either a JWK set or the https URL of one", AuthPrivateKeyJWT)
	}
	if c.IntrospectionAlg != "" && !slices.Contains(keys.SigningAlgs, jose.SignatureAlgorithm(c.IntrospectionAlg)) {
		return fmt.Errorf("the algorithm of introspection answers %q is not RS256, ES256 or EdDSA", c.IntrospectionAlg)
	}
	if c.JWKS != nil {
		if _, err := parseJWKS(c.JWKS); err != nil {
			return err
		}
	}
	if err := checkEncryption(c); err != nil {
		return err
	}
	return checkRequestObjects(c)
}

// checkRequestObjects says what is wrong with how a client signs its authorization requests.
func checkRequestObjects(c *Client) error {
	alg := c.RequestObjectAlg
	switch signs := alg != "" && alg != AlgNone || c.RequireSignedRequest; {
	case alg != "" && alg != AlgNone && !slices.Contains(AssertionAlgs, jose.SignatureAlgorithm(alg)):
		return fmt.Errorf("the algorithm of request objects %q is not one of %s or none", alg, join(AssertionAlgs))
	case alg == AlgNone && c.RequireSignedRequest:
		return errors.New("request objects cannot be unsigned and have to be signed at once")
	case signs && c.JWKS == nil && c.JWKSURI == "":
		return errors.New("an app that signs its requests needs public keys: either a JWK set or the https URL of one")
	}
	return checkRequestEncryption(c)
}

// checkRequestEncryption says what is wrong with how a client encrypts its authorization requests. Those are signed
// too: anybody can encrypt for us.
func checkRequestEncryption(c *Client) error {
	switch how := c.RequestEncryption; {
	case how == Encryption{}:
		return nil
	case how.Alg == "":
		return errors.New("request_object_encryption_enc needs request_object_encryption_alg")
	case !slices.Contains(keys.EncryptionAlgs, jose.KeyAlgorithm(how.Alg)):
		return fmt.Errorf("request_object_encryption_alg %q is not one of %s", how.Alg, join(keys.EncryptionAlgs))
	case !slices.Contains(keys.EncryptionContentAlgs, jose.ContentEncryption(how.Enc)):
		return fmt.Errorf(
			"request_object_encryption_enc %q is not one of %s", how.Enc, join(keys.EncryptionContentAlgs),
		)
	case c.RequestObjectAlg == AlgNone:
		return errors.New("request objects cannot be encrypted and not signed: anybody can encrypt")
	case c.JWKS == nil && c.JWKSURI == "":
		return errors.New("an app that encrypts its requests signs them too, and needs public keys for that: " +
			"either a JWK set or the https URL of one")
	}
	return nil
}

// Prepare makes the server ready for a client that is complete, with the key that it is to encrypt with, or says what
// it may not be registered for here, as an ErrClient. It has no place in a transaction.
func (p *Store) Prepare(ctx context.Context, client *Client) error {
	if err := checkOffered(p.Provider, client); err != nil || client.RequestEncryption.Alg == "" {
		return err
	}
	return p.Keys.ProvideEncryption(ctx, jose.KeyAlgorithm(client.RequestEncryption.Alg))
}

// checkOffered says what a client that is complete may not be registered for here, as an ErrClient.
func checkOffered(p *oidc.Provider, client *Client) error {
	for _, uri := range slices.Concat(client.RedirectURIs, client.PostLogoutRedirectURIs) {
		if err := errors.Join(CheckRedirectScheme(client, uri, p.RedirectSchemes), p.CheckElsewhere(uri)); err != nil {
			return fmt.Errorf("%w: %w: %w", ErrClient, ErrRedirectURI, err)
		}
	}
	for _, asked := range client.ResponseTypes {
		if !slices.Contains(p.OfferedResponseTypes(), asked) {
			return fmt.Errorf("%w: the response type %q is not offered unless WICKET_RESPONSE_TYPES is all", ErrClient, asked)
		}
	}
	return nil
}
