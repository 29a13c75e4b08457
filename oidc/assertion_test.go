package oidc

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"
)

// signingApp is a client that proves itself with a private key.
type signingApp struct {
	*Client
	private *ecdsa.PrivateKey
	kid     string
}

func newAppKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return private
}

func jwksOf(t testing.TB, kid string, public crypto.PublicKey) json.RawMessage {
	t.Helper()
	set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: public, KeyID: kid, Use: "sig"}}})
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func (h *testHouse) signingApp(t testing.TB, id string) signingApp {
	t.Helper()
	private := newAppKey(t)
	app := signingApp{private: private, kid: id + "-1", Client: &Client{
		ID: id, Name: "Signing app", AuthMethod: AuthPrivateKeyJWT, GrantTypes: []string{GrantClientCredentials}, Scopes: []string{"read"},
		JWKS: jwksOf(t, id+"-1", private.Public()),
	}}
	if secret := h.add(t, app.Client); secret != "" {
		t.Error("a client with keys was given a secret")
	}
	return app
}

// claims are those of an assertion that is in order.
func (h *testHouse) claims(app signingApp) map[string]any {
	return map[string]any{"iss": app.ID, "sub": app.ID, "aud": testIssuer, "jti": uuid.NewString(), "iat": h.clock.Unix(), "exp": h.clock.Add(time.Minute).Unix()}
}

func assertion(t testing.TB, alg jose.SignatureAlgorithm, key any, kid string, claims map[string]any) string {
	t.Helper()
	options := (&jose.SignerOptions{}).WithType("JWT")
	if kid != "" {
		options.WithHeader("kid", kid)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, options)
	if err != nil {
		t.Fatal(err)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		t.Fatal(err)
	}
	token, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// present asks for a token with an assertion and returns "" for success or the code of the error.
func (h *testHouse) present(t testing.TB, token string, change url.Values) string {
	t.Helper()
	form := url.Values{"grant_type": {GrantClientCredentials}, "client_assertion_type": {assertionType}, "client_assertion": {token}}
	for name, values := range change {
		form[name] = values
	}
	tokens, _, err := h.Token(t.Context(), Request{Form: form})
	if err == nil && tokens.AccessToken == "" {
		t.Error("success without a token")
	}
	return refusal(err)
}

func TestAssertionClaims(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *testHouse) {
		app := h.signingApp(t, "app")
		h.signingApp(t, "other")
		at := func(d time.Duration) int64 { return h.clock.Add(d).Unix() }
		const gone = "\x00gone"
		for name, c := range map[string]struct {
			change map[string]any
			want   string
		}{
			"aud is the issuer":              {nil, ""},
			"aud is the token endpoint":      {map[string]any{"aud": testIssuer + "/token"}, ""},
			"aud is a list with the issuer":  {map[string]any{"aud": []string{"https://other.example", testIssuer}}, ""},
			"aud is somebody else":           {map[string]any{"aud": "https://other.example"}, "invalid_client"},
			"aud is almost the issuer":       {map[string]any{"aud": testIssuer + "/"}, "invalid_client"},
			"aud is another endpoint":        {map[string]any{"aud": testIssuer + "/authorize"}, "invalid_client"},
			"aud is missing":                 {map[string]any{"aud": gone}, "invalid_client"},
			"aud is empty":                   {map[string]any{"aud": []string{}}, "invalid_client"},
			"aud is a number":                {map[string]any{"aud": 7}, "invalid_client"},
			"exp is missing":                 {map[string]any{"exp": gone}, "invalid_client"},
			"exp is past":                    {map[string]any{"exp": at(-clockSkew - time.Second)}, "invalid_client"},
			"exp is past within the skew":    {map[string]any{"exp": at(-clockSkew + time.Second)}, ""},
			"exp is as far as may be":        {map[string]any{"exp": at(maxAssertionAge - time.Second)}, ""},
			"exp is too far":                 {map[string]any{"exp": at(maxAssertionAge + 2*time.Second)}, "invalid_client"},
			"exp is beyond all time":         {map[string]any{"exp": 1e18}, "invalid_client"},
			"exp is negative":                {map[string]any{"exp": -1}, "invalid_client"},
			"exp is text":                    {map[string]any{"exp": "tomorrow"}, "invalid_client"},
			"nbf is to come":                 {map[string]any{"nbf": at(clockSkew + 2*time.Second)}, "invalid_client"},
			"nbf is to come within the skew": {map[string]any{"nbf": at(clockSkew - time.Second)}, ""},
			"iat is to come":                 {map[string]any{"iat": at(clockSkew + 2*time.Second)}, "invalid_client"},
			"iat is missing":                 {map[string]any{"iat": gone}, ""}, // optional: RFC 7523, section 3
			"jti is missing":                 {map[string]any{"jti": gone}, "invalid_client"},
			"jti is empty":                   {map[string]any{"jti": ""}, "invalid_client"},
			"jti has a NUL":                  {map[string]any{"jti": "a\x00b"}, "invalid_client"},
			"iss is missing":                 {map[string]any{"iss": gone}, "invalid_client"},
			"sub is missing":                 {map[string]any{"sub": gone}, "invalid_client"},
			"both are missing":               {map[string]any{"iss": gone, "sub": gone}, "invalid_client"},
			"iss is not sub":                 {map[string]any{"iss": "other"}, "invalid_client"},
			"sub is not iss":                 {map[string]any{"sub": "other"}, "invalid_client"},
			"both are another client":        {map[string]any{"iss": "other", "sub": "other"}, "invalid_client"},
			"both are nobody":                {map[string]any{"iss": "nobody", "sub": "nobody"}, "invalid_client"},
			"both have a NUL":                {map[string]any{"iss": "app\x00", "sub": "app\x00"}, "invalid_client"},
		} {
			claims := h.claims(app)
			for claim, value := range c.change {
				claims[claim] = value
				if value == gone {
					delete(claims, claim)
				}
			}
			if got := h.present(t, assertion(t, jose.ES256, app.private, app.kid, claims), nil); got != c.want {
				t.Errorf("%s: %q, want %q", name, got, c.want)
			}
		}
	})
}

func TestAssertionSignature(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *testHouse) {
		app, other := h.signingApp(t, "app"), h.signingApp(t, "other")
		// The classic: the public key, which everybody has, as the secret of an HMAC.
		der, err := x509.MarshalPKIXPublicKey(app.private.Public())
		if err != nil {
			t.Fatal(err)
		}
		jwk, err := json.Marshal(jose.JSONWebKey{Key: app.private.Public(), KeyID: app.kid, Use: "sig"})
		if err != nil {
			t.Fatal(err)
		}
		encode := base64.RawURLEncoding.EncodeToString
		claims := func() map[string]any { return h.claims(app) }
		payload, err := json.Marshal(claims())
		if err != nil {
			t.Fatal(err)
		}
		good := assertion(t, jose.ES256, app.private, app.kid, claims())
		parts := strings.Split(good, ".")
		rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			t.Fatal(err)
		}
		for name, token := range map[string]string{
			"HS256 with the PEM of the public key": assertion(t, jose.HS256, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), app.kid, claims()),
			"HS256 with the DER of the public key": assertion(t, jose.HS256, der, app.kid, claims()),
			"HS256 with the JWK":                   assertion(t, jose.HS256, []byte(jwk), app.kid, claims()),
			"alg none":                             encode([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + encode(payload) + ".",
			"alg None":                             encode([]byte(`{"alg":"None","kid":"`+app.kid+`"}`)) + "." + encode(payload) + ".",
			"no alg":                               encode([]byte(`{"typ":"JWT"}`)) + "." + encode(payload) + ".",
			"another client's key":                 assertion(t, jose.ES256, other.private, app.kid, claims()),
			"another client's key and kid":         assertion(t, jose.ES256, other.private, other.kid, claims()),
			"a stranger's key":                     assertion(t, jose.ES256, newAppKey(t), "", claims()),
			"a stranger's RSA key":                 assertion(t, jose.RS256, rsaKey, app.kid, claims()),
			"an unknown kid":                       assertion(t, jose.ES256, app.private, "no-such-key", claims()),
			"a changed payload":                    parts[0] + "." + encode(payload) + "." + parts[2],
			"no signature":                         parts[0] + "." + parts[1] + ".",
			"two parts":                            parts[0] + "." + parts[1],
			"not a JWT":                            "not a JWT",
			"JSON":                                 `{"payload":"` + parts[1] + `","protected":"` + parts[0] + `","signature":"` + parts[2] + `"}`,
		} {
			if got := h.present(t, token, nil); got != "invalid_client" {
				t.Errorf("%s: %q", name, got)
			}
		}
		if got := h.present(t, good, nil); got != "" {
			t.Errorf("the right one: %q", got)
		}
		if got := h.present(t, assertion(t, jose.ES256, app.private, "", claims()), nil); got != "" {
			t.Errorf("without a kid: %q", got)
		}
	})
}

func TestAssertionGoesWithItsParameters(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *testHouse) {
		app := h.signingApp(t, "app")
		posted := &Client{ID: "posted", Name: "App with a secret", AuthMethod: AuthPost, GrantTypes: []string{GrantClientCredentials}}
		secret := h.add(t, posted)
		fresh := func() string { return assertion(t, jose.ES256, app.private, app.kid, h.claims(app)) }
		for name, c := range map[string]struct {
			token  string
			change url.Values
			want   string
		}{
			"the client_id is its own":      {fresh(), url.Values{"client_id": {"app"}}, ""},
			"the client_id is another":      {fresh(), url.Values{"client_id": {"posted"}}, "invalid_client"},
			"no type":                       {fresh(), url.Values{"client_assertion_type": nil}, "invalid_client"},
			"another type":                  {fresh(), url.Values{"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:saml2-bearer"}}, "invalid_client"},
			"a secret besides":              {fresh(), url.Values{"client_secret": {secret}}, "invalid_client"},
			"no assertion but its type":     {"", url.Values{"client_id": {"app"}}, "invalid_client"},
			"twice":                         {"", url.Values{"client_assertion": {fresh(), fresh()}}, "invalid_request"},
			"a secret instead":              {"", url.Values{"client_id": {"app"}, "client_secret": {secret}}, "invalid_client"},
			"for a client that has no keys": {assertion(t, jose.ES256, app.private, app.kid, map[string]any{"iss": "posted", "sub": "posted", "aud": testIssuer, "jti": "1", "exp": h.clock.Add(time.Minute).Unix()}), nil, "invalid_client"},
		} {
			if got := h.present(t, c.token, c.change); got != c.want {
				t.Errorf("%s: %q, want %q", name, got, c.want)
			}
		}
	})
}

func TestAssertionWorksOnce(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *testHouse) {
		app, other := h.signingApp(t, "app"), h.signingApp(t, "other")
		claims := h.claims(app)
		token := assertion(t, jose.ES256, app.private, app.kid, claims)
		if got := h.present(t, token, nil); got != "" {
			t.Fatal(got)
		}
		if got := h.present(t, token, nil); got != "invalid_client" {
			t.Errorf("a second time: %q", got)
		}
		claims["iat"] = h.clock.Add(-time.Second).Unix()
		if got := h.present(t, assertion(t, jose.ES256, app.private, app.kid, claims), nil); got != "invalid_client" {
			t.Errorf("another assertion with the same jti: %q", got)
		}
		// A jti is its client's own affair.
		theirs := h.claims(other)
		theirs["jti"] = claims["jti"]
		if got := h.present(t, assertion(t, jose.ES256, other.private, other.kid, theirs), nil); got != "" {
			t.Errorf("another client's assertion with the same jti: %q", got)
		}
		// It is remembered to the last moment in which it could pass for fresh.
		h.pass(time.Minute + clockSkew - time.Second)
		if got := h.present(t, token, nil); got != "invalid_client" {
			t.Errorf("at the end of its life: %q", got)
		}
		h.pass(time.Hour)
		if got := h.present(t, token, nil); got != "invalid_client" {
			t.Errorf("after its life: %q", got)
		}
	})
}

// An assertion that was refused for its claims was not used.
func TestRefusedAssertionIsNotUsedUp(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *testHouse) {
		app := h.signingApp(t, "app")
		claims := h.claims(app)
		if got := h.present(t, assertion(t, jose.ES256, newAppKey(t), app.kid, claims), nil); got != "invalid_client" {
			t.Fatal(got)
		}
		if got := h.present(t, assertion(t, jose.ES256, app.private, app.kid, claims), nil); got != "" {
			t.Errorf("a stranger used up the jti: %q", got)
		}
	})
}

func TestOneOfManyParallelReplaysWins(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *testHouse) {
		app := h.signingApp(t, "app")
		token := assertion(t, jose.ES256, app.private, app.kid, h.claims(app))
		start := make(chan struct{})
		var won atomic.Int32
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				<-start
				switch got := h.present(t, token, nil); got {
				case "":
					won.Add(1)
				case "invalid_client":
				default:
					t.Errorf("a loser heard %q", got)
				}
			})
		}
		close(start)
		wg.Wait()
		if won.Load() != 1 {
			t.Errorf("%d of 50 presentations of one assertion succeeded", won.Load())
		}
	})
}

// A client may rotate its keys at its jwks_uri without asking us: an unknown kid makes us look again.
func TestKeysBehindAURIAreFetchedAndFetchedAgain(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *testHouse) {
		var fetched atomic.Int32
		var served atomic.Pointer[json.RawMessage]
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			fetched.Add(1)
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write(*served.Load())
		}))
		t.Cleanup(server.Close)
		serve := func(kid string, private *ecdsa.PrivateKey) {
			set := jwksOf(t, kid, private.Public())
			served.Store(&set)
		}
		first, second := newAppKey(t), newAppKey(t)
		serve("k1", first)
		app := signingApp{Client: &Client{ID: "app", Name: "App", AuthMethod: AuthPrivateKeyJWT, GrantTypes: []string{GrantClientCredentials}, JWKSURI: server.URL + "/jwks"}}
		h.add(t, app.Client)
		ask := func(kid string, private *ecdsa.PrivateKey) string {
			return h.present(t, assertion(t, jose.ES256, private, kid, h.claims(app)), nil)
		}
		if fetched.Load() != 0 {
			t.Error("fetched before anybody asked")
		}
		for range 3 {
			if got := ask("k1", first); got != "" {
				t.Fatal(got)
			}
		}
		if n := fetched.Load(); n != 1 {
			t.Errorf("fetched %d times for one key", n)
		}
		h.pass(time.Minute)
		serve("k2", second)
		if got := ask("k2", second); got != "" {
			t.Errorf("after the client's rotation: %q", got)
		}
		if n := fetched.Load(); n != 2 {
			t.Errorf("fetched %d times for two keys", n)
		}
		if got := ask("k2", first); got != "invalid_client" {
			t.Errorf("the old key under the new name: %q", got)
		}
		if got := ask("k1", first); got != "invalid_client" {
			t.Errorf("the key that the client has taken back: %q", got)
		}
		// A server that is away is no reason to let anybody in, nor a fault of ours.
		server.Close()
		h.pass(time.Minute)
		if got := ask("k3", second); got != "invalid_client" {
			t.Errorf("an unknown key while the client's server is away: %q", got)
		}
		if got := ask("k2", second); got != "" {
			t.Errorf("a known key while the client's server is away: %q", got)
		}
	})
}

// Anyone can send forged assertions, with a kid that is known or not. Each must not make us knock at the client's door.
func TestForgedAssertionsDoNotMakeUsFetchEachTime(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *testHouse) {
		var fetched atomic.Int32
		set := jwksOf(t, "k1", newAppKey(t).Public())
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			fetched.Add(1)
			_, _ = w.Write(set)
		}))
		t.Cleanup(server.Close)
		app := signingApp{Client: &Client{ID: "app", Name: "App", AuthMethod: AuthPrivateKeyJWT, GrantTypes: []string{GrantClientCredentials}, JWKSURI: server.URL}}
		h.add(t, app.Client)
		stranger := newAppKey(t)
		for _, kid := range []string{"k1", "unknown", ""} {
			for range 10 {
				if got := h.present(t, assertion(t, jose.ES256, stranger, kid, h.claims(app)), nil); got != "invalid_client" {
					t.Fatal(got)
				}
			}
		}
		if n := fetched.Load(); n > 3 {
			t.Errorf("30 forged assertions within one moment made %d fetches", n)
		}
	})
}

func TestAnswersOfAJWKSURIThatAreNoKeySet(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *testHouse) {
		private := newAppKey(t)
		for name, answer := range map[string]string{
			"HTML": "<html>", "an empty set": `{"keys":[]}`, "null": "null", "nothing": "", "a number": "7", "a private key of no kind": `{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}`,
		} {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(answer)) }))
			t.Cleanup(server.Close)
			app := signingApp{Client: &Client{Name: "App", AuthMethod: AuthPrivateKeyJWT, GrantTypes: []string{GrantClientCredentials}, JWKSURI: server.URL}}
			h.add(t, app.Client)
			if got := h.present(t, assertion(t, jose.ES256, private, "k", h.claims(app)), nil); got != "invalid_client" {
				t.Errorf("%s: %q", name, got)
			}
		}
	})
}
