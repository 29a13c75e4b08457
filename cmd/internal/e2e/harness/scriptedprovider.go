package harness

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/wicket-id/wicket/federation"
	"github.com/wicket-id/wicket/oidc/keys/keystest"
)

// What every provider upstream knows Wicket by, and the tenant that one of the kind Microsoft has.
const (
	UpstreamSecret = "the secret that we have upstream"
	UpstreamTenant = "11111111-2222-3333-4444-555555555555"
)

// ScriptedProvider is an OpenID Provider that says what a test makes it say, right or wrong. It signs everybody in as
// the same person, without a page.
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

// StartProvider starts a scripted provider and registers it under that id.
func (h *Server) StartProvider(t testing.TB, id string, change func(*federation.Provider)) *ScriptedProvider {
	t.Helper()
	p := &ScriptedProvider{Key: keystest.RSAKey(t), nonces: make(map[string]string)}
	p.URL = ServeApp(t, p)
	p.Provider = &federation.Provider{
		ID: id, Kind: federation.KindOpenID, Name: "Scripted", Issuer: p.URL, ClientID: "wicket", Secret: UpstreamSecret,
		Settings: federation.Settings{Registration: true},
	}
	if change != nil {
		change(p.Provider)
	}
	h.AddProvider(t, p.Provider)
	return p
}

// Say makes it say something else from now on: what is right, but for what change sets.
func (p *ScriptedProvider) Say(change func(*ScriptedProvider)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.Metadata, p.Claims, p.Token, p.Answer, p.Userinfo, p.Exchange = nil, nil, nil, nil, nil, nil
	change(p)
}

// IssuerClaim is the issuer in its tokens and documents.
func (p *ScriptedProvider) IssuerClaim() string {
	if p.Kind == federation.KindMicrosoft {
		return p.URL + "/" + UpstreamTenant + "/v2.0"
	}
	return p.URL
}

func (p *ScriptedProvider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	switch {
	case strings.HasSuffix(r.URL.Path, "/.well-known/openid-configuration"):
		_ = json.NewEncoder(w).Encode(p.discovery())
	case r.URL.Path == "/jwks":
		key := jose.JSONWebKey{Key: p.Key.Public(), KeyID: scriptedKeyID, Algorithm: "RS256", Use: "sig"}
		_ = json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{key}})
	case r.URL.Path == "/authorize":
		p.authorize(w, r)
	case r.URL.Path == "/token":
		code := r.FormValue("code")
		p.Codes = append(p.Codes, code)
		if p.Exchange == nil || !p.Exchange(w) {
			_ = json.NewEncoder(w).Encode(p.tokens(code))
		}
	case r.URL.Path == "/userinfo":
		_ = json.NewEncoder(w).Encode(p.Userinfo())
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

func (p *ScriptedProvider) discovery() map[string]any {
	document := map[string]any{
		"issuer": p.IssuerClaim(), "authorization_endpoint": p.URL + "/authorize",
		"token_endpoint": p.URL + "/token", "jwks_uri": p.URL + "/jwks",
		"id_token_signing_alg_values_supported":          []string{"RS256", "HS256", "none"},
		"authorization_response_iss_parameter_supported": true,
	}
	if p.Userinfo != nil {
		document["userinfo_endpoint"] = p.URL + "/userinfo"
	}
	maps.Copy(document, p.Metadata)
	return document
}

func (p *ScriptedProvider) authorize(w http.ResponseWriter, r *http.Request) {
	asked, code := r.URL.Query(), rand.Text()
	p.nonces[code] = asked.Get("nonce")
	parameters := url.Values{"state": {asked.Get("state")}, "code": {code}, "iss": {p.IssuerClaim()}}
	if p.Answer != nil {
		p.Answer(parameters)
	}
	http.Redirect(w, r, asked.Get("redirect_uri")+"?"+parameters.Encode(), http.StatusSeeOther)
}

func (p *ScriptedProvider) tokens(code string) map[string]any {
	now := time.Now()
	claims := map[string]any{
		"iss": p.IssuerClaim(), "sub": "somebody", "aud": "wicket", "nonce": p.nonces[code], "tid": UpstreamTenant,
		"exp": now.Add(time.Minute).Unix(), "iat": now.Unix(),
		"email": "somebody@scripted.example", "email_verified": true, "name": "Some Body",
	}
	if p.Claims != nil {
		p.Claims(claims)
	}
	encoded, _ := json.Marshal(claims)
	token := p.Sign(encoded)
	if p.Token != nil {
		token = p.Token(encoded)
	}
	return map[string]any{"access_token": "scripted access token", "token_type": "Bearer", "id_token": token}
}

// LogoutToken is the payload of a logout token about its person, with changes.
func (p *ScriptedProvider) LogoutToken(t testing.TB, change map[string]any) []byte {
	t.Helper()
	now := time.Now()
	claims := map[string]any{
		"iss": p.IssuerClaim(), "aud": "wicket", "sub": "somebody", "jti": rand.Text(),
		"iat": now.Unix(), "exp": now.Add(time.Minute).Unix(),
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
