// Package check looks at a running Wicket from outside: whether what apps and people need works there. Begin with Run.
package check

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/wicket-id/wicket/cmd/internal/server"
	"github.com/wicket-id/wicket/web"
)

// Target is the Wicket to look at, and the person to sign in there, if any.
type Target struct {
	Issuer           string // as apps know it
	Through          string // an address to reach it at instead, without DNS and TLS; or empty
	Username         string // whom to sign in and out again; empty: nobody
	PasswordFile     string
	ClientID         string // the app to sign in to
	ClientSecretFile string // empty: a public app
	RedirectURI      string // one of the app's; nothing is sent there
}

// ErrThrough says that Target.Through is not the address of a server.
var ErrThrough = errors.New("must be an address such as http://wicket:8080")

// check is a Wicket that is looked at as an app and its person see it: from outside, by the protocol alone.
type check struct {
	Target
	env      server.Environment
	provider *oidc.Provider
	browser  *browser
	endpoint struct { // what discovery says besides the endpoints that the library reads
		Keys       string `json:"jwks_uri"`
		EndSession string `json:"end_session_endpoint"`
	}
}

// Step is one thing that was found to be right.
type Step struct {
	Step   string `json:"step"`
	Detail string `json:"detail"`
}

// Run checks discovery, the published keys and the proxy in front, and signs a person in where one is named. It stops
// at the first thing that is not as it should be, and says what that is. It returns ErrThrough for a bad address.
func Run(ctx context.Context, target Target, env server.Environment) ([]Step, error) {
	browser, err := newBrowser(target.Issuer, target.Through, target.RedirectURI)
	if err != nil {
		return nil, err
	}
	looked := &check{Target: target, env: env, browser: browser}
	ctx = oidc.ClientContext(ctx, &http.Client{Transport: browser.Transport})
	steps := []struct {
		name string
		do   func(context.Context) (string, error)
	}{
		{"discovery", looked.discovery}, {"keys", looked.keys}, {"proxy", looked.proxy}, {"sign-in", looked.signIn},
	}
	if target.Username == "" {
		steps = steps[:3]
	}
	var done []Step
	for _, step := range steps {
		detail, err := step.do(ctx)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", step.name, err)
		}
		done = append(done, Step{step.name, detail})
	}
	return done, nil
}

// discovery reads the metadata, whose issuer must be the one that was asked: OpenID Connect Discovery, section 4.3.
func (c *check) discovery(ctx context.Context) (string, error) {
	var err error
	if c.provider, err = oidc.NewProvider(ctx, c.Issuer); err != nil {
		return "", err
	}
	return c.Issuer, c.provider.Claims(&c.endpoint)
}

// keys sees whether there is a key for each algorithm by which ID tokens may be signed.
func (c *check) keys(ctx context.Context) (string, error) {
	response, err := c.browser.get(ctx, c.endpoint.Keys)
	if err != nil {
		return "", err
	}
	var set struct {
		Keys []struct {
			KID string `json:"kid"`
			Alg string `json:"alg"`
		} `json:"keys"`
	}
	if err := json.Unmarshal([]byte(response.body), &set); err != nil || response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s answers %s, and no key set", c.endpoint.Keys, response.Status)
	}
	published := map[string]bool{}
	for _, key := range set.Keys {
		published[key.Alg] = true
	}
	var supported struct {
		Algs []string `json:"id_token_signing_alg_values_supported"`
	}
	if err := c.provider.Claims(&supported); err != nil {
		return "", err
	}
	for _, alg := range supported.Algs {
		if !published[alg] {
			return "", fmt.Errorf("%s holds no key for %s", c.endpoint.Keys, alg)
		}
	}
	return fmt.Sprintf("%d published, for %s", len(set.Keys), strings.Join(supported.Algs, ", ")), nil
}

// proxy sees whether the server takes the address of visitors from the proxy in front of it. It would otherwise take
// all visitors for one, so that one of them could use up the limits of all. That is told to who has the master key.
func (c *check) proxy(ctx context.Context) (string, error) {
	var proof string
	if config, err := server.Load(c.env); err == nil && config.Seal != nil { // else it is told no more than anybody
		proof = web.OperatorProof(config.Seal, c.Issuer, time.Now())
	}
	response, err := c.browser.getAs(ctx, c.Issuer+"/healthz", proof)
	switch {
	case err != nil:
		return "", err
	case response.StatusCode != http.StatusOK || !strings.HasPrefix(response.body, "ok"):
		return "cannot be told: " + c.Issuer + "/healthz leads elsewhere", nil
	case strings.Contains(response.body, web.ProxyUntrusted):
		return "", errors.New("WICKET_TRUSTED_PROXIES does not name the proxy in front of the server: name it, or the " +
			"network that it is in, or all visitors share the limits of one")
	case strings.Contains(response.body, web.ProxyTrusted):
		return "trusted, or none", nil
	}
	return "not told: run this with the server's WICKET_SECRET, as where it runs", nil
}

// signIn goes the whole way of a person and their app: the authorization code flow with PKCE, the ID token, userinfo.
// Then it signs out, so that a check leaves no session behind.
func (c *check) signIn(ctx context.Context) (detail string, err error) {
	app, err := c.app()
	if err != nil {
		return "", err
	}
	state, nonce, verifier := rand.Text(), rand.Text(), oauth2.GenerateVerifier()
	code, err := c.authorize(ctx, app.AuthCodeURL(state, oidc.Nonce(nonce), oauth2.S256ChallengeOption(verifier)), state)
	if err != nil {
		return "", err
	}
	tokens, err := app.Exchange(ctx, code, oauth2.VerifierOption(verifier))
	if err != nil {
		return "", fmt.Errorf("change the code for tokens: %w", err)
	}
	raw, _ := tokens.Extra("id_token").(string)
	defer func() { err = errors.Join(err, c.signOut(ctx, raw)) }()
	idToken, err := c.provider.VerifierContext(ctx, &oidc.Config{ClientID: c.ClientID}).Verify(ctx, raw)
	if err != nil {
		return "", fmt.Errorf("verify the ID token: %w", err)
	}
	if idToken.Nonce != nonce {
		return "", errors.New("the ID token belongs to another sign-in: its nonce differs")
	}
	person, err := c.provider.UserInfo(ctx, oauth2.StaticTokenSource(tokens))
	if err != nil {
		return "", fmt.Errorf("userinfo: %w", err)
	}
	if person.Subject != idToken.Subject {
		return "", errors.New("userinfo is about somebody else than the ID token")
	}
	return fmt.Sprintf("%s is %s", c.Username, idToken.Subject), nil
}

// app is the app that the person signs in to.
func (c *check) app() (*oauth2.Config, error) {
	app := &oauth2.Config{
		ClientID: c.ClientID, RedirectURL: c.RedirectURI, Endpoint: c.provider.Endpoint(), Scopes: []string{oidc.ScopeOpenID},
	}
	app.Endpoint.AuthStyle = oauth2.AuthStyleInParams // a public client names itself in the form
	if c.ClientSecretFile != "" {
		secret, err := os.ReadFile(c.ClientSecretFile)
		if err != nil {
			return nil, err
		}
		app.ClientSecret, app.Endpoint.AuthStyle = strings.TrimSpace(string(secret)), oauth2.AuthStyleInHeader
	}
	return app, nil
}

// authorize takes the browser through the pages until it is sent back to the app with a code, and returns the code.
func (c *check) authorize(ctx context.Context, to, state string) (code string, err error) {
	password, err := os.ReadFile(c.PasswordFile)
	if err != nil {
		return "", err
	}
	shown, err := c.browser.get(ctx, to)
	if err == nil && shown.has("sign-in") {
		filled := url.Values{"username": {c.Username}, "password": {strings.TrimRight(string(password), "\r\n")}}
		shown, err = c.browser.press(ctx, shown, "sign-in", filled)
	}
	for _, button := range []string{"allow", "continue-to-app"} {
		if err == nil && shown.has(button) {
			shown, err = c.browser.press(ctx, shown, button, nil)
		}
	}
	if err != nil {
		return "", err
	}
	answer, err := shown.Location()
	switch {
	case shown.has("verify"):
		return "", fmt.Errorf("%s has a second factor, which this check cannot give; use an account without", c.Username)
	case err != nil:
		return "", fmt.Errorf("no way back to the app, but a page: %s", shown.heading())
	case answer.Query().Get("error") != "":
		return "", fmt.Errorf("%s: %s", answer.Query().Get("error"), answer.Query().Get("error_description"))
	case answer.Query().Get("state") != state || answer.Query().Get("iss") != c.Issuer: // RFC 9207, section 2.4
		return "", errors.New("the answer is not to what was asked: its state or iss differs")
	}
	return answer.Query().Get("code"), nil
}

// signOut ends the session: OpenID Connect RP-Initiated Logout, section 2.
func (c *check) signOut(ctx context.Context, idToken string) error {
	shown, err := c.browser.get(ctx, c.endpoint.EndSession+"?"+url.Values{"id_token_hint": {idToken}}.Encode())
	if err == nil && (shown.StatusCode != http.StatusOK || shown.has("sign-out")) {
		err = fmt.Errorf("a page: %s", shown.heading())
	}
	if err != nil {
		return fmt.Errorf("sign out: %w", err)
	}
	return nil
}
