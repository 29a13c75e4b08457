package main

import (
	"crypto/rand"
	"crypto/rsa"
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
)

// liar is an OpenID Provider that says what a test wants it to say, right or wrong. Nobody is asked who they are there.
type liar struct {
	*federation.Provider
	url string
	key *rsa.PrivateKey

	mu       sync.Mutex
	metadata map[string]any                 // changes to the discovery document
	claims   func(claims map[string]any)    // changes to the ID token
	token    func(claims []byte) string     // signs it, if not as it should be
	answer   func(parameters url.Values)    // changes to the answer that the browser takes back
	userinfo func() map[string]any          // nil: there is no such endpoint
	exchange func(http.ResponseWriter) bool // answers at the token endpoint in its place, if it returns true
	nonces   map[string]string              // by code
	codes    []string                       // that came to the token endpoint
}

// startLiar begins to believe a liar under that id.
func (h *openHouse) startLiar(t testing.TB, id string, change func(*federation.Provider)) *liar {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	l := &liar{key: key, nonces: make(map[string]string)}
	server := httptest.NewServer(l)
	t.Cleanup(server.Close)
	l.url = strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
	l.Provider = &federation.Provider{
		ID: id, Kind: federation.KindOpenID, Name: "Liar", Issuer: l.url, ClientID: "wicket", Secret: upstreamSecret,
		Settings: federation.Settings{Registration: true},
	}
	if change != nil {
		change(l.Provider)
	}
	h.believe(t, l.Provider)
	return l
}

// issuer is what its tokens and documents say.
func (l *liar) issuer() string {
	if l.Kind == federation.KindMicrosoft {
		return l.url + "/" + upstreamTenant + "/v2.0"
	}
	return l.url
}

// tells replaces what the liar says from now on.
func (l *liar) tells(change func(*liar)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.metadata, l.claims, l.token, l.answer, l.userinfo, l.exchange = nil, nil, nil, nil, nil, nil
	change(l)
}

func (l *liar) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	switch {
	case strings.HasSuffix(r.URL.Path, "/.well-known/openid-configuration"):
		document := map[string]any{
			"issuer": l.issuer(), "authorization_endpoint": l.url + "/authorize", "token_endpoint": l.url + "/token",
			"jwks_uri":                                       l.url + "/jwks",
			"id_token_signing_alg_values_supported":          []string{"RS256", "HS256", "none"},
			"authorization_response_iss_parameter_supported": true,
		}
		if l.userinfo != nil {
			document["userinfo_endpoint"] = l.url + "/userinfo"
		}
		maps.Copy(document, l.metadata)
		_ = json.NewEncoder(w).Encode(document)
	case r.URL.Path == "/jwks":
		_ = json.NewEncoder(w).Encode(jose.JSONWebKeySet{
			Keys: []jose.JSONWebKey{{Key: l.key.Public(), KeyID: "liar", Algorithm: "RS256", Use: "sig"}},
		})
	case r.URL.Path == "/authorize":
		code := rand.Text()
		l.nonces[code] = r.URL.Query().Get("nonce")
		parameters := url.Values{"state": {r.URL.Query().Get("state")}, "code": {code}, "iss": {l.issuer()}}
		if l.answer != nil {
			l.answer(parameters)
		}
		http.Redirect(w, r, r.URL.Query().Get("redirect_uri")+"?"+parameters.Encode(), http.StatusSeeOther)
	case r.URL.Path == "/token":
		code := r.FormValue("code")
		l.codes = append(l.codes, code)
		if l.exchange != nil && l.exchange(w) {
			return
		}
		now := time.Now()
		claims := map[string]any{
			"iss": l.issuer(), "sub": "somebody", "aud": "wicket", "exp": now.Add(time.Minute).Unix(), "iat": now.Unix(),
			"nonce": l.nonces[code], "tid": upstreamTenant,
			"email": "somebody@liar.example", "email_verified": true, "name": "Some Body",
		}
		if l.claims != nil {
			l.claims(claims)
		}
		encoded, _ := json.Marshal(claims)
		token := l.sign(encoded)
		if l.token != nil {
			token = l.token(encoded)
		}
		_ = json.NewEncoder(w).Encode(map[string]any{
			"access_token": "liar's access token", "token_type": "Bearer", "id_token": token,
		})
	case r.URL.Path == "/userinfo":
		_ = json.NewEncoder(w).Encode(l.userinfo())
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

func (l *liar) sign(payload []byte) string { return sign(jose.RS256, l.key, payload) }

func sign(alg jose.SignatureAlgorithm, key any, payload []byte) string {
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

// logoutToken is the payload of a logout token about somebody, with changes.
func logoutToken(t testing.TB, l *liar, change map[string]any) []byte {
	t.Helper()
	claims := map[string]any{
		"iss": l.issuer(), "aud": "wicket", "sub": "somebody", "iat": time.Now().Unix(),
		"exp": time.Now().Add(time.Minute).Unix(), "jti": rand.Text(),
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
