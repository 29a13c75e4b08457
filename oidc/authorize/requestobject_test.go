package authorize_test

import (
	"crypto/ecdsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/authorize"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/oidc/oidctest"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// signed signs claims as a request object.
func signed(t testing.TB, key *ecdsa.PrivateKey, typ string, payload []byte) string {
	t.Helper()
	options := &jose.SignerOptions{}
	if typ != "" {
		options.WithType(jose.ContentType(typ))
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, options)
	if err != nil {
		t.Fatal(err)
	}
	object, err := signer.Sign(payload)
	if err != nil {
		t.Fatal(err)
	}
	compact, err := object.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return compact
}

// unsigned writes claims as a request object without a signature.
func unsigned(header string, payload []byte) string {
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(header)) + "." + encode(payload) + "."
}

// asked is what is inside a request object, with members changed or, where nil, left out.
func asked(t testing.TB, h *oidctest.Stack, clientID string, change map[string]any) []byte {
	t.Helper()
	claims := map[string]any{
		"iss": clientID, "aud": oidctest.TestIssuer, "client_id": clientID, "exp": h.Clock.Add(time.Minute).Unix(),
		"nbf": h.Clock.Unix(), "redirect_uri": "https://app.example.com/", "response_type": "code", "scope": "openid",
		"state": "inside", "nonce": "n",
	}
	maps.Copy(claims, change)
	maps.DeleteFunc(claims, func(_ string, value any) bool { return value == nil })
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	return payload
}

// signingApp registers an app that signs its requests, with its key.
func signingApp(t testing.TB, h *oidctest.Stack, id string, change func(*clients.Client)) (*ecdsa.PrivateKey, string) {
	t.Helper()
	key := oidctest.NewAppKey(t)
	client := webApp(id, true)
	client.JWKS = oidctest.JWKSOf(t, id, key.Public())
	if change != nil {
		change(client)
	}
	return key, h.Add(t, client)
}

// What is inside a request object counts, whatever its JSON types, and nothing that is outside.
func TestRequestObjects(t *testing.T) {
	t.Parallel()
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		key, _ := signingApp(t, h, "app", nil)
		outside := url.Values{
			"client_id": {"app"}, "redirect_uri": {"https://app.example.com/"}, "response_type": {"code"}, "state": {"outside"},
			"prompt": {"login"}, "scope": {"openid email"}, "response_mode": {"fragment"},
		}
		for _, typ := range []string{"", "JWT", "oauth-authz-req+jwt", "application/oauth-authz-req+jwt"} {
			form := maps.Clone(outside)
			form.Set("request", signed(t, key, typ, asked(t, h, "app", map[string]any{
				"max_age": 3600, "claims": map[string]any{"id_token": map[string]any{"acr": map[string]any{"value": "x"}}},
				"login_hint": "", "unknown": []int{1}, "aud": []string{"https://elsewhere.example", oidctest.TestIssuer},
			})))
			a, err := h.Authorize.Read(t.Context(), form)
			if err != nil {
				t.Fatalf("typ %q: %v", typ, err)
			}
			if a.State != "inside" || len(a.Prompt) > 0 || len(a.Scopes) != 1 || a.ResponseMode != "query" ||
				a.MaxAge == nil || *a.MaxAge != time.Hour || len(a.ACRValues) != 1 || a.LoginHint != "" {
				t.Errorf("typ %q: %+v", typ, a)
			}
			again, err := h.Authorize.Resume(t.Context(), h.Authorize.Suspend(a, "b"), "b")
			if err != nil || again.State != "inside" || *again.MaxAge != time.Hour {
				t.Errorf("typ %q, taken up: %+v, %v", typ, again, err)
			}
		}
		lone := url.Values{"client_id": {"app"}, "request": {signed(t, key, "", asked(t, h, "app", nil))}}
		if code, _ := toldOf(t, h, lone); code != "" {
			t.Errorf("with nothing but the client_id outside: %s", code)
		}
	})
}

// Whose request object, for whom and when, is looked at, and what else could be meant by it.
func TestRequestObjectsThatAreRefused(t *testing.T) {
	t.Parallel()
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		key, _ := signingApp(t, h, "app", nil)
		other, _ := signingApp(t, h, "other", nil)
		pinned, _ := signingApp(t, h, "pinned", func(c *clients.Client) { c.RequestObjectAlg = "PS256" })
		signingApp(t, h, "unsigned", func(c *clients.Client) { c.RequestObjectAlg = clients.AlgNone })
		h.Add(t, webApp("keyless", true))
		with := func(name string, value any) string {
			return signed(t, key, "", asked(t, h, "app", map[string]any{name: value}))
		}
		plain := asked(t, h, "app", nil)
		for name, c := range map[string]struct{ client, object, want string }{
			"in order":             {"app", signed(t, key, "", plain), ""},
			"no text":              {"app", "x", "invalid_request_object"},
			"three dots":           {"app", "...", "invalid_request_object"},
			"encrypted":            {"app", "a.b.c.d.e", "invalid_request_object"},
			"another key":          {"app", signed(t, other, "", plain), "invalid_request_object"},
			"another's":            {"other", signed(t, key, "", plain), "invalid_request_object"},
			"changed":              {"app", signed(t, key, "", plain) + "A", "invalid_request_object"},
			"no keys":              {"keyless", signed(t, key, "", plain), "invalid_request_object"},
			"another algorithm":    {"pinned", signed(t, pinned, "", asked(t, h, "pinned", nil)), "invalid_request_object"},
			"not signed":           {"app", unsigned(`{"alg":"none"}`, plain), "invalid_request_object"},
			"not signed, hidden":   {"app", unsigned(`{"alg":"none","ALG":"ES256"}`, plain), "invalid_request_object"},
			"signed though none":   {"unsigned", signed(t, key, "", asked(t, h, "unsigned", nil)), "invalid_request_object"},
			"none, registered":     {"unsigned", unsigned(`{"alg":"none"}`, asked(t, h, "unsigned", nil)), ""},
			"none, with crit":      {"unsigned", unsigned(`{"alg":"none","crit":["x"]}`, asked(t, h, "unsigned", nil)), "invalid_request_object"},
			"none, with signature": {"unsigned", unsigned(`{"alg":"none"}`, asked(t, h, "unsigned", nil)) + "AA", "invalid_request_object"},
			"None":                 {"unsigned", unsigned(`{"alg":"None"}`, asked(t, h, "unsigned", nil)), "invalid_request_object"},
			"an access token":      {"app", signed(t, key, "at+jwt", plain), "invalid_request_object"},
			"a client assertion":   {"app", signed(t, key, "client-authentication+jwt", plain), "invalid_request_object"},
			"a proof":              {"app", signed(t, key, "dpop+jwt", plain), "invalid_request_object"},
			"iss of another":       {"app", with("iss", "other"), "invalid_request_object"},
			"no iss":               {"app", with("iss", nil), ""},
			"aud of another":       {"app", with("aud", "https://other.example"), "invalid_request_object"},
			"no aud":               {"app", with("aud", nil), ""},
			"expired":              {"app", with("exp", h.Clock.Add(-time.Minute).Unix()), "invalid_request_object"},
			"not valid yet":        {"app", with("nbf", h.Clock.Add(time.Minute).Unix()), "invalid_request_object"},
			"valid in a moment":    {"app", with("nbf", h.Clock.Add(8*time.Second).Unix()), ""},
			"exp as a text":        {"app", with("exp", "soon"), "invalid_request_object"},
			"sub is the client":    {"app", with("sub", "app"), "invalid_request_object"},
			"client_id of another": {"app", with("client_id", "other"), "invalid_request_object"},
			"client_id as number":  {"app", with("client_id", 5), "invalid_request_object"},
			"no client_id":         {"app", with("client_id", nil), ""},
			"request inside":       {"app", with("request", "x"), "invalid_request_object"},
			"request_uri inside":   {"app", with("request_uri", ""), "invalid_request_object"},
			"state as a number":    {"app", with("state", 5), "invalid_request_object"},
			"scope as a list":      {"app", with("scope", []string{"openid"}), "invalid_request_object"},
			"max_age of a half":    {"app", with("max_age", 0.5), "invalid_request"},
			"NUL inside":           {"app", with("state", "\x00"), "invalid_request_object"},
			"registration inside":  {"app", with("registration", map[string]any{}), "registration_not_supported"},
			"no response_type":     {"app", with("response_type", nil), "invalid_request"},
			"empty response_type":  {"app", with("response_type", ""), "invalid_request"},
			"another redirect_uri": {"app", with("redirect_uri", "https://evil.example/"), "invalid_request"},
			"no object":            {"app", signed(t, key, "", []byte(`[]`)), "invalid_request_object"},
			"null":                 {"app", signed(t, key, "", []byte(`null`)), "invalid_request_object"},
		} {
			form := url.Values{
				"client_id": {c.client}, "redirect_uri": {"https://app.example.com/"}, "response_type": {"code"},
				"scope": {"openid"}, "state": {"outside"}, "request": {c.object},
			}
			a, err := h.Authorize.Read(t.Context(), form)
			code, app := told(t, err)
			if code != c.want || code == "invalid_request_object" && !app || name == "another redirect_uri" && app {
				t.Errorf("%s: %q, told the app: %v, want %q", name, code, app, c.want)
			}
			if err == nil && a.State != "inside" {
				t.Errorf("%s: the state is %q", name, a.State)
			}
			if err != nil && code == "invalid_request_object" && strings.Contains(err.Error(), "evil") {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// encryptedFor encrypts something for the key that is published for an algorithm.
func encryptedFor(
	t testing.TB, h *oidctest.Stack, alg jose.KeyAlgorithm, enc jose.ContentEncryption, cty, content string,
) string {
	t.Helper()
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(h.Keys.Published(), &set); err != nil {
		t.Fatal(err)
	}
	for _, key := range set.Keys {
		if key.Use != "enc" || key.Algorithm != string(alg) {
			continue
		}
		encrypter, err := jose.NewEncrypter(
			enc, jose.Recipient{Algorithm: alg, Key: key.Key, KeyID: key.KeyID},
			new(jose.EncrypterOptions).WithContentType(jose.ContentType(cty)),
		)
		if err != nil {
			t.Fatal(err)
		}
		made, err := encrypter.Encrypt([]byte(content))
		if err != nil {
			t.Fatal(err)
		}
		compact, err := made.CompactSerialize()
		if err != nil {
			t.Fatal(err)
		}
		return compact
	}
	t.Fatalf("no key is published for %s", alg)
	return ""
}

// An app may encrypt what it has signed, in the way that it is registered for; what is encrypted counts no more than
// without that.
func TestEncryptedRequestObjects(t *testing.T) {
	t.Parallel()
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		encrypts := func(alg jose.KeyAlgorithm, enc jose.ContentEncryption) func(*clients.Client) {
			return func(c *clients.Client) {
				c.RequestEncryption = clients.Encryption{Alg: string(alg), Enc: string(enc)}
				c.RequireSignedRequest = true
			}
		}
		key, secret := signingApp(t, h, "app", encrypts(jose.RSA_OAEP_256, jose.A256GCM))
		curve, _ := signingApp(t, h, "curve", encrypts(jose.ECDH_ES_A128KW, ""))
		pinned, _ := signingApp(t, h, "pinned", func(c *clients.Client) {
			encrypts(jose.ECDH_ES, jose.A128GCM)(c)
			c.RequestObjectAlg = "PS256"
		})
		other, _ := signingApp(t, h, "other", nil)
		plain := asked(t, h, "app", nil)
		good := signed(t, key, "oauth-authz-req+jwt", plain)
		sealed := func(content string) string {
			return encryptedFor(t, h, jose.RSA_OAEP_256, jose.A256GCM, "JWT", content)
		}
		const undecryptable = "The request object cannot be taken: it is not encrypted by the algorithms that this client is " +
			"registered for, with a key that is published here, and without compression."
		for name, c := range map[string]struct{ client, object, want string }{
			"in order":          {"app", sealed(good), ""},
			"without a cty":     {"app", encryptedFor(t, h, jose.RSA_OAEP_256, jose.A256GCM, "", good), ""},
			"signed alone":      {"app", good, ""}, // OpenID Connect Dynamic Client Registration, section 2
			"by a curve":        {"curve", encryptedFor(t, h, jose.ECDH_ES_A128KW, jose.A128CBC_HS256, "JWT", signed(t, curve, "", asked(t, h, "curve", nil))), ""},
			"not signed":        {"app", sealed(unsigned(`{"alg":"none"}`, plain)), "it is not signed"},
			"no JWT":            {"app", sealed(string(plain)), "it is not a JWT"},
			"nothing":           {"app", sealed(""), "it is not a JWT"},
			"encrypted twice":   {"app", sealed(sealed(good)), "it is not a JWT"},
			"by another's key":  {"app", sealed(signed(t, other, "", plain)), "its signature is not"},
			"another algorithm": {"pinned", encryptedFor(t, h, jose.ECDH_ES, jose.A128GCM, "JWT", signed(t, pinned, "", asked(t, h, "pinned", nil))), "its algorithm is not the one"},
			"another kind":      {"app", sealed(signed(t, key, "client-authentication+jwt", plain)), "another kind of JWT"},
			"another's request": {"app", sealed(signed(t, key, "", asked(t, h, "other", nil))), "the client_id inside"},
			"expired":           {"app", sealed(signed(t, key, "", asked(t, h, "app", map[string]any{"exp": 1}))), "it has expired"},
			"not registered":    {"other", sealed(signed(t, other, "", asked(t, h, "other", nil))), "is not registered with"},
			"another enc":       {"app", encryptedFor(t, h, jose.RSA_OAEP_256, jose.A128GCM, "JWT", good), undecryptable},
			"another alg":       {"app", encryptedFor(t, h, jose.ECDH_ES, jose.A256GCM, "JWT", good), undecryptable},
			"changed":           {"app", sealed(good)[:300] + "A" + sealed(good)[301:], undecryptable},
			"four dots":         {"app", "a.b.c.d.e", undecryptable},
		} {
			form := url.Values{
				"client_id": {c.client}, "redirect_uri": {"https://app.example.com/"}, "response_type": {"code"},
				"scope": {"openid"}, "state": {"outside"}, "request": {c.object},
			}
			a, err := h.Authorize.Read(t.Context(), form)
			if c.want == "" && (err != nil || a.State != "inside") {
				t.Errorf("%s: %v", name, err)
			}
			if code, app := told(t, err); c.want != "" && (code != "invalid_request_object" || !app) {
				t.Errorf("%s: %q, told the app: %v", name, code, app)
			} else if c.want != "" && !strings.Contains(refusedWith(err), c.want) {
				t.Errorf("%s: %q, want %q", name, refusedWith(err), c.want)
			}
			_, _, err = h.Authorize.Push(t.Context(), pushed(c.client, secret, url.Values{"request": {c.object}}))
			if c.client == "app" && (err == nil) != (c.want == "") {
				t.Errorf("%s, pushed: %v", name, err)
			}
		}
	})
}

// refusedWith is what an app is told of a refusal.
func refusedWith(err error) string {
	var refused *authorize.Refusal
	if errors.As(err, &refused) {
		return refused.Reason.Description
	}
	return fmt.Sprint(err)
}

// What an app encrypts with is part of its registration, and an app that does not sign cannot encrypt.
func TestWhoMayEncryptRequests(t *testing.T) {
	t.Parallel()
	h := oidctest.New(t, storagetest.Open(t, storage.SQLite))
	key := oidctest.NewAppKey(t)
	for name, c := range map[string]struct {
		alg, enc, signing string
		keyless           bool
		want              string
	}{
		"in order":         {"ECDH-ES", "A128GCM", "", false, ""},
		"without an enc":   {"ECDH-ES", "", "", false, ""},
		"without an alg":   {"", "A128GCM", "", false, "needs request_object_encryption_alg"},
		"unknown alg":      {"RSA1_5", "", "", false, "RSA-OAEP, RSA-OAEP-256"},
		"by a secret":      {"dir", "", "", false, "is not one of"},
		"by a key of one":  {"A128KW", "", "", false, "is not one of"},
		"unknown enc":      {"ECDH-ES", "A192GCM", "", false, "A256CBC-HS512"},
		"without signing":  {"ECDH-ES", "", "none", false, "anybody can encrypt"},
		"without any keys": {"ECDH-ES", "", "", true, "needs public keys"},
	} {
		client := webApp("app"+strings.ReplaceAll(name, " ", "-"), true)
		client.JWKS = oidctest.JWKSOf(t, "app", key.Public())
		if c.keyless {
			client.JWKS = nil
		}
		client.RequestEncryption, client.RequestObjectAlg = clients.Encryption{Alg: c.alg, Enc: c.enc}, c.signing
		_, err := h.Clients.Create(t.Context(), client)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		if err == nil && client.RequestEncryption.Enc == "" {
			t.Errorf("%s: no enc", name)
		}
	}
}

// A client that has promised to sign is held to it, wherever its request comes in.
func TestSigningIsDemanded(t *testing.T) {
	t.Parallel()
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		key, secret := signingApp(t, h, "app", func(c *clients.Client) { c.RequireSignedRequest = true })
		object := signed(t, key, "", asked(t, h, "app", nil))
		if code, app := toldOf(t, h, pushed("app", "", nil).Form); code != "invalid_request" || !app {
			t.Errorf("a plain request: %q, told the app: %v", code, app)
		}
		_, _, err := h.Authorize.Push(t.Context(), pushed("app", secret, nil))
		var refused *oidc.Error
		if !errors.As(err, &refused) || refused.Code != "invalid_request" {
			t.Errorf("a plain request, pushed: %v", err)
		}
		browser := push(t, h, "app", secret, url.Values{"request": {object}, "state": {"outside"}, "redirect_uri": nil})
		for name, form := range map[string]url.Values{
			"by value": {"client_id": {"app"}, "request": {object}}, "pushed": browser,
		} {
			a, err := h.Authorize.Read(t.Context(), form)
			if err != nil || a.State != "inside" {
				t.Fatalf("%s: %v", name, err)
			}
			if _, err := h.Authorize.Resume(t.Context(), h.Authorize.Suspend(a, "b"), "b"); err != nil {
				t.Errorf("%s, taken up: %v", name, err)
			}
		}
	})
}

// Pages carry a long request object by its digest, and one row is kept of it however often it comes.
func TestLongRequestObjectsAreKept(t *testing.T) {
	t.Parallel()
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		key, _ := signingApp(t, h, "app", nil)
		alice := newcomer(t, h, "alice")
		form := url.Values{"client_id": {"app"}, "request": {
			signed(t, key, "", asked(t, h, "app", map[string]any{"state": strings.Repeat("s", 4000)})),
		}}
		for range 3 {
			a, err := h.Authorize.Read(t.Context(), form)
			if err != nil {
				t.Fatal(err)
			}
			sealed := h.Authorize.Suspend(a, "b")
			if len(sealed) > 400 {
				t.Errorf("a page carries %d bytes", len(sealed))
			}
			if a, err = h.Authorize.Resume(t.Context(), sealed, "b"); err != nil || len(a.State) != 4000 {
				t.Fatal(err)
			}
			if _, err := h.Authorize.Issue(t.Context(), a, alice, authorize.Decision{Scopes: a.Scopes}); err != nil {
				t.Error(err)
			}
		}
		count, err := h.Database.Reader().NewSelect().Model((*authorize.PushedRequest)(nil)).Count(t.Context())
		if err != nil || count != 1 {
			t.Errorf("%d rows, %v", count, err)
		}
	})
}

// By reference: only what is registered is fetched, and what the fragment is the digest of is fetched once.
func TestRequestObjectsByReference(t *testing.T) {
	t.Parallel()
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		fetched, object, encrypted := 0, "", ""
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fetched++
			switch r.URL.Path {
			case "/object":
				_, _ = w.Write([]byte(object + "\n"))
			case "/encrypted":
				_, _ = w.Write([]byte(encrypted))
			case "/long":
				_, _ = w.Write([]byte(strings.Repeat("x", 20<<10)))
			case "/elsewhere":
				http.Redirect(w, r, "/object", http.StatusFound)
			default:
				http.NotFound(w, r)
			}
		}))
		defer server.Close()
		key, _ := signingApp(t, h, "app", func(c *clients.Client) {
			for _, path := range []string{"/object#any", "/encrypted", "/long", "/elsewhere", "/missing"} {
				c.RequestURIs = append(c.RequestURIs, server.URL+path)
			}
			c.RequestEncryption.Alg = string(jose.ECDH_ES)
		})
		object = signed(t, key, "", asked(t, h, "app", nil))
		encrypted = encryptedFor(t, h, jose.ECDH_ES, jose.A128CBC_HS256, "JWT", object)
		digest := base64.RawURLEncoding.EncodeToString(storage.Digest(object + "\n"))
		for name, c := range map[string]struct {
			uri, want string
			fetches   int
		}{
			"in order":         {server.URL + "/object", "", 1},
			"encrypted":        {server.URL + "/encrypted", "", 1},
			"a fragment":       {server.URL + "/object#0", "", 1},
			"not registered":   {server.URL + "/object?x", "invalid_request_uri", 0},
			"another scheme":   {"file:///etc/passwd", "invalid_request_uri", 0},
			"another urn":      {"urn:x", "invalid_request_uri", 0},
			"too long":         {server.URL + "/long", "invalid_request_uri", 1},
			"redirected":       {server.URL + "/elsewhere", "invalid_request_uri", 1},
			"not there":        {server.URL + "/missing", "invalid_request_uri", 1},
			"known by content": {server.URL + "/object#" + digest, "", 1},
		} {
			fetched = 0
			form := url.Values{"client_id": {"app"}, "request_uri": {c.uri}, "redirect_uri": {"https://app.example.com/"}}
			for range 1 + c.fetches { // what is known by its content is not fetched again
				if code, app := toldOf(t, h, form); code != c.want || code != "" && !app {
					t.Errorf("%s: %q, told the app: %v", name, code, app)
				}
				if name != "known by content" {
					break
				}
			}
			if fetched != c.fetches {
				t.Errorf("%s: fetched %d times", name, fetched)
			}
			form.Set("request", object)
			if code, _ := toldOf(t, h, form); code != "invalid_request" {
				t.Errorf("%s, and by value: %q", name, code)
			}
		}
	})
}

// Any header and payload at all: no fault, and nothing is taken that the client has not signed.
func FuzzRequestObject(f *testing.F) {
	h := oidctest.New(f, storagetest.Open(f, storage.SQLite))
	key, _ := signingApp(f, h, "app", nil)
	plain := string(asked(f, h, "app", nil))
	for _, payload := range []string{plain, "", "{}", "[]", `{"state":1e400}`, `{"aud":[1]}`, `{"resource":["a","b"]}`,
		`{"claims":{"id_token":null}}`, `{"exp":"x"}`, `{"client_id":null}`, strings.Replace(plain, "inside", `\u0000`, 1)} {
		for _, header := range []string{`{"alg":"none"}`, `{"alg":"ES256"}`, `{"typ":"JWT"}`, `{}`, `x`, `{"alg":["none"]}`} {
			f.Add(header, payload, "", true)
			f.Add(header, payload, "AAAA", false)
		}
	}
	f.Fuzz(func(t *testing.T, header, payload, signature string, byClient bool) {
		object := unsigned(header, []byte(payload)) + signature
		if byClient {
			object = signed(t, key, "", []byte(payload))
		}
		a, err := h.Authorize.Read(t.Context(), url.Values{"client_id": {"app"}, "request": {object}})
		if err == nil {
			if !byClient || a.RedirectURI != "https://app.example.com/" {
				t.Fatalf("taken: %+v", a)
			}
			return
		}
		if code, _ := told(t, err); code == "server_error" || code == "" {
			t.Fatalf("a fault: %v", err)
		}
	})
}
