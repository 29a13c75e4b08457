package clientflags

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/wicket-id/wicket/cmd/internal/exit"
	"github.com/wicket-id/wicket/cmd/internal/server"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage"
)

// Settings are what can be said of an app; nil: nothing.
type Settings struct {
	Told
	Requests
	Access

	RedirectURI           []string `name:"redirect-uri" sep:"none" help:"Where answers may go; matched exactly. Repeat it for several. client_credentials and device codes need none."`
	PostLogoutRedirectURI []string `name:"post-logout-redirect-uri" sep:"none" help:"Where the browser may go after a logout. Repeat it for several."`
	Origin                []string `name:"origin" sep:"none" help:"An origin whose pages may call the token endpoint, besides those of the redirect URIs."`
	Scope                 []string `sep:"none" help:"What the app may ask for, and nothing else: name openid too. Several by commas, or repeated; left out, all of Wicket's own but roles and groups."`
	API                   []string `name:"api" sep:"none" placeholder:"IDENTIFIER" help:"An API that the app may ask for tokens for, besides those that are open to any: with all of its scopes, or with those that --scope names. Repeat it for several."`
	GrantType             []string `name:"grant-type" sep:"none" help:"authorization_code, refresh_token, client_credentials, or urn:ietf:params:oauth:grant-type:device_code for devices without a browser. Left out, the first two."`
	ResponseType          []string `name:"response-type" sep:"none" help:"What the app may ask for: code (default); where WICKET_RESPONSE_TYPES is all also 'id_token', 'id_token token', 'code id_token', 'code token', 'code id_token token' and none. Repeat it for several."`
	Public                *bool    `negatable:"" help:"An app that cannot keep a secret: an SPA or a native app. It must use PKCE."`
	AuthMethod            *string  `name:"auth-method" help:"client_secret_basic or client_secret_post, and nothing else; private_key_jwt; or none, which is --public. Left out or empty, the app has a secret and may send it either way."`
	JWKS                  *string  `name:"jwks" placeholder:"FILE" help:"File with the app's public keys as a JWK set, for private_key_jwt, signed requests and what is encrypted for the app."`
	JWKSURI               *string  `name:"jwks-uri" help:"URL of the app's public keys, for the same."`
	Trusted               *bool    `negatable:"" help:"An app of your own: people are not asked for consent. Not for --public with a redirect URI on localhost or of a scheme of its own."`
	RequirePKCE           *bool    `name:"require-pkce" negatable:"" help:"An app with a secret must use PKCE (S256) too. Of --public it is demanded anyway, and of all by WICKET_REQUIRE_PKCE."`
	IntrospectsAll        *bool    `name:"introspects-all" negatable:"" help:"It may introspect the access tokens of all apps that are for this server itself. Those for an API are for its own --introspection-client alone."`
	RequiredACR           *string  `name:"required-acr" help:"The weakest sign-in that it accepts: urn:wicket:acr:mfa for two factors, phr for a passkey or security key."`
	LogoURI               *string  `name:"logo-uri" help:"https URL of the app's logo."`
	ClientURI             *string  `name:"client-uri" help:"https URL of the app's home page."`
	PolicyURI             *string  `name:"policy-uri" help:"https URL of the app's privacy policy."`
	TOSURI                *string  `name:"tos-uri" help:"https URL of the app's terms of service."`
	InitiateLoginURI      *string  `name:"initiate-login-uri" help:"https URL of the app that begins a sign-in when somebody else sends people there; people open the app by it from their list of apps."`
}

// Validate refuses two methods at once.
func (c *Settings) Validate() error {
	if c.Public != nil && c.AuthMethod != nil && *c.Public != (*c.AuthMethod == clients.AuthNone) {
		return fmt.Errorf("--public means --auth-method %s; leave one of them out", clients.AuthNone)
	}
	return nil
}

// Apply changes an app as the settings say, and writes to warnings what may be a mistake. Its errors have an exit code.
func (c *Settings) Apply(
	ctx context.Context, s *server.Server, client *clients.Client, warnings io.Writer,
) error {
	c.Told.apply(client)
	c.Requests.apply(client)
	for to, from := range map[*string]*string{
		&client.JWKSURI: c.JWKSURI, &client.RequiredACR: c.RequiredACR, &client.LogoURI: c.LogoURI,
		&client.ClientURI: c.ClientURI, &client.PolicyURI: c.PolicyURI, &client.TOSURI: c.TOSURI,
		&client.InitiateLoginURI: c.InitiateLoginURI,
	} {
		if from != nil {
			*to = *from
		}
	}
	for to, from := range map[*bool]*bool{
		&client.IsTrusted: c.Trusted, &client.RequirePKCE: c.RequirePKCE, &client.IntrospectsAll: c.IntrospectsAll,
	} {
		if from != nil {
			*to = *from
		}
	}
	for to, from := range map[*[]string][]string{
		&client.RedirectURIs: c.RedirectURI, &client.PostLogoutRedirectURIs: c.PostLogoutRedirectURI,
		&client.AllowedOrigins: c.Origin, &client.GrantTypes: c.GrantType,
		&client.ResponseTypes: c.ResponseType,
	} {
		if from != nil {
			*to = slices.DeleteFunc(slices.Clone(from), func(value string) bool { return value == "" })
		}
	}
	c.applyMethod(client)
	return errors.Join(
		c.applyKeys(client), c.applyAPIs(ctx, s, client), c.applyScopes(ctx, s, client, warnings),
		c.Access.apply(ctx, s, client, warnings),
	)
}

// applyScopes takes scopes by commas, by spaces and repeated alike, and warns of those that nothing gives a meaning to.
func (c *Settings) applyScopes(
	ctx context.Context, s *server.Server, client *clients.Client, warnings io.Writer,
) error {
	if c.Scope == nil {
		return nil
	}
	client.Scopes = strings.FieldsFunc(strings.Join(c.Scope, " "), func(r rune) bool { return r == ',' || r == ' ' })
	known := make(map[string]bool)
	for _, scope := range oidc.Scopes {
		known[scope.Name] = true
	}
	list, err := s.APIs.List(ctx)
	for _, api := range list {
		for _, scope := range api.Scopes {
			known[scope.Name] = true
		}
	}
	for _, scope := range client.Scopes {
		if err == nil && !known[scope] {
			warn(warnings, "the scope %q is neither Wicket's nor that of a registered API: it means something to your own API alone", scope)
		}
	}
	return err
}

// applyMethod says how the app proves who it is. An empty method is a secret that may come either way.
func (c *Settings) applyMethod(client *clients.Client) {
	method, none, either := c.AuthMethod, clients.AuthNone, ""
	if c.Public != nil {
		switch {
		case *c.Public:
			method = &none
		case method == nil && client.IsPublic():
			method = &either
		}
	}
	if method != nil {
		client.AuthMethod, client.AnySecretMethod = *method, false
	}
}

// applyKeys reads the app's keys. Keys and the URL of keys are alternatives: the one that is named replaces the other.
func (c *Settings) applyKeys(client *clients.Client) (err error) {
	if c.JWKS == nil && c.JWKSURI != nil && *c.JWKSURI != "" {
		client.JWKS = nil
	}
	if c.JWKS == nil {
		return nil
	}
	if client.JWKS = nil; *c.JWKS == "" {
		return nil
	}
	if c.JWKSURI == nil {
		client.JWKSURI = ""
	}
	if client.JWKS, err = os.ReadFile(*c.JWKS); err != nil {
		return exit.Usage("--jwks: %w", err)
	}
	return nil
}

// applyAPIs looks up the APIs that the app may ask for tokens for.
func (c *Settings) applyAPIs(ctx context.Context, s *server.Server, client *clients.Client) error {
	if c.API == nil {
		return nil
	}
	client.APIs = nil
	for _, identifier := range c.API {
		if identifier == "" {
			continue
		}
		api, err := s.APIs.Find(ctx, identifier)
		if errors.Is(err, storage.ErrNotFound) {
			return exit.NotFound("there is no API with the identifier %q", identifier)
		} else if err != nil {
			return err
		}
		client.APIs = append(client.APIs, api.Identifier)
	}
	return nil
}

// warn tells of what may be a mistake.
func warn(warnings io.Writer, format string, args ...any) {
	_, _ = fmt.Fprintf(warnings, "wicket: warning: "+format+"\n", args...)
}
