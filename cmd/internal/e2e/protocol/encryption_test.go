package protocol

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/oidc/tokens"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// secretive is an app that is told things in secret, with what opens them.
type secretive struct {
	rsa *rsa.PrivateKey
	ec  *ecdsa.PrivateKey
}

func newSecretive(t *testing.T) secretive {
	t.Helper()
	ofRSA, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ofEC, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return secretive{ofRSA, ofEC}
}

func (s secretive) jwks(t *testing.T) json.RawMessage {
	t.Helper()
	set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{
		{Key: &s.rsa.PublicKey, KeyID: "rsa", Use: "enc"}, {Key: &s.ec.PublicKey, KeyID: "ec", Use: "enc"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// asksFor registers all that can be encrypted, each in another way.
func (s secretive) asksFor(t *testing.T) func(*clients.Client) {
	return func(c *clients.Client) {
		c.JWKS, c.ResponseAlg, c.UserinfoAlg, c.IntrospectionAlg = s.jwks(t), "ES256", "EdDSA", "ES256"
		c.IDTokenEncryption = clients.Encryption{Alg: "RSA-OAEP-256"}
		c.UserinfoEncryption = clients.Encryption{Alg: "ECDH-ES", Enc: "A256GCM"}
		c.ResponseEncryption = clients.Encryption{Alg: "ECDH-ES+A128KW", Enc: "A128GCM"}
		c.IntrospectionEncryption = clients.Encryption{Alg: "ECDH-ES+A256KW", Enc: "A128CBC-HS256"}
	}
}

// open opens what is encrypted in that way, and verifies the JWT of that typ inside.
func (s secretive) open(
	t *testing.T, h *harness.Server, text, typ string, alg jose.SignatureAlgorithm, how clients.Encryption,
) map[string]any {
	t.Helper()
	parsed, err := jose.ParseEncryptedCompact(
		text, []jose.KeyAlgorithm{jose.KeyAlgorithm(how.Alg)}, []jose.ContentEncryption{jose.ContentEncryption(how.Enc)},
	)
	if err != nil {
		t.Fatalf("%q is not encrypted as %+v: %v", text, how, err)
	}
	private := any(s.ec)
	if how.Alg == "RSA-OAEP-256" {
		private = s.rsa
	}
	inside, err := parsed.Decrypt(private)
	if err != nil {
		t.Fatal(err)
	}
	payload, _, err := h.Keys.Verify(string(inside), typ, alg)
	if err != nil {
		t.Fatalf("inside is %s: %v", inside, err)
	}
	var claims map[string]any
	if err := json.Unmarshal(payload, &claims); err != nil {
		t.Fatal(err)
	}
	return claims
}

// An app gets all that it asks to be told in secret signed, and then encrypted by its own key.
func TestAnAppIsToldInSecret(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		s, told := newSecretive(t), make(chan string, 10)
		receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			told <- r.PostFormValue("logout_token")
		}))
		t.Cleanup(receiver.Close)
		client := h.AddClient(t, func(c *clients.Client) { s.asksFor(t)(c); c.BackchannelLogoutURI = receiver.URL })
		alice, b := h.User.ID.String(), h.NewBrowser(t)
		b.Code(t, client, nil) // signs in and consents
		answer, _ := answered(t, b.Get(t, h.AuthorizeURL(client, url.Values{"response_mode": {"jwt"}})))
		response := s.open(t, h, answer.Get("response"), "", jose.ES256, client.ResponseEncryption)
		if response["aud"] != client.ID || response["iss"] != h.Issuer || response["state"] != "the-state" {
			t.Errorf("the answer says %v", response)
		}
		answer, _ = answered(t, b.Get(t, h.AuthorizeURL(client, url.Values{"response_mode": {"jwt"}, "max_age": {"x"}})))
		refused := s.open(t, h, answer.Get("response"), "", jose.ES256, client.ResponseEncryption)
		if refused["error"] != "invalid_request" || len(answer) != 1 {
			t.Errorf("a refusal says %v", refused)
		}

		got := h.Redeem(t, client, response["code"].(string))
		id := s.open(t, h, got.Text("id_token"), tokens.IDTokenType, jose.ES256, client.IDTokenEncryption)
		if id["sub"] != alice || id["aud"] != client.ID || id["nonce"] != "the-nonce" {
			t.Errorf("the ID token says %v", id)
		}
		renewed := h.Refresh(t, client, got.Text("refresh_token"))
		again := s.open(t, h, renewed.Text("id_token"), tokens.IDTokenType, jose.ES256, client.IDTokenEncryption)
		if again["sub"] != alice {
			t.Errorf("the ID token of the refresh says %v", again)
		}
		kind, text := accepted(t, h, oidc.PathUserinfo, renewed.Text("access_token"), nil, "")
		info := s.open(t, h, text, "", jose.EdDSA, client.UserinfoEncryption)
		if kind != "application/jwt" || info["sub"] != alice || info["email"] != harness.Email || info["aud"] != client.ID {
			t.Errorf("userinfo is %s and says %v", kind, info)
		}
		form := url.Values{
			"token": {renewed.Text("access_token")}, "client_id": {client.ID}, "client_secret": {client.Secret},
		}
		kind, text = accepted(t, h, oidc.PathIntrospect, "", form, "application/token-introspection+jwt")
		about := s.open(t, h, text, tokens.IntrospectionType, jose.ES256, client.IntrospectionEncryption)
		if inside, _ := about["token_introspection"].(map[string]any); kind != "application/token-introspection+jwt" ||
			inside["active"] != true || inside["sub"] != alice {
			t.Errorf("introspection is %s and says %v", kind, about)
		}
		b.Post(t, "/account/sign-out", url.Values{})
		logout := s.open(t, h, <-told, "logout+jwt", jose.ES256, client.IDTokenEncryption)
		if logout["sub"] != alice || logout["sid"] != id["sid"] {
			t.Errorf("the logout token says %v", logout)
		}
	})
}

// accepted asks an endpoint that answers with a JWT, and returns the type of the answer and its text.
func accepted(
	t *testing.T, h *harness.Server, path, bearer string, form url.Values, accept string,
) (kind, text string) {
	t.Helper()
	request, err := http.NewRequest(http.MethodPost, h.Issuer+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if bearer != "" {
		request.Header.Set("Authorization", "Bearer "+bearer)
	}
	if accept != "" {
		request.Header.Set("Accept", accept)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s %s %v", path, response.Status, body, err)
	}
	kind, _, _ = strings.Cut(response.Header.Get("Content-Type"), ";")
	return kind, string(body)
}

// Where the keys of an app are away for a moment nothing is used up: it asks again.
func TestNothingIsUsedUpForAnAppWithoutKeys(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		s := newSecretive(t)
		var mu sync.Mutex
		away := true
		keys := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			if away {
				w.WriteHeader(http.StatusBadGateway)
				return
			}
			_, _ = w.Write(s.jwks(t))
		}))
		t.Cleanup(keys.Close)
		client := h.AddClient(t, func(c *clients.Client) { s.asksFor(t)(c); c.JWKS, c.JWKSURI = nil, keys.URL })
		b := h.NewBrowser(t)
		code := b.Code(t, client, nil)
		if answer := h.Redeem(t, client, code); answer.Status != http.StatusServiceUnavailable ||
			answer.Text("error") != oidc.CodeUnavailable {
			t.Fatalf("without keys: %d %v", answer.Status, answer.JSON)
		}
		mu.Lock()
		away = false
		mu.Unlock()
		storagetest.Eventually(t, patience, "the same code is good when the keys are there", func() bool {
			return h.Redeem(t, client, code).Status == http.StatusOK
		})
	})
}

// RFC 9701: who asks for a JWT gets one that says what the JSON would, to them alone; and that passes for nothing else.
func TestSignedIntrospection(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		client, other := h.AddClient(t, nil), h.AddClient(t, func(c *clients.Client) { c.IntrospectionAlg = "EdDSA" })
		b := h.NewBrowser(t)
		access := h.Redeem(t, client, b.Code(t, client, nil)).Text("access_token")
		ask := func(c harness.Client, token, accept string) (string, string) {
			form := url.Values{"token": {token}, "client_id": {c.ID}, "client_secret": {c.Secret}}
			return accepted(t, h, oidc.PathIntrospect, "", form, accept)
		}
		const kind = "application/token-introspection+jwt"
		for accept, signed := range map[string]bool{
			kind: true, strings.ToUpper(kind): true, "application/json, " + kind: true, kind + ";q=0.9, */*;q=0.1": true,
			"": false, "*/*": false, "application/*": false, "application/json": false, kind + ";q=0": false,
			"application/json, " + kind + ";q=0.5": false, "application/jwt": false, kind + ";q=x": false, ",;,": false,
		} {
			if got, _ := ask(client, access, accept); (got == kind) != signed {
				t.Errorf("Accept %q: %s", accept, got)
			}
		}
		for name, c := range map[string]struct {
			client harness.Client
			alg    jose.SignatureAlgorithm
			token  string
			active bool
		}{
			"its own":   {client, jose.RS256, access, true},
			"another's": {other, jose.EdDSA, access, false},
			"none":      {client, jose.RS256, "nothing", false},
		} {
			_, text := ask(c.client, c.token, kind)
			payload, _, err := h.Keys.Verify(text, tokens.IntrospectionType, c.alg)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			var claims map[string]any
			if err := json.Unmarshal(payload, &claims); err != nil {
				t.Fatal(err)
			}
			inside, _ := claims["token_introspection"].(map[string]any)
			_, plain := ask(c.client, c.token, "")
			var same map[string]any
			if err := json.Unmarshal([]byte(plain), &same); err != nil {
				t.Fatal(err)
			}
			if claims["iss"] != h.Issuer || claims["aud"] != c.client.ID || claims["iat"] == nil || len(claims) != 4 ||
				inside["active"] != c.active || !c.active && len(inside) != 1 || len(same) != len(inside) {
				t.Errorf("%s: %v, and plain %v", name, claims, same)
			}
			if h.Userinfo(t, text).Status != http.StatusUnauthorized {
				t.Errorf("%s: it passes for an access token", name)
			}
			if _, about := ask(c.client, text, ""); about != `{"active":false}` {
				t.Errorf("%s: it passes for a token: %s", name, about)
			}
			hint := url.Values{"id_token_hint": {text}, "prompt": {"none"}}
			answer, _ := answered(t, b.Get(t, h.AuthorizeURL(client, hint)))
			if answer.Get("error") != "invalid_request" {
				t.Errorf("%s: it passes for an ID token: %v", name, answer)
			}
		}
	})
}

// openid-client reads what is encrypted for it, in each way that it knows.
func TestNodeClientIsToldInSecret(t *testing.T) {
	t.Parallel()
	h := harness.Start(t, storagetest.URL(t, storage.SQLite))
	s := newSecretive(t)
	for _, alg := range clients.KeyAlgs {
		private := jose.JSONWebKey{Key: s.ec, KeyID: "ec", Algorithm: string(alg)}
		if alg == jose.RSA_OAEP_256 {
			private = jose.JSONWebKey{Key: s.rsa, KeyID: "rsa", Algorithm: string(alg)}
		}
		key, err := json.Marshal(private)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(string(alg), func(t *testing.T) {
			t.Parallel()
			runNodeClient(t, h, "encrypted", string(key), h.AddClient(t, func(c *clients.Client) {
				s.asksFor(t)(c)
				c.IDTokenEncryption.Alg, c.UserinfoEncryption.Alg = string(alg), string(alg)
				c.IntrospectionEncryption.Alg = string(alg)
			}))
		})
	}
}
