package sampleapp

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"
)

// provider is just enough of an OpenID provider to tell a good relying party from a careless one. It signs everybody in
// as Ada without asking, and answers wrongly where a test says so.
type provider struct {
	*httptest.Server
	key *ecdsa.PrivateKey

	mu       sync.Mutex
	asked    url.Values // the last authorization request
	refresh  string     // the refresh token that works
	rotation int

	answer func(url.Values)     // changes the authorization response
	claims func(map[string]any) // changes the ID token
}

func newProvider(t *testing.T) *provider {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p := &provider{key: key, answer: func(url.Values) {}, claims: func(map[string]any) {}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, r *http.Request) {
		reply(w, 200, map[string]any{
			"issuer": p.URL, "authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token",
			"userinfo_endpoint": p.URL + "/userinfo", "jwks_uri": p.URL + "/jwks", "end_session_endpoint": p.URL + "/logout",
			"id_token_signing_alg_values_supported": []string{"ES256"}, "authorization_response_iss_parameter_supported": true,
		})
	})
	mux.HandleFunc("GET /jwks", func(w http.ResponseWriter, r *http.Request) {
		point, _ := p.key.PublicKey.Bytes()
		reply(w, 200, map[string]any{"keys": []any{map[string]string{"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "k",
			"x": b64(point[1:33]), "y": b64(point[33:])}}})
	})
	mux.HandleFunc("GET /authorize", func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.asked = r.URL.Query()
		q := url.Values{"code": {"the-code"}, "state": {p.asked.Get("state")}, "iss": {p.URL}}
		p.answer(q)
		http.Redirect(w, r, p.asked.Get("redirect_uri")+"?"+q.Encode(), http.StatusSeeOther)
	})
	mux.HandleFunc("POST /token", p.token)
	mux.HandleFunc("GET /userinfo", func(w http.ResponseWriter, r *http.Request) {
		reply(w, 200, map[string]any{"sub": "ada", "given_name": "Ada", "email": "ada@example.org"})
	})
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	return p
}

func (p *provider) token(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	id, secret, _ := r.BasicAuth()
	digest := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	switch {
	case id != "daybook" || secret != "s3cret":
		reply(w, 401, map[string]any{"error": "invalid_client"})
		return
	case r.PostFormValue("grant_type") == "refresh_token" && r.PostFormValue("refresh_token") != p.refresh,
		r.PostFormValue("grant_type") == "authorization_code" &&
			(r.PostFormValue("code") != "the-code" || b64(digest[:]) != p.asked.Get("code_challenge")):
		reply(w, 400, map[string]any{"error": "invalid_grant", "error_description": "it was used or never given"})
		return
	}
	p.rotation++
	p.refresh = fmt.Sprintf("refresh-token-number-%d", p.rotation)
	claims := map[string]any{"iss": p.URL, "aud": "daybook", "sub": "ada", "nonce": p.asked.Get("nonce"),
		"iat": time.Now().Unix(), "exp": time.Now().Add(time.Minute).Unix()}
	p.claims(claims)
	reply(w, 200, map[string]any{"access_token": p.sign(
		map[string]any{"sub": "ada", "scope": "openid"},
	), "token_type": "Bearer",
		"expires_in": 300, "refresh_token": p.refresh, "id_token": p.sign(claims)})
}

func (p *provider) sign(claims map[string]any) string {
	payload, _ := json.Marshal(claims)
	input := b64([]byte(`{"alg":"ES256","kid":"k"}`)) + "." + b64(payload)
	digest := sha256.Sum256([]byte(input))
	r, s, _ := ecdsa.Sign(rand.Reader, p.key, digest[:])
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return input + "." + b64(signature)
}

func reply(w http.ResponseWriter, status int, answer any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer)
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
