package protocol

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/oidc/registration"
)

// appKey is a key of an app with the set that publishes it.
func appKey(t *testing.T) (*ecdsa.PrivateKey, json.RawMessage) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	// Without a kid, as OpenID Connect Core, section 10.1, allows where there is one key.
	set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), Use: "sig"}}})
	if err != nil {
		t.Fatal(err)
	}
	return key, set
}

// What an app registers of itself is what it gets: its links and logo beside the password, the algorithms of its ID
// tokens and of userinfo, and its keys, which it may change while it holds tokens. Its redirect URI keeps its query.
func TestAnAppIsServedAsItRegistered(t *testing.T) {
	t.Parallel()
	eachRegistering(t, registration.Token, func(t *testing.T, h *harness.Server) {
		_, token, err := h.Registration.CreateToken(t.Context(), "CI", 1, time.Hour, registration.Policy{})
		if err != nil {
			t.Fatal(err)
		}
		const redirectURI = "https://app.example/cb?tenant=1"
		key, set := appKey(t)
		app := metadata{
			"client_name": "Notes", "redirect_uris": []string{redirectURI}, "jwks": set,
			"token_endpoint_auth_method": clients.AuthPrivateKeyJWT, "grant_types": []string{"authorization_code", "refresh_token"},
			"logo_uri": "https://app.example/logo.png", "policy_uri": "https://app.example/privacy",
			"tos_uri": "https://app.example/terms", "id_token_signed_response_alg": "RS256",
			"userinfo_signed_response_alg": "RS256",
		}
		got := registers(t, h, http.MethodPost, oidc.PathClients, token, app)
		if got.Status != http.StatusCreated || got.Text("client_secret") != "" {
			t.Fatalf("%d %v", got.Status, got.JSON)
		}
		client := harness.Client{Client: &clients.Client{ID: got.Text("client_id")}}
		call := func(key *ecdsa.PrivateKey, form url.Values) harness.Answer {
			t.Helper()
			signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, nil)
			if err != nil {
				t.Fatal(err)
			}
			assertion, err := jwt.Signed(signer).Claims(jwt.Claims{
				Issuer: client.ID, Subject: client.ID, Audience: jwt.Audience{h.Issuer}, ID: rand.Text(),
				Expiry: jwt.NewNumericDate(time.Now().Add(time.Minute)),
			}).Serialize()
			if err != nil {
				t.Fatal(err)
			}
			form.Set("client_assertion_type", clients.AssertionType)
			form.Set("client_assertion", assertion)
			return h.Call(t, oidc.PathToken, client, form)
		}

		b := h.NewBrowser(t)
		shown := b.Get(t, h.AuthorizeURL(client, url.Values{
			"redirect_uri": {redirectURI}, "claims_locales": {"de en"}, "prompt": {"consent"},
		}))
		for _, uri := range []string{"logo_uri", "policy_uri", "tos_uri"} {
			if !strings.Contains(shown.Text, `="`+got.Text(uri)+`"`) || got.Text(uri) != app[uri] {
				t.Errorf("%s %q is not on the page:\n%s", uri, got.Text(uri), shown.Text)
			}
		}
		answer := b.Allow(t, b.SignIn(t, shown))
		back, err := answer.Location()
		if err != nil || back.Host != "app.example" || back.Query().Get("tenant") != "1" || back.Query().Get("code") == "" {
			t.Fatalf("back at %v, %v", back, err)
		}
		tokens := call(key, url.Values{
			"grant_type": {oidc.GrantCode}, "code": {back.Query().Get("code")}, "redirect_uri": {redirectURI},
			"code_verifier": {harness.CodeVerifier},
		})
		if _, _, err := h.Keys.Verify(tokens.Text("id_token"), "JWT", jose.RS256); err != nil {
			t.Errorf("the ID token: %v\n%v", err, tokens.JSON)
		}
		request, err := http.NewRequest(http.MethodGet, h.Issuer+oidc.PathUserinfo, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+tokens.Text("access_token"))
		if _, _, err := h.Keys.Verify(h.Send(t, request).Text, "", jose.RS256); err != nil {
			t.Errorf("userinfo: %v", err)
		}

		next, set := appKey(t)
		own := oidc.PathClients + "/" + client.ID
		app["client_id"], app["jwks"] = client.ID, set
		changed := registers(t, h, http.MethodPut, own, got.Text("registration_access_token"), app)
		if changed.Status != http.StatusOK {
			t.Fatalf("other keys: %d %v", changed.Status, changed.JSON)
		}
		var refreshed []int
		for _, key := range []*ecdsa.PrivateKey{key, next} {
			refreshed = append(refreshed, call(key, url.Values{
				"grant_type": {oidc.GrantRefreshToken}, "refresh_token": {tokens.Text("refresh_token")},
			}).Status)
		}
		if !slices.Equal(refreshed, []int{http.StatusUnauthorized, http.StatusOK}) {
			t.Errorf("with the key before and the next one: %v", refreshed)
		}
	})
}
