package federation

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
	"golang.org/x/oauth2"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/cache"
	"github.com/wicket-id/wicket/storage/seal"
	"github.com/wicket-id/wicket/storage/storagetest"
)

var fuzzNow = time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)

// signedBy makes a JWT of any payload at all.
func signedBy(t testing.TB, key *ecdsa.PrivateKey, payload string) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, nil)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign([]byte(payload))
	if err != nil {
		t.Fatal(err)
	}
	token, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// isShown tells whether a text can be shown and kept by both databases.
func isShown(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool {
		return unicode.IsControl(r) && r != '\n' && r != '\r'
	})
}

// An ID token is believed only where the provider's key signed it and its claims say what OpenID Connect Core, section
// 3.1.3.7, demands; and what is kept of it is text that both databases take, and trusted no further than the settings
// say. The payload is signed as it is; the form is a recipe of header, payload and signature: %H, %P and %S.
func FuzzUpstreamIDToken(f *testing.F) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	const issuer = "https://acme.example"
	p := &Provider{ID: "acme", Kind: KindOpenID, Name: "Acme", Issuer: issuer, ClientID: "wicket", Settings: Settings{
		Emails: EmailsProved, Registration: true, Domains: []string{"example.com"}, TrustAMR: true, MultiFactor: "high",
		Profile: map[string]string{"name": "profile.name"}, Roles: []RoleRule{{Role: "admin", Claim: "groups", Value: "a"}},
	}}
	const payload = `{"iss":"https://acme.example","sub":"1","aud":"wicket","exp":1770091806,"iat":1770091500,"nonce":"n"}`
	f.Add(payload, "%H.%P.%S", false)
	for _, change := range []string{
		`}|,"email":"a@example.com","email_verified":true,"name":"A","preferred_username":"a","groups":["a"]}`, `}|,"email":"a@example.com","email_verified":"true"}`,
		`}|,"email":"a\u0000@example.com","xms_edov":1}`, `}|,"email":"a@evil.example","email":"b@example.com","email_verified":true}`, `}|,"x\u0000":{"y\u0000":["\u0000"]}}`,
		`}|,"azp":"other"}`, `"wicket"|["wicket","other"]`, `"wicket"|["wicket","other"],"azp":"wicket"`, `"wicket"|"other"`, `"wicket"|[]`, `"n"|"m"`, `"n"|null`, `"nonce":"n"|"NONCE":"n"`,
		`1770091806|1`, `1770091806|1e300`, `1770091806|"1770091806"`, `1770091500|99999999999`, `1770091500|null`, `"1"|""`, `"1"|"a\u0000"`, `"1"|1`, `acme.example"|acme.example/"`,
		`}|,"auth_time":-1}`, `}|,"auth_time":1e308}`, `}|,"auth_time":1770000000,"amr":["mfa","pwd","<b>"],"acr":"high"}`, `}|,"amr":{}}`, `}|,"at_hash":"x"}`, `}|,"nbf":9999999999}`,
		`}|,"profile":{"name":"A\u0007"},"profile.name":"B"}`, `}|,"sid":"` + strings.Repeat("s", 300) + `"}`, `}|,"email":"İ@EXAMPLE.com","email_verified":true}`, `{|[`, `}|}}`, `}|,"aud":"other"}`,
		`}|,"email":["a@example.com"],"email_verified":{"a":1}}`, `}|,"groups":{"a":null}}`, `}|,"x":` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + `}`,
	} {
		from, to, _ := strings.Cut(change, "|")
		f.Add(strings.Replace(payload, from, to, 1), "%H.%P.%S", len(change)%2 == 0)
	}
	for _, form := range []string{
		"", "%H.%P.", "%H.%P.%S.", "%P.%H.%S", "eyJhbGciOiJub25lIn0.%P.", "%H.%P.%SA", `{"payload":"%P","protected":"%H","signature":"%S"}`, " %H.%P.%S", "%H.%P.%S\n", "eyJhbGciOiJIUzI1NiJ9.%P.%S",
	} {
		f.Add(payload, form, false)
	}
	f.Fuzz(func(t *testing.T, payload, form string, again bool) {
		if payload == "" {
			return
		}
		parts := strings.Split(signedBy(t, key, payload), ".")
		token := strings.NewReplacer("%H", parts[0], "%P", parts[1], "%S", parts[2]).Replace(form)
		oauthToken := (&oauth2.Token{AccessToken: "access"}).WithExtra(map[string]any{"id_token": token})
		r := &tokenResponse{
			Token: oauthToken, provider: p, now: func() time.Time { return fuzzNow },
			metadata: &metadata{
				Issuer: issuer, Algorithms: []string{gooidc.ES256},
				keys: &gooidc.StaticKeySet{PublicKeys: []crypto.PublicKey{key.Public()}},
			},
			request: &Request{CreatedAt: fuzzNow.Add(-time.Minute)}, pending: &pendingRequest{Nonce: "n", Again: again},
		}
		verified, err := r.readIDToken(t.Context(), openIDProvider{})
		if err != nil {
			if !errors.Is(err, ErrInvalidResponse) {
				t.Fatalf("%q of %q: a fault: %v", token, payload, err)
			}
			return
		}
		var claims struct {
			Issuer   string      `json:"iss"`
			Subject  string      `json:"sub"`
			Audience any         `json:"aud"`
			Expiry   json.Number `json:"exp"` // the library takes a number in quotes too
			Nonce    string
			AZP      string
		}
		_ = json.Unmarshal([]byte(payload), &claims)
		expiry, _ := claims.Expiry.Float64()
		audience, several := claims.Audience.([]any)
		if !strings.HasPrefix(token, parts[0]+"."+parts[1]+".") || claims.Issuer != issuer ||
			claims.Subject != verified.Subject ||
			claims.Nonce != "n" || expiry < float64(fuzzNow.Unix()) || !several && claims.Audience != "wicket" ||
			several && (!slices.Contains(audience, any("wicket")) || len(audience) > 1 && claims.AZP != "wicket") {
			t.Fatalf("%q of %q is believed", token, payload)
		}
		external, err := p.external(verified, oauthToken)
		if err != nil {
			t.Fatalf("%q: a fault: %v", payload, err)
		}
		checkExternal(t, payload, external)
		if external.MayRegister && !strings.HasSuffix(external.Email, "@example.com") &&
			!strings.HasSuffix(strings.ToLower(external.Email), "@example.com") {
			t.Fatalf("%q may register with %q", payload, external.Email)
		}
	})
}

// checkExternal fails where something of an account could not be kept, or is trusted further than the settings say.
func checkExternal(t *testing.T, payload string, external identity.External) {
	t.Helper()
	texts := []string{
		external.Subject, external.Label, external.Email, external.Username, external.SID, external.Evidence.ACR,
	}
	for _, profile := range []map[string]string{external.InitialProfile, external.SyncedProfile} {
		for _, value := range profile {
			texts = append(texts, value)
		}
	}
	for _, text := range append(texts, external.Evidence.AMR...) {
		if !isShown(text) || len(text) > 2000 {
			t.Fatalf("of %q is kept %q", payload, text)
		}
	}
	if external.Subject == "" || external.Label == "" || len(external.Evidence.AMR) > 12 ||
		external.EmailsAuthoritative || external.EmailProved && external.Email == "" {
		t.Fatalf("of %q is made %+v", payload, external)
	}
	if !json.Valid(external.Claims) || len(external.Claims) > 16<<10 || hasNUL(external.Claims) {
		t.Fatalf("of %q are kept the claims %s", payload, external.Claims)
	}
}

// hasNUL tells whether JSON holds the character that PostgreSQL refuses in it, by reading it.
func hasNUL(encoded []byte) bool {
	decoder := json.NewDecoder(strings.NewReader(string(encoded)))
	for {
		token, err := decoder.Token()
		if err != nil {
			return false
		}
		if text, ok := token.(string); ok && strings.Contains(text, "\x00") {
			return true
		}
	}
}

// A response is taken only where it answers the request of this browser, once, and comes from the provider that was
// asked; whatever that provider's token endpoint says then, nothing of it is a fault of ours. %S is the state.
func FuzzUpstreamCallback(f *testing.F) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	var answer atomic.Value // of the token endpoint
	answer.Store("")
	var asked atomic.Int64
	mux := http.NewServeMux()
	provider := httptest.NewServer(mux)
	f.Cleanup(provider.Close)
	write := func(w http.ResponseWriter, text string) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(text))
	}
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		write(w, strings.ReplaceAll(`{"issuer":"%I","authorization_endpoint":"%I/authorize","token_endpoint":"%I/token","jwks_uri":"%I/jwks",
			"id_token_signing_alg_values_supported":["ES256"],"authorization_response_iss_parameter_supported":true}`, "%I", provider.URL))
	})
	mux.HandleFunc("/jwks", func(w http.ResponseWriter, _ *http.Request) {
		public := jose.JSONWebKey{Key: key.Public(), Algorithm: "ES256", Use: "sig"}
		set, _ := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{public}})
		write(w, string(set))
	})
	mux.HandleFunc("/token", func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		write(w, answer.Load().(string))
	})
	db := storagetest.Open(f, storage.SQLite)
	clock := func() time.Time { return fuzzNow }
	keys, err := seal.Parse(seal.NewMasterKey())
	if err != nil {
		f.Fatal(err)
	}
	p := Provider{
		ID: "acme", Kind: KindOpenID, Name: "Acme", Issuer: provider.URL, ClientID: "wicket", Secret: "secret", IsActive: true,
		Named: true, Settings: Settings{AllowPrivate: true},
	}
	if err := p.Check(); err != nil {
		f.Fatal(err)
	}
	u := &Upstreams{
		Issuer: "https://id.example.com", Database: db, Cache: cache.NewLocal(clock), Seal: keys, Now: clock,
		Identity: &identity.Store{Database: db, Now: clock}, Named: func() []Provider { return []Provider{p} },
	}
	const good = `{"access_token":"a","token_type":"Bearer","id_token":"%T"}`
	for _, query := range []string{
		"", "state=%S&code=c&iss=%I", "state=%S&code=c", "state=%S&code=c&iss=https://evil.example", "state=%S&error=access_denied&error_description=%00x&iss=%I", "state=x&code=c&iss=%I",
		"state=%S&state=%S&code=c&iss=%I", "state=%S&code=c&code=d&iss=%I", "state=%S&iss=%I", "state=%S&code=%00&iss=%I", "state=%S&error=%0a%3Cb%3E&iss=%I",
		"state=%S&code=c&iss=%I&error=", "STATE=%S&code=c&iss=%I", "state=%S%20&code=c&iss=%I",
	} {
		f.Add(query, good)
	}
	for _, response := range []string{
		"", "{}", "[]", `{"access_token":"a"}`, `{"access_token":"a","token_type":"Bearer","id_token":7}`, `{"access_token":"a","token_type":"Bearer","id_token":"x.y.z"}`, `{"error":"invalid_grant","error_description":"\u0000"}`,
		`{"access_token":"","id_token":"%T"}`, `{"access_token":"a","token_type":"N_A","id_token":"%T","expires_in":"x"}`, `access_token=a&id_token=%T`, `{"access_token":"a","token_type":"Bearer","id_token":"%T","expires_in":-1e99}`,
	} {
		f.Add("state=%S&code=c&iss=%I", response)
	}
	f.Fuzz(func(t *testing.T, query, response string) {
		u.Cache = cache.NewLocal(clock) // of limits
		begun, err := u.Begin(t.Context(), "acme", RequestOptions{Browser: "browser", Continue: "continue"})
		if err != nil {
			t.Fatal(err)
		}
		sent, err := url.Parse(begun)
		if err != nil {
			t.Fatal(err)
		}
		state, nonce := sent.Query().Get("state"), sent.Query().Get("nonce")
		form, err := url.ParseQuery(strings.NewReplacer("%S", state, "%I", url.QueryEscape(provider.URL)).Replace(query))
		if err != nil {
			return
		}
		token := signedBy(t, key, `{"iss":"`+provider.URL+`","sub":"1","aud":"wicket","exp":1770091806,"iat":1770091500,"nonce":"`+nonce+`"}`)
		answer.Store(strings.ReplaceAll(response, "%T", token))
		for _, browser := range []string{"", "another"} {
			if got, err := u.Return(t.Context(), "acme", form, browser); got != nil || !errors.Is(err, ErrRequest) {
				t.Fatalf("%q in the browser %q: %+v, %v", query, browser, got, err)
			}
		}
		before := asked.Load()
		got, err := u.Return(t.Context(), "acme", form, "browser")
		var denied *Denied
		known := err == nil || errors.Is(err, ErrRequest) || errors.Is(err, ErrInvalidResponse) ||
			errors.Is(err, ErrUnreachable) || errors.As(err, &denied)
		if !known || (got == nil) != errors.Is(err, ErrRequest) {
			t.Fatalf("%q and %q: %+v, %v", query, response, got, err)
		}
		if denied != nil && (!isShown(denied.Code) || !isShown(denied.Description)) {
			t.Fatalf("%q: denied with %q", query, denied)
		}
		if got != nil && (form.Get("state") != state || got.Continue != "continue") {
			t.Fatalf("%q: %+v", query, got)
		}
		if asked.Load() > before && (form.Get("iss") != provider.URL || form.Get("code") == "") {
			t.Fatalf("%q: the token endpoint was asked", query)
		}
		if err == nil && (got.External.Subject != "1" || !strings.Contains(response, "%T")) {
			t.Fatalf("%q and %q: %+v", query, response, got)
		}
		if again, err := u.Return(t.Context(), "acme", form, "browser"); again != nil || !errors.Is(err, ErrRequest) {
			t.Fatalf("%q a second time: %+v, %v", query, again, err)
		}
	})
}
