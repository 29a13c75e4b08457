package harness

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/wicket-id/wicket/federation"
	"github.com/wicket-id/wicket/identity"
)

// liar is an OpenID Provider that says what a test wants it to say, right or wrong. Nobody is asked who they are there.
type ScriptedProvider struct {
	*federation.Provider
	URL string
	Key *rsa.PrivateKey

	mu       sync.Mutex
	Metadata map[string]any                 // changes to the discovery document
	Claims   func(claims map[string]any)    // changes to the ID token
	Token    func(claims []byte) string     // signs it, if not as it should be
	Answer   func(parameters url.Values)    // changes to the answer that the browser takes back
	Userinfo func() map[string]any          // nil: there is no such endpoint
	Exchange func(http.ResponseWriter) bool // answers at the token endpoint in its place, if it returns true
	nonces   map[string]string              // by code
	Codes    []string                       // that came to the token endpoint
}

// StartProvider begins to believe a liar under that id.
func (h *Server) StartProvider(t testing.TB, id string, change func(*federation.Provider)) *ScriptedProvider {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	l := &ScriptedProvider{Key: key, nonces: make(map[string]string)}
	server := httptest.NewServer(l)
	t.Cleanup(server.Close)
	l.URL = strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
	l.Provider = &federation.Provider{
		ID: id, Kind: federation.KindOpenID, Name: "Liar", Issuer: l.URL, ClientID: "wicket", Secret: UpstreamSecret, Settings: federation.Settings{Registration: true},
	}
	if change != nil {
		change(l.Provider)
	}
	h.AddProvider(t, l.Provider)
	return l
}

// IssuerClaim is what its tokens and documents say.
func (l *ScriptedProvider) IssuerClaim() string {
	if l.Kind == federation.KindMicrosoft {
		return l.URL + "/" + UpstreamTenant + "/v2.0"
	}
	return l.URL
}

// Say replaces what the liar says from now on.
func (l *ScriptedProvider) Say(change func(*ScriptedProvider)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.Metadata, l.Claims, l.Token, l.Answer, l.Userinfo, l.Exchange = nil, nil, nil, nil, nil, nil
	change(l)
}

func (l *ScriptedProvider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	switch {
	case strings.HasSuffix(r.URL.Path, "/.well-known/openid-configuration"):
		document := map[string]any{
			"issuer": l.IssuerClaim(), "authorization_endpoint": l.URL + "/authorize", "token_endpoint": l.URL + "/token", "jwks_uri": l.URL + "/jwks",
			"id_token_signing_alg_values_supported": []string{"RS256", "HS256", "none"}, "authorization_response_iss_parameter_supported": true,
		}
		if l.Userinfo != nil {
			document["userinfo_endpoint"] = l.URL + "/userinfo"
		}
		maps.Copy(document, l.Metadata)
		_ = json.NewEncoder(w).Encode(document)
	case r.URL.Path == "/jwks":
		_ = json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: l.Key.Public(), KeyID: "liar", Algorithm: "RS256", Use: "sig"}}})
	case r.URL.Path == "/authorize":
		code := rand.Text()
		l.nonces[code] = r.URL.Query().Get("nonce")
		parameters := url.Values{"state": {r.URL.Query().Get("state")}, "code": {code}, "iss": {l.IssuerClaim()}}
		if l.Answer != nil {
			l.Answer(parameters)
		}
		http.Redirect(w, r, r.URL.Query().Get("redirect_uri")+"?"+parameters.Encode(), http.StatusSeeOther)
	case r.URL.Path == "/token":
		code := r.FormValue("code")
		l.Codes = append(l.Codes, code)
		if l.Exchange != nil && l.Exchange(w) {
			return
		}
		now := time.Now()
		claims := map[string]any{
			"iss": l.IssuerClaim(), "sub": "somebody", "aud": "wicket", "exp": now.Add(time.Minute).Unix(), "iat": now.Unix(), "nonce": l.nonces[code], "tid": UpstreamTenant,
			"email": "somebody@liar.example", "email_verified": true, "name": "Some Body",
		}
		if l.Claims != nil {
			l.Claims(claims)
		}
		encoded, _ := json.Marshal(claims)
		token := l.Sign(encoded)
		if l.Token != nil {
			token = l.Token(encoded)
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"access_token": "liar's access token", "token_type": "Bearer", "id_token": token})
	case r.URL.Path == "/userinfo":
		_ = json.NewEncoder(w).Encode(l.Userinfo())
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

func (l *ScriptedProvider) Sign(payload []byte) string { return Sign(jose.RS256, l.Key, payload) }

func Sign(alg jose.SignatureAlgorithm, key any, payload []byte) string {
	options := (&jose.SignerOptions{}).WithHeader("kid", "liar").WithType("JWT")
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, options)
	if err != nil {
		panic(err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		panic(err)
	}
	compact, err := signed.CompactSerialize()
	if err != nil {
		panic(err)
	}
	return compact
}

// LogoutToken is the payload of a logout token about somebody, with changes.
func LogoutToken(t testing.TB, l *ScriptedProvider, change map[string]any) []byte {
	t.Helper()
	claims := map[string]any{
		"iss": l.IssuerClaim(), "aud": "wicket", "sub": "somebody", "iat": time.Now().Unix(), "exp": time.Now().Add(time.Minute).Unix(), "jti": rand.Text(),
		"events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}},
	}
	for name, value := range change {
		if claims[name] = value; value == nil {
			delete(claims, name)
		}
	}
	encoded, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	return encoded
}

const (
	UpstreamSecret = "the secret that we have upstream"
	UpstreamTenant = "11111111-2222-3333-4444-555555555555"
)

func (h *Server) AddProvider(t testing.TB, p *federation.Provider) {
	t.Helper()
	if err := h.Upstreams.Add(t.Context(), p); err != nil {
		t.Fatal(err)
	}
}

// Linked returns the accounts of elsewhere that somebody signs in with.
func (h *Server) Linked(t testing.TB, user *identity.User) []identity.ExternalAccount {
	t.Helper()
	accounts, err := h.Identity.ExternalAccounts().List(t.Context(), user.ID)
	if err != nil {
		t.Fatal(err)
	}
	return accounts
}

// TokenClaims reads the claims of a JWT, whoever signed it.
func TokenClaims(t testing.TB, token string) map[string]any {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("%q is no JWT", token)
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	claims := make(map[string]any)
	if err := json.Unmarshal(payload, &claims); err != nil {
		t.Fatal(err)
	}
	return claims
}
