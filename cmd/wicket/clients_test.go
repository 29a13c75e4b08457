package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
	"golang.org/x/oauth2"

	"github.com/wicket-id/wicket/oidc/clients"
)

// leaveOut skips a test for which this machine lacks something, and says what. Under `make test`
// (WICKET_TEST_COMPLETE=1) nothing may be left out, so there it fails.
func leaveOut(t testing.TB, reason string) {
	t.Helper()
	if os.Getenv("WICKET_TEST_COMPLETE") != "" {
		t.Fatal(reason)
	}
	t.Skip(reason)
}

const clientsFolder = "testdata/clients"

// npmPackages leaves the test out where the npm packages of testdata/clients are not installed.
func npmPackages(t testing.TB) {
	t.Helper()
	if _, err := os.Stat(filepath.Join(clientsFolder, "node_modules")); errors.Is(err, fs.ErrNotExist) {
		leaveOut(
			t,
			"the npm packages of the test clients are not installed (make test does it, or: npm ci in cmd/wicket/"+clientsFolder+")",
		)
	}
}

// Clients that others wrote for Node.js find everything where they expect it.
func TestNodeClients(t *testing.T) {
	npmPackages(t)
	node, err := exec.LookPath("node")
	if err != nil {
		leaveOut(t, "Node.js is not installed (Debian: apt-get install nodejs)")
	}
	key, keys := newClientKey(t)
	inEachHouse(t, func(t *testing.T, h *openHouse) {
		for _, c := range []struct{ script, method string }{
			{"openid-client", clients.AuthBasic},
			{"oauth4webapi", clients.AuthPost},
			{"oauth4webapi", clients.AuthBasic},
			{"private-key-jwt", clients.AuthPrivateKeyJWT},
		} {
			t.Run(c.script+" "+c.method, func(t *testing.T) {
				t.Parallel()
				client := h.client(t, func(client *clients.Client) {
					client.AuthMethod = c.method
					if c.method == clients.AuthPrivateKeyJWT {
						client.JWKS = keys
					}
				})
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				// Node.js 18 tries one address of localhost alone, and Debian's /etc/hosts may give ::1 first.
				script := exec.CommandContext(ctx, node, "--dns-result-order=ipv4first", c.script+".mjs")
				script.Dir = clientsFolder
				script.Env = append(os.Environ(), "ISSUER="+h.issuer, "USERNAME="+testUsername, "PASSWORD="+testPassword,
					"REDIRECT_URI="+testRedirect, "POST_LOGOUT_REDIRECT_URI="+testLogout, "AUTH_METHOD="+c.method,
					"CLIENT_ID="+client.ID, "CLIENT_SECRET="+client.secret, "CLIENT_ID_JWT="+client.ID, "PRIVATE_JWK="+key)
				out, err := script.CombinedOutput()
				t.Logf("%s", out)
				if err != nil {
					t.Error(err)
				}
			})
		}
	})
}

// newClientKey returns a private key as a JWK and the set that publishes it.
func newClientKey(t testing.TB) (private string, public []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	jwk := jose.JSONWebKey{Key: key, KeyID: "test key", Algorithm: string(jose.ES256), Use: "sig"}
	secret, err := jwk.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{jwk.Public()}})
	if err != nil {
		t.Fatal(err)
	}
	return string(secret), set
}

// A Go app with golang.org/x/oauth2 and go-oidc, for every algorithm of ID tokens.
func TestGoClient(t *testing.T) {
	inEachHouse(t, func(t *testing.T, h *openHouse) {
		for _, alg := range []string{gooidc.RS256, gooidc.ES256, gooidc.EdDSA} {
			t.Run(alg, func(t *testing.T) {
				ctx := t.Context()
				provider, err := gooidc.NewProvider(ctx, h.issuer)
				if err != nil {
					t.Fatal(err)
				}
				client := h.client(t, func(c *clients.Client) { c.IDTokenAlg, c.AuthMethod = alg, clients.AuthBasic })
				app := &oauth2.Config{
					ClientID: client.ID, ClientSecret: client.secret, Endpoint: provider.Endpoint(), RedirectURL: testRedirect,
					Scopes: []string{gooidc.ScopeOpenID, "profile", "email", gooidc.ScopeOfflineAccess},
				}
				verifier := provider.Verifier(&gooidc.Config{ClientID: client.ID, SupportedSigningAlgs: []string{alg}})
				pkce, nonce := oauth2.GenerateVerifier(), rand.Text()
				asked, err := url.Parse(app.AuthCodeURL("the-state", gooidc.Nonce(nonce), oauth2.S256ChallengeOption(pkce)))
				if err != nil {
					t.Fatal(err)
				}
				token, err := app.Exchange(ctx, h.browser(t).code(t, client, asked.Query()), oauth2.VerifierOption(pkce))
				if err != nil {
					t.Fatal(err)
				}
				idToken := verifiedIDToken(t, verifier, token)
				if idToken.Nonce != nonce || idToken.Subject != h.user.ID.String() {
					t.Errorf("ID token: nonce %q, sub %q", idToken.Nonce, idToken.Subject)
				}
				info, err := provider.UserInfo(ctx, app.TokenSource(ctx, token))
				if err != nil {
					t.Fatal(err)
				}
				if info.Subject != idToken.Subject || info.Email != testEmail || !info.EmailVerified {
					t.Errorf("userinfo: %+v", info)
				}
				expired := *token
				expired.Expiry = time.Now().Add(-time.Minute)
				renewed, err := app.TokenSource(ctx, &expired).Token()
				if err != nil {
					t.Fatal(err)
				}
				if renewed.AccessToken == token.AccessToken || renewed.RefreshToken == token.RefreshToken {
					t.Error("the refresh gave the same tokens again")
				}
				if again := verifiedIDToken(t, verifier, renewed); again.Subject != idToken.Subject {
					t.Errorf("ID token of the refresh: sub %q", again.Subject)
				}
			})
		}
	})
}

// verifiedIDToken checks the ID token that came with an access token, and that the two belong together.
func verifiedIDToken(t testing.TB, verifier *gooidc.IDTokenVerifier, token *oauth2.Token) *gooidc.IDToken {
	t.Helper()
	raw, _ := token.Extra("id_token").(string)
	idToken, err := verifier.Verify(t.Context(), raw)
	if err != nil {
		t.Fatal(err)
	}
	if err := idToken.VerifyAccessToken(token.AccessToken); err != nil {
		t.Errorf("at_hash: %v", err)
	}
	return idToken
}
