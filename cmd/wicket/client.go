package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"strings"

	"github.com/wicket-id/wicket/cmd/internal/server"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage"
)

type clientCommands struct {
	Create clientCreate `cmd:"" help:"Register an app. Prints its client_id, and its client_secret this once."`
	List   clientList   `cmd:"" help:"List the registered apps."`
	Delete clientDelete `cmd:"" help:"Delete an app with its consents, grants and tokens."`
}

type clientCreate struct {
	Name                  string   `required:"" help:"What people read when they are asked for consent."`
	ID                    string   `name:"id" help:"The client_id; left out, a new one is made."`
	RedirectURI           []string `name:"redirect-uri" sep:"none" help:"Where answers may go; matched exactly. Repeat it for several. Only client_credentials needs none."`
	PostLogoutRedirectURI []string `name:"post-logout-redirect-uri" sep:"none" help:"Where the browser may go after a logout. Repeat it for several."`
	Origin                []string `name:"origin" sep:"none" help:"An origin whose pages may call the token endpoint, besides those of the redirect URIs."`
	Scope                 []string `sep:"none" help:"What the app may ask for, and nothing else: name openid too. Repeat it for several; left out, all of Wicket's own but roles."`
	API                   []string `name:"api" sep:"none" placeholder:"IDENTIFIER" help:"An API that the app may ask for tokens for, besides those that are open to any: with all of its scopes, or with those that --scope names. Repeat it for several."`
	GrantType             []string `name:"grant-type" sep:"none" help:"authorization_code, refresh_token or client_credentials. Left out, the first two."`
	ResponseType          []string `name:"response-type" sep:"none" help:"What the app may ask for: code (default); where WICKET_RESPONSE_TYPES is all also 'id_token', 'id_token token', 'code id_token', 'code token', 'code id_token token' and none. Repeat it for several."`
	Public                bool     `help:"An app that cannot keep a secret: an SPA or a native app. It must use PKCE."`
	AuthMethod            string   `name:"auth-method" help:"client_secret_basic or client_secret_post, and nothing else; private_key_jwt; or none, which is --public. Left out, the app has a secret and may send it either way."`
	JWKS                  string   `name:"jwks" type:"existingfile" help:"File with the app's public keys as a JWK set, for private_key_jwt and signed requests."`
	JWKSURI               string   `name:"jwks-uri" help:"URL of the app's public keys, for the same."`
	IDTokenAlg            string   `name:"id-token-alg" help:"RS256 (default), ES256 or EdDSA."`
	IDTokenClaims         string   `name:"id-token-claims" help:"What ID tokens tell of people: scopes (default), what the granted scopes give, such as name and e-mail; minimal, only what the app asks for by the parameter claims. Userinfo tells all of it in any case."`
	UserinfoAlg           string   `name:"userinfo-alg" help:"RS256, ES256 or EdDSA: userinfo answers with a JWT signed so. Left out, with plain JSON."`
	ResponseAlg           string   `name:"response-alg" help:"The signature of answers that the app wants as JWTs (response_mode=jwt): RS256 (default), ES256 or EdDSA."`
	Trusted               bool     `help:"An app of your own: people are not asked for consent. Not for --public with a redirect URI on localhost or of a scheme of its own."`
	RequirePKCE           bool     `name:"require-pkce" help:"An app with a secret must use PKCE (S256) too. Of --public it is demanded anyway, and of all by WICKET_REQUIRE_PKCE."`
	IntrospectsAll        bool     `name:"introspects-all" help:"It may introspect the access tokens of all apps that are for this server itself. Those for an API are for its own --introspection-client alone."`
	RequirePAR            bool     `name:"require-par" help:"The app must push its authorization requests (RFC 9126). Of all apps it is demanded by WICKET_REQUIRE_PAR."`
	RequestObjectAlg      string   `name:"request-object-alg" help:"How the app signs request objects (RFC 9101), such as ES256; left out, as it likes; 'none' where they are not signed."`
	RequestURI            []string `name:"request-uri" sep:"none" help:"Where Wicket may fetch a request object of the app: an https URL. Repeat it for several."`
	RequireSignedRequest  bool     `name:"require-signed-request" help:"The app must sign its authorization requests. It needs --jwks or --jwks-uri."`
	RequiredACR           string   `name:"required-acr" help:"The weakest sign-in that it accepts: urn:wicket:acr:mfa for two factors, phr for a passkey or security key."`
	LogoURI               string   `name:"logo-uri" help:"https URL of the app's logo."`
	ClientURI             string   `name:"client-uri" help:"https URL of the app's home page."`
	PolicyURI             string   `name:"policy-uri" help:"https URL of the app's privacy policy."`
	TOSURI                string   `name:"tos-uri" help:"https URL of the app's terms of service."`

	BackchannelLogoutURI              string `name:"backchannel-logout-uri" help:"https URL where the app is told, by a signed logout token, that a person's session has ended, whoever ended it."`
	BackchannelLogoutSessionRequired  bool   `name:"backchannel-logout-session-required" help:"The app needs the session's sid in logout tokens. Wicket always says it."`
	FrontchannelLogoutURI             string `name:"frontchannel-logout-uri" help:"https URL that the browser opens in a frame when the person signs out, where WICKET_FRONTCHANNEL_LOGOUT is on."`
	FrontchannelLogoutSessionRequired bool   `name:"frontchannel-logout-session-required" help:"The app needs iss and sid there. Wicket always says them."`
}

// Run registers the app.
func (c clientCreate) Run(ctx context.Context, env server.Environment, out printer) error {
	s, ctx, err := server.Beside(ctx, env)
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	client := &clients.Client{
		ID: c.ID, Name: c.Name, AuthMethod: c.AuthMethod, GrantTypes: c.GrantType,
		ResponseTypes: c.ResponseType, RedirectURIs: c.RedirectURI,
		PostLogoutRedirectURIs: c.PostLogoutRedirectURI, AllowedOrigins: c.Origin, APIs: c.API,
		IntrospectsAll: c.IntrospectsAll, JWKSURI: c.JWKSURI,
		IDTokenAlg: c.IDTokenAlg, IDTokenClaims: c.IDTokenClaims, UserinfoAlg: c.UserinfoAlg,
		IsTrusted: c.Trusted, RequirePKCE: c.RequirePKCE, RequirePAR: c.RequirePAR, RequiredACR: c.RequiredACR,
		ResponseAlg: c.ResponseAlg, RequestObjectAlg: c.RequestObjectAlg, RequestURIs: c.RequestURI,
		RequireSignedRequest: c.RequireSignedRequest,
		LogoURI:              c.LogoURI, ClientURI: c.ClientURI, PolicyURI: c.PolicyURI, TOSURI: c.TOSURI,
		BackchannelLogoutURI:              c.BackchannelLogoutURI,
		BackchannelLogoutSessionRequired:  c.BackchannelLogoutSessionRequired,
		FrontchannelLogoutURI:             c.FrontchannelLogoutURI,
		FrontchannelLogoutSessionRequired: c.FrontchannelLogoutSessionRequired,
	}
	for i, identifier := range c.API {
		api, err := s.APIs.Find(ctx, identifier)
		if errors.Is(err, storage.ErrNotFound) {
			return noAPI(identifier)
		} else if err != nil {
			return err
		}
		client.APIs[i] = api.Identifier
	}
	for _, scope := range c.Scope {
		client.Scopes = append(client.Scopes, strings.Fields(scope)...)
	}
	if c.Public {
		if client.AuthMethod != "" && client.AuthMethod != clients.AuthNone {
			return usage("--public means --auth-method %s; leave one of them out", clients.AuthNone)
		}
		client.AuthMethod = clients.AuthNone
	}
	if c.JWKS != "" {
		if client.JWKS, err = os.ReadFile(c.JWKS); err != nil {
			return err
		}
	}
	secret, err := s.Clients.Create(ctx, client)
	if err != nil {
		return err
	}
	var more []clients.Member
	if secret != "" {
		more = append(more, clients.Member{Name: "client_secret", Value: secret})
	}
	described, err := client.Describe(more...)
	if err != nil {
		return err
	}
	return out.print(described, func() {
		out.line("issuer         %s", s.Provider.Issuer)
		out.line("client_id      %s", client.ID)
		if secret != "" {
			out.line("client_secret  %s", secret)
		}
		for _, uri := range client.RedirectURIs {
			out.line("redirect_uri   %s", uri)
		}
		if secret != "" {
			out.line("Keep the secret now: it is shown this once.")
		}
	})
}

type clientList struct{}

// Run lists the apps.
func (clientList) Run(ctx context.Context, env server.Environment, out printer) error {
	s, ctx, err := server.Beside(ctx, env)
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	registered, err := s.Clients.List(ctx)
	if err != nil {
		return err
	}
	described, rows := make([]json.RawMessage, len(registered)), make([][]any, len(registered))
	for i := range registered {
		c := &registered[i]
		if described[i], err = c.Describe(); err != nil {
			return err
		}
		pkce := "optional"
		if s.Provider.RequirePKCE || c.RequirePKCE || c.IsPublic() {
			pkce = "required"
		}
		rows[i] = []any{
			c.ID, c.Name, authMethod(c), pkce, strings.Join(c.GrantTypes, " "), strings.Join(c.RedirectURIs, " "),
		}
	}
	return out.print(described, func() {
		out.table([]any{"CLIENT_ID", "NAME", "AUTH METHOD", "PKCE", "GRANT TYPES", "REDIRECT URIS"}, rows)
	})
}

// authMethod is how an app proves who it is, for a table.
func authMethod(c *clients.Client) string {
	if c.AnySecretMethod {
		return clients.AuthBasic + ", " + clients.AuthPost
	}
	return c.AuthMethod
}

type clientDelete struct {
	ID string `arg:"" name:"client_id" help:"The app to delete."`
}

// Run deletes the app.
func (c clientDelete) Run(ctx context.Context, env server.Environment, out printer) error {
	s, ctx, err := server.Beside(ctx, env)
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	if err := s.Clients.Delete(ctx, c.ID); errors.Is(err, storage.ErrNotFound) {
		return notFound("there is no app with the client_id %q", c.ID)
	} else if err != nil {
		return err
	}
	return out.print(map[string]string{"client_id": c.ID, "status": "deleted"}, func() { out.line("Deleted %s.", c.ID) })
}
