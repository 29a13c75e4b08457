package protocol

import (
	"context"
	"crypto/rand"
	"net/url"
	"os"
	"os/exec"
	"testing"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/oidc/clients"
)

// Clients that others wrote for Node.js find everything where they expect it.
func TestNodeClients(t *testing.T) {
	t.Parallel()
	key, keys := harness.NewClientKey(t)
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		for _, c := range []struct{ script, method string }{
			{"openid-client", clients.AuthBasic},
			{"oauth4webapi", clients.AuthPost},
			{"oauth4webapi", clients.AuthBasic},
			{"private-key-jwt", clients.AuthPrivateKeyJWT},
		} {
			t.Run(c.script+" "+c.method, func(t *testing.T) {
				t.Parallel()
				runNodeClient(t, h, c.script, key, h.AddClient(t, func(client *clients.Client) {
					client.AuthMethod = c.method
					if c.method == clients.AuthPrivateKeyJWT {
						client.JWKS = keys
					}
				}))
			})
		}
	})
}

// One of them sends its requests, and has them answered, in every way that it knows.
func TestNodeClientInEveryWay(t *testing.T) {
	t.Parallel()
	key, keys := harness.NewClientKey(t)
	withAllResponseTypes(t, func(t *testing.T, h *harness.Server) {
		runNodeClient(t, h, "requests", key, h.AddClient(t, func(client *clients.Client) {
			client.AuthMethod, client.JWKS = clients.AuthPrivateKeyJWT, keys
			client.ResponseTypes = []string{"code", "id_token", "code id_token"}
		}))
	})
}

// runNodeClient runs a script of ClientsFolder as that client, with its private key.
func runNodeClient(t *testing.T, h *harness.Server, name, key string, client harness.Client) {
	t.Helper()
	runNode(t, name, "ISSUER="+h.Issuer, "USERNAME="+harness.Username, "PASSWORD="+harness.Password,
		"REDIRECT_URI="+harness.RedirectURI, "POST_LOGOUT_REDIRECT_URI="+harness.LogoutURI, "AUTH_METHOD="+client.AuthMethod,
		"CLIENT_ID="+client.ID, "CLIENT_SECRET="+client.Secret, "CLIENT_ID_JWT="+client.ID, "PRIVATE_JWK="+key)
}

// runNode runs a script of ClientsFolder with these variables.
func runNode(t *testing.T, name string, variables ...string) {
	t.Helper()
	harness.NeedNPMPackages(t)
	node, err := exec.LookPath("node")
	if err != nil {
		harness.LeaveOut(t, "Node.js is not installed (Debian: apt-get install nodejs)")
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	// Node.js 18 tries one address of localhost alone, and Debian's /etc/hosts may give ::1 first.
	script := exec.CommandContext(ctx, node, "--dns-result-order=ipv4first", name+".mjs")
	script.Dir = harness.ClientsFolder
	script.Env = append(os.Environ(), variables...)
	out, err := script.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Error(err)
	}
}

// A Go app with golang.org/x/oauth2 and go-oidc, for every algorithm of ID tokens.
func TestGoClient(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		for _, alg := range []string{gooidc.RS256, gooidc.ES256, gooidc.EdDSA} {
			t.Run(alg, func(t *testing.T) {
				ctx := t.Context()
				provider, err := gooidc.NewProvider(ctx, h.Issuer)
				if err != nil {
					t.Fatal(err)
				}
				client := h.AddClient(t, func(c *clients.Client) { c.IDTokenAlg, c.AuthMethod = alg, clients.AuthBasic })
				app := &oauth2.Config{
					ClientID: client.ID, ClientSecret: client.Secret, Endpoint: provider.Endpoint(), RedirectURL: harness.RedirectURI,
					Scopes: []string{gooidc.ScopeOpenID, "profile", "email", gooidc.ScopeOfflineAccess},
				}
				verifier := provider.Verifier(&gooidc.Config{ClientID: client.ID, SupportedSigningAlgs: []string{alg}})
				pkce, nonce := oauth2.GenerateVerifier(), rand.Text()
				asked, err := url.Parse(app.AuthCodeURL("the-state", gooidc.Nonce(nonce), oauth2.S256ChallengeOption(pkce)))
				if err != nil {
					t.Fatal(err)
				}
				token, err := app.Exchange(ctx, h.NewBrowser(t).Code(t, client, asked.Query()), oauth2.VerifierOption(pkce))
				if err != nil {
					t.Fatal(err)
				}
				idToken := verifiedIDToken(t, verifier, token)
				if idToken.Nonce != nonce || idToken.Subject != h.User.ID.String() {
					t.Errorf("ID token: nonce %q, sub %q", idToken.Nonce, idToken.Subject)
				}
				info, err := provider.UserInfo(ctx, app.TokenSource(ctx, token))
				if err != nil {
					t.Fatal(err)
				}
				if info.Subject != idToken.Subject || info.Email != harness.Email || !info.EmailVerified {
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
