// Package login signs a person in on the command line, by the device authorization grant (RFC 8628): they open a page
// of the server in a browser, on whichever machine, and the command gets tokens. Begin with Store.SignIn.
package login

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	wicket "github.com/wicket-id/wicket/oidc"
)

// ClientID is the public client that a server has for this where its operator wants it: WICKET_LOGIN_COMMAND.
const ClientID = "wicket-cli"

// Scopes are what is asked for.
var Scopes = []string{"openid", "profile", "email", "offline_access"}

// ErrNotSignedIn says that nobody is signed in at a server from here, or not any more.
var ErrNotSignedIn = errors.New("you are not signed in; wicket login signs you in")

// DefaultIssuer is where a Wicket is that was told nothing.
const DefaultIssuer = "http://localhost:8080"

// SignIn signs a person in at an issuer, as an app and for scopes, and keeps the tokens; "" and nil are DefaultIssuer
// and Scopes. It calls show once, and then waits until they have decided. It returns who they are, as the claims of
// their ID token, and where.
func (s Store) SignIn(
	ctx context.Context, issuer, clientID string, scopes []string, show func(Prompt),
) (claims map[string]any, at string, err error) {
	if issuer == "" {
		issuer = DefaultIssuer
	}
	if len(scopes) == 0 {
		scopes = Scopes
	}
	claims, err = s.signIn(ctx, issuer, clientID, scopes, show)
	return claims, issuer, fromServer(err)
}

func (s Store) signIn(
	ctx context.Context, issuer, clientID string, scopes []string, show func(Prompt),
) (map[string]any, error) {
	server, err := discover(ctx, issuer, clientID)
	if err != nil {
		return nil, err
	}
	if server.config.Endpoint.DeviceAuthURL == "" {
		return nil, fmt.Errorf("%s does not sign in devices (RFC 8628)", issuer)
	}
	ctx = server.reach(ctx)
	server.config.Scopes = scopes
	asked, err := server.config.DeviceAuth(ctx)
	if err != nil {
		return nil, server.explain(err)
	}
	prompt, err := server.prompt(asked)
	if err != nil {
		return nil, err
	}
	show(prompt)
	token, err := server.config.DeviceAccessToken(ctx, asked) // which heeds the interval and slow_down
	if err != nil {
		return nil, server.explain(err)
	}
	text, _ := token.Extra("id_token").(string)
	idToken, err := server.provider.Verifier(&oidc.Config{ClientID: clientID}).Verify(ctx, text)
	if err != nil {
		return nil, fmt.Errorf("the ID token of %s: %w", issuer, err)
	}
	claims := map[string]any{}
	if err := idToken.Claims(&claims); err != nil {
		return nil, err
	}
	var replaced signedIn
	err = s.change(func(k *kept) error {
		replaced = k.Servers[issuer]
		k.Current, k.Servers[issuer] = issuer, newSignedIn(clientID, token, "")
		return nil
	})
	if err == nil && replaced.RefreshToken != "" { // nobody could end it from here any more
		_ = server.revoke(ctx, replaced)
	}
	return claims, err
}

// newSignedIn is what is kept of tokens. An answer without a new refresh token leaves the one of before.
func newSignedIn(clientID string, token *oauth2.Token, before string) signedIn {
	in := signedIn{
		ClientID: clientID, AccessToken: token.AccessToken, ExpiresAt: token.Expiry, RefreshToken: token.RefreshToken,
	}
	if in.RefreshToken == "" {
		in.RefreshToken = before
	}
	return in
}

// Token returns an access token that is good for a while at an issuer, or at the one that was signed in to last where
// it is empty. It returns ErrNotSignedIn.
func (s Store) Token(ctx context.Context, issuer string) (token, at string, err error) {
	err = s.change(func(k *kept) error {
		if at, err = k.issuerOr(issuer); err != nil {
			return err
		}
		in := k.Servers[at]
		if time.Until(in.ExpiresAt) < renewBefore { // another command may have renewed it just now
			if in, err = renewed(ctx, at, in); err != nil {
				return err
			}
			k.Servers[at] = in
		}
		token = in.AccessToken
		return nil
	})
	return token, at, fromServer(err)
}

// renewBefore is how long an access token must be good for at the least.
const renewBefore = 30 * time.Second

// renewed fetches new tokens with the refresh token.
func renewed(ctx context.Context, issuer string, in signedIn) (signedIn, error) {
	if in.RefreshToken == "" {
		return in, ErrNotSignedIn
	}
	server, err := discover(ctx, issuer, in.ClientID)
	if err != nil {
		return in, err
	}
	token, err := server.config.TokenSource(server.reach(ctx), &oauth2.Token{RefreshToken: in.RefreshToken}).Token()
	if refused := (*oauth2.RetrieveError)(nil); errors.As(err, &refused) && refused.ErrorCode == "invalid_grant" {
		return in, ErrNotSignedIn
	} else if err != nil {
		return in, server.explain(err)
	}
	return newSignedIn(in.ClientID, token, in.RefreshToken), nil
}

// WhoAmI asks an issuer who is signed in there from here, and returns the claims. It returns ErrNotSignedIn.
func (s Store) WhoAmI(ctx context.Context, issuer string) (claims map[string]any, at string, err error) {
	token, at, err := s.Token(ctx, issuer)
	if err != nil {
		return nil, at, err
	}
	server, err := discover(ctx, at, "")
	if err != nil {
		return nil, at, fromServer(err)
	}
	info, err := server.provider.UserInfo(
		server.reach(ctx), oauth2.StaticTokenSource(&oauth2.Token{AccessToken: token, TokenType: "Bearer"}),
	)
	if err != nil {
		if strings.HasPrefix(err.Error(), "401") {
			return nil, at, ErrNotSignedIn
		}
		return nil, at, fromServer(fmt.Errorf("ask %s: %w", at, err))
	}
	return claims, at, info.Claims(&claims)
}

// SignOut takes the tokens of an issuer back and forgets them. What the server says is no error: they are forgotten all
// the same, and told is false. It returns ErrNotSignedIn.
func (s Store) SignOut(ctx context.Context, issuer string) (at string, told bool, err error) {
	var in signedIn
	err = s.change(func(k *kept) error {
		if at, err = k.issuerOr(issuer); err != nil {
			return err
		}
		in = k.Servers[at]
		delete(k.Servers, at)
		if k.Current == at {
			k.Current = ""
		}
		return nil
	})
	if err != nil {
		return at, false, err
	}
	server, err := discover(ctx, at, in.ClientID)
	if err == nil {
		err = server.revoke(server.reach(ctx), in)
	}
	return at, err == nil, nil
}

// server is an issuer as it describes itself.
type server struct {
	issuer   string
	client   *http.Client
	provider *oidc.Provider
	config   oauth2.Config
}

// discover reads what an issuer says of itself.
func discover(ctx context.Context, issuer, clientID string) (*server, error) {
	if err := wicket.CheckIssuer(issuer); err != nil {
		return nil, fmt.Errorf("%q: %w", issuer, err)
	}
	s := &server{issuer: issuer, client: &http.Client{
		Transport:     bounded{http.DefaultTransport},
		Timeout:       30 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	var err error
	if s.provider, err = oidc.NewProvider(s.reach(ctx), issuer); err != nil {
		return nil, fmt.Errorf("%s does not answer as an OpenID Provider: %w", issuer, err)
	}
	s.config = oauth2.Config{ClientID: clientID, Endpoint: s.provider.Endpoint()}
	s.config.Endpoint.AuthStyle = oauth2.AuthStyleInParams
	return s, nil
}

func (s *server) reach(ctx context.Context) context.Context { return oidc.ClientContext(ctx, s.client) }

var userCode = regexp.MustCompile(`^[A-Za-z0-9-]{1,40}$`)

// prompt is what the person is told. It is opened in their browser and printed in their terminal, so a server may name
// pages of its own alone.
func (s *server) prompt(asked *oauth2.DeviceAuthResponse) (Prompt, error) {
	prompt := Prompt{
		URL: asked.VerificationURIComplete, PlainURL: asked.VerificationURI, Code: asked.UserCode, ExpiresAt: asked.Expiry,
	}
	if prompt.URL == "" {
		prompt.URL = prompt.PlainURL
	}
	for _, page := range []string{prompt.URL, prompt.PlainURL} {
		parsed, err := url.Parse(page)
		if err != nil || !strings.HasPrefix(page, s.issuer+"/") || parsed.String() != page {
			return prompt, fmt.Errorf("%s sends people to %q, which is not a page of its own", s.issuer, page)
		}
	}
	if !userCode.MatchString(prompt.Code) {
		return prompt, fmt.Errorf("the code of %s, %q, is not one that can be shown", s.issuer, prompt.Code)
	}
	return prompt, nil
}

// revoke gives tokens back: RFC 7009.
func (s *server) revoke(ctx context.Context, in signedIn) error {
	var metadata struct {
		Endpoint string `json:"revocation_endpoint"`
	}
	if err := s.provider.Claims(&metadata); err != nil || metadata.Endpoint == "" {
		return errors.Join(err, errors.New("the server takes no tokens back"))
	}
	token := in.RefreshToken
	if token == "" {
		token = in.AccessToken
	}
	form := url.Values{"client_id": {in.ClientID}, "token": {token}}
	request, err := http.NewRequestWithContext(
		ctx, http.MethodPost, metadata.Endpoint, strings.NewReader(form.Encode()),
	)
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := s.client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the server answered %s", response.Status)
	}
	return nil
}

// explain says what a person can do about an error of the protocol.
func (s *server) explain(err error) error {
	refused := (*oauth2.RetrieveError)(nil)
	if !errors.As(err, &refused) {
		return err
	}
	code, description := refused.ErrorCode, refused.ErrorDescription
	if code == "" { // as an endpoint says it that is not the token endpoint
		var said struct {
			Code        string `json:"error"`
			Description string `json:"error_description"`
		}
		_ = json.Unmarshal(refused.Body, &said)
		code, description = said.Code, said.Description
	}
	switch code {
	case "access_denied":
		return errors.New("the request was denied")
	case "expired_token":
		return errors.New("nobody has decided in time; run the command again")
	case "invalid_client", "unauthorized_client":
		return fmt.Errorf("%s has no app %q for this: its operator can set WICKET_LOGIN_COMMAND=on, or you name another "+
			"by --client-id", s.issuer, s.config.ClientID)
	case "":
		return fmt.Errorf("%s answered %s", s.issuer, refused.Response.Status)
	}
	return fmt.Errorf("%s answered %q: %q", s.issuer, code, description)
}
