package clients_test

import (
	"crypto/ecdsa"
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

	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/oidc/oidctest"
	"github.com/wicket-id/wicket/storage/cache"
)

func TestAssertionClaims(t *testing.T) {
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		app := h.NewSigningApp(t, "app")
		h.NewSigningApp(t, "other")
		at := func(d time.Duration) int64 { return h.Clock.Add(d).Unix() }
		const gone = "\x00gone"
		for name, c := range map[string]struct {
			change map[string]any
			want   string
		}{
			"aud is the issuer":           {nil, ""},
			"aud is the token endpoint":   {map[string]any{"aud": oidctest.TestIssuer + "/token"}, ""},
			"aud is a list of the issuer": {map[string]any{"aud": []string{oidctest.TestIssuer}}, ""},
			"aud is a list with others": {map[string]any{
				"aud": []string{"https://other.example", oidctest.TestIssuer},
			}, "invalid_client"},
			"aud is somebody else":        {map[string]any{"aud": "https://other.example"}, "invalid_client"},
			"aud is almost the issuer":    {map[string]any{"aud": oidctest.TestIssuer + "/"}, "invalid_client"},
			"aud is another endpoint":     {map[string]any{"aud": oidctest.TestIssuer + "/authorize"}, "invalid_client"},
			"aud is missing":              {map[string]any{"aud": gone}, "invalid_client"},
			"aud is empty":                {map[string]any{"aud": []string{}}, "invalid_client"},
			"aud is a number":             {map[string]any{"aud": 7}, "invalid_client"},
			"exp is missing":              {map[string]any{"exp": gone}, "invalid_client"},
			"exp is past":                 {map[string]any{"exp": at(-clients.ClockSkew - time.Second)}, "invalid_client"},
			"exp is past within the skew": {map[string]any{"exp": at(-clients.ClockSkew + time.Second)}, ""},
			"exp is as far as may be":     {map[string]any{"exp": at(clients.MaxAssertionAge - time.Second)}, ""},
			"exp is too far": {map[string]any{
				"exp": at(clients.MaxAssertionAge + 2*time.Second),
			}, "invalid_client"},
			"exp is beyond all time":         {map[string]any{"exp": 1e18}, "invalid_client"},
			"exp is negative":                {map[string]any{"exp": -1}, "invalid_client"},
			"exp is text":                    {map[string]any{"exp": "tomorrow"}, "invalid_client"},
			"nbf is to come":                 {map[string]any{"nbf": at(clients.ClockSkew + 2*time.Second)}, "invalid_client"},
			"nbf is to come within the skew": {map[string]any{"nbf": at(clients.ClockSkew - time.Second)}, ""},
			"iat is to come":                 {map[string]any{"iat": at(clients.ClockSkew + 2*time.Second)}, "invalid_client"},
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
			claims := h.Claims(app)
			for claim, value := range c.change {
				claims[claim] = value
				if value == gone {
					delete(claims, claim)
				}
			}
			if got := h.Present(t, oidctest.Assertion(t, jose.ES256, app.Private, app.KID, claims), nil); got != c.want {
				t.Errorf("%s: %q, want %q", name, got, c.want)
			}
		}
	})
}

func TestAssertionSignature(t *testing.T) {
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		app, other := h.NewSigningApp(t, "app"), h.NewSigningApp(t, "other")
		// The classic: the public key, which everybody has, as the secret of an HMAC.
		der, err := x509.MarshalPKIXPublicKey(app.Private.Public())
		if err != nil {
			t.Fatal(err)
		}
		jwk, err := json.Marshal(jose.JSONWebKey{Key: app.Private.Public(), KeyID: app.KID, Use: "sig"})
		if err != nil {
			t.Fatal(err)
		}
		encode := base64.RawURLEncoding.EncodeToString
		claims := func() map[string]any { return h.Claims(app) }
		payload, err := json.Marshal(claims())
		if err != nil {
			t.Fatal(err)
		}
		good := oidctest.Assertion(t, jose.ES256, app.Private, app.KID, claims())
		parts := strings.Split(good, ".")
		rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			t.Fatal(err)
		}
		for name, token := range map[string]string{
			"HS256 with the PEM of the public key": oidctest.Assertion(
				t, jose.HS256, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), app.KID, claims(),
			),
			"HS256 with the DER of the public key": oidctest.Assertion(t, jose.HS256, der, app.KID, claims()),
			"HS256 with the JWK":                   oidctest.Assertion(t, jose.HS256, []byte(jwk), app.KID, claims()),
			"alg none":                             encode([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + encode(payload) + ".",
			"alg None": encode(
				[]byte(`{"alg":"None","kid":"`+app.KID+`"}`),
			) + "." + encode(payload) + ".",
			"no alg":                       encode([]byte(`{"typ":"JWT"}`)) + "." + encode(payload) + ".",
			"another client's key":         oidctest.Assertion(t, jose.ES256, other.Private, app.KID, claims()),
			"another client's key and kid": oidctest.Assertion(t, jose.ES256, other.Private, other.KID, claims()),
			"a stranger's key":             oidctest.Assertion(t, jose.ES256, oidctest.NewAppKey(t), "", claims()),
			"a stranger's RSA key":         oidctest.Assertion(t, jose.RS256, rsaKey, app.KID, claims()),
			"an unknown kid":               oidctest.Assertion(t, jose.ES256, app.Private, "no-such-key", claims()),
			"a changed payload":            parts[0] + "." + encode(payload) + "." + parts[2],
			"no signature":                 parts[0] + "." + parts[1] + ".",
			"two parts":                    parts[0] + "." + parts[1],
			"not a JWT":                    "not a JWT",
			"JSON": `{"payload":"` + parts[1] + `","protected":"` + parts[0] +
				`","signature":"` + parts[2] + `"}`,
		} {
			if got := h.Present(t, token, nil); got != "invalid_client" {
				t.Errorf("%s: %q", name, got)
			}
		}
		if got := h.Present(t, good, nil); got != "" {
			t.Errorf("the right one: %q", got)
		}
		if got := h.Present(t, oidctest.Assertion(t, jose.ES256, app.Private, "", claims()), nil); got != "" {
			t.Errorf("without a kid: %q", got)
		}
	})
}

func TestAssertionGoesWithItsParameters(t *testing.T) {
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		app := h.NewSigningApp(t, "app")
		posted := &clients.Client{
			ID: "posted", Name: "App with a secret", AuthMethod: clients.AuthPost,
			GrantTypes: []string{oidc.GrantClientCredentials},
		}
		secret := h.Add(t, posted)
		fresh := func() string { return oidctest.Assertion(t, jose.ES256, app.Private, app.KID, h.Claims(app)) }
		for name, c := range map[string]struct {
			token  string
			change url.Values
			want   string
		}{
			"the client_id is its own": {fresh(), url.Values{"client_id": {"app"}}, ""},
			"the client_id is another": {fresh(), url.Values{"client_id": {"posted"}}, "invalid_client"},
			"no type":                  {fresh(), url.Values{"client_assertion_type": nil}, "invalid_client"},
			"another type": {fresh(), url.Values{
				"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:saml2-bearer"},
			}, "invalid_client"},
			"a secret besides":          {fresh(), url.Values{"client_secret": {secret}}, "invalid_client"},
			"no assertion but its type": {"", url.Values{"client_id": {"app"}}, "invalid_client"},
			"twice":                     {"", url.Values{"client_assertion": {fresh(), fresh()}}, "invalid_request"},
			"a secret instead":          {"", url.Values{"client_id": {"app"}, "client_secret": {secret}}, "invalid_client"},
			"for a client that has no keys": {oidctest.Assertion(
				t, jose.ES256, app.Private, app.KID,
				map[string]any{
					"iss": "posted", "sub": "posted", "aud": oidctest.TestIssuer, "jti": "1", "exp": h.Clock.Add(time.Minute).Unix(),
				},
			), nil, "invalid_client"},
		} {
			if got := h.Present(t, c.token, c.change); got != c.want {
				t.Errorf("%s: %q, want %q", name, got, c.want)
			}
		}
	})
}

func TestAssertionWorksOnce(t *testing.T) {
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		app, other := h.NewSigningApp(t, "app"), h.NewSigningApp(t, "other")
		claims := h.Claims(app)
		token := oidctest.Assertion(t, jose.ES256, app.Private, app.KID, claims)
		if got := h.Present(t, token, nil); got != "" {
			t.Fatal(got)
		}
		if got := h.Present(t, token, nil); got != "invalid_client" {
			t.Errorf("a second time: %q", got)
		}
		claims["iat"] = h.Clock.Add(-time.Second).Unix()
		if got := h.Present(
			t, oidctest.Assertion(t, jose.ES256, app.Private, app.KID, claims), nil,
		); got != "invalid_client" {
			t.Errorf("another assertion with the same jti: %q", got)
		}
		// A jti is its client's own affair.
		theirs := h.Claims(other)
		theirs["jti"] = claims["jti"]
		if got := h.Present(t, oidctest.Assertion(t, jose.ES256, other.Private, other.KID, theirs), nil); got != "" {
			t.Errorf("another client's assertion with the same jti: %q", got)
		}
		// It is remembered to the last moment in which it could pass for fresh.
		h.Pass(time.Minute + clients.ClockSkew - time.Second)
		if got := h.Present(t, token, nil); got != "invalid_client" {
			t.Errorf("at the end of its life: %q", got)
		}
		h.Pass(time.Hour)
		if got := h.Present(t, token, nil); got != "invalid_client" {
			t.Errorf("after its life: %q", got)
		}
	})
}

// An assertion that was refused for its claims was not used.
func TestRefusedAssertionIsNotUsedUp(t *testing.T) {
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		app := h.NewSigningApp(t, "app")
		claims := h.Claims(app)
		if got := h.Present(
			t, oidctest.Assertion(t, jose.ES256, oidctest.NewAppKey(t), app.KID, claims), nil,
		); got != "invalid_client" {
			t.Fatal(got)
		}
		if got := h.Present(t, oidctest.Assertion(t, jose.ES256, app.Private, app.KID, claims), nil); got != "" {
			t.Errorf("a stranger used up the jti: %q", got)
		}
	})
}

// Nor was one that came when its client had asked too often.
func TestLimitedAssertionIsNotUsedUp(t *testing.T) {
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		h.Limits = &cache.Limits{Cache: h.Cache, Rates: cache.Rates{"token.client": {N: 1, Per: 10 * time.Second}}}
		app := h.NewSigningApp(t, "app")
		first := oidctest.Assertion(t, jose.ES256, app.Private, app.KID, h.Claims(app))
		second := oidctest.Assertion(t, jose.ES256, app.Private, app.KID, h.Claims(app))
		if got := h.Present(t, first, nil); got != "" {
			t.Fatal(got)
		}
		if got := h.Present(t, second, nil); !strings.Contains(got, "limit") {
			t.Errorf("one too many: %q", got)
		}
		h.Pass(10 * time.Second)
		if got := h.Present(t, second, nil); got != "" {
			t.Errorf("the same later: %q", got)
		}
		h.Pass(10 * time.Second)
		if got := h.Present(t, second, nil); got != "invalid_client" {
			t.Errorf("once more: %q", got)
		}
	})
}

func TestOneOfManyParallelReplaysWins(t *testing.T) {
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		app := h.NewSigningApp(t, "app")
		token := oidctest.Assertion(t, jose.ES256, app.Private, app.KID, h.Claims(app))
		start := make(chan struct{})
		var won atomic.Int32
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				<-start
				switch got := h.Present(t, token, nil); got {
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
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		var fetched atomic.Int32
		var served atomic.Pointer[json.RawMessage]
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			fetched.Add(1)
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write(*served.Load())
		}))
		t.Cleanup(server.Close)
		serve := func(kid string, private *ecdsa.PrivateKey) {
			set := oidctest.JWKSOf(t, kid, private.Public())
			served.Store(&set)
		}
		first, second := oidctest.NewAppKey(t), oidctest.NewAppKey(t)
		serve("k1", first)
		app := oidctest.SigningApp{
			Client: &clients.Client{
				ID: "app", Name: "App", AuthMethod: clients.AuthPrivateKeyJWT, GrantTypes: []string{oidc.GrantClientCredentials},
				JWKSURI: server.URL + "/jwks",
			},
		}
		h.Add(t, app.Client)
		ask := func(kid string, private *ecdsa.PrivateKey) string {
			return h.Present(t, oidctest.Assertion(t, jose.ES256, private, kid, h.Claims(app)), nil)
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
		h.Pass(time.Minute)
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
		h.Pass(time.Minute)
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
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		var fetched atomic.Int32
		set := oidctest.JWKSOf(t, "k1", oidctest.NewAppKey(t).Public())
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			fetched.Add(1)
			_, _ = w.Write(set)
		}))
		t.Cleanup(server.Close)
		app := oidctest.SigningApp{
			Client: &clients.Client{
				ID: "app", Name: "App", AuthMethod: clients.AuthPrivateKeyJWT, GrantTypes: []string{oidc.GrantClientCredentials},
				JWKSURI: server.URL,
			},
		}
		h.Add(t, app.Client)
		stranger := oidctest.NewAppKey(t)
		for _, kid := range []string{"k1", "unknown", ""} {
			for range 10 {
				if got := h.Present(
					t, oidctest.Assertion(t, jose.ES256, stranger, kid, h.Claims(app)), nil,
				); got != "invalid_client" {
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
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		private := oidctest.NewAppKey(t)
		for name, answer := range map[string]string{
			"HTML": "<html>", "an empty set": `{"keys":[]}`, "null": "null", "nothing": "", "a number": "7",
			"a private key of no kind": `{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}`,
		} {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				_, _ = w.Write([]byte(answer))
			}))
			t.Cleanup(server.Close)
			app := oidctest.SigningApp{
				Client: &clients.Client{
					Name: "App", AuthMethod: clients.AuthPrivateKeyJWT, GrantTypes: []string{oidc.GrantClientCredentials},
					JWKSURI: server.URL,
				},
			}
			h.Add(t, app.Client)
			if got := h.Present(
				t, oidctest.Assertion(t, jose.ES256, private, "k", h.Claims(app)), nil,
			); got != "invalid_client" {
				t.Errorf("%s: %q", name, got)
			}
		}
	})
}
