package harness

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/oidc/dpop"
)

// Where an app wants people to be sent, after they signed in and after they signed out.
const (
	RedirectURI = "http://localhost:9999/callback"
	LogoutURI   = "http://localhost:9999/"
)

// A PKCE pair: RFC 7636, appendix B.
const (
	CodeVerifier  = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	CodeChallenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
)

// Client is a registered app with its secret.
type Client struct {
	*clients.Client
	Secret string
}

// AddClient registers an app: confidential, with every grant type and one redirect URI, unless change says otherwise.
func (h *Server) AddClient(t testing.TB, change func(*clients.Client)) Client {
	t.Helper()
	client := &clients.Client{
		Name: "Test app", AuthMethod: clients.AuthPost, GrantTypes: oidc.GrantTypes, IDTokenAlg: "ES256",
		RedirectURIs: []string{RedirectURI}, PostLogoutRedirectURIs: []string{LogoutURI},
	}
	if change != nil {
		change(client)
	}
	if client.IsPublic() {
		client.GrantTypes = []string{oidc.GrantCode, oidc.GrantRefreshToken}
	}
	secret, err := h.Clients.Create(t.Context(), client)
	if err != nil {
		t.Fatal(err)
	}
	return Client{client, secret}
}

// NewClientKey returns a private key as a JWK and the set that publishes it.
func NewClientKey(t testing.TB) (private string, public []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	jwk := jose.JSONWebKey{Key: key, KeyID: "test key", Algorithm: string(jose.ES256), Use: "sig"}
	secret, err := jwk.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{jwk.Public()}})
	if err != nil {
		t.Fatal(err)
	}
	return string(secret), set
}

// AuthorizeURL is an authorization request of client, with parameters changed or, where empty, left out.
func (h *Server) AuthorizeURL(client Client, change url.Values) string {
	parameters := url.Values{
		"client_id": {client.ID}, "redirect_uri": {RedirectURI}, "response_type": {"code"},
		"scope": {"openid profile email offline_access"}, "state": {"the-state"}, "nonce": {"the-nonce"},
		"code_challenge": {CodeChallenge}, "code_challenge_method": {"S256"},
	}
	for name, values := range change {
		parameters[name] = values
		if len(values) == 1 && values[0] == "" {
			parameters.Del(name)
		}
	}
	return h.Issuer + oidc.PathAuthorize + "?" + parameters.Encode()
}

// PushedURL pushes an authorization request of client, as AuthorizeURL makes it, and returns where the browser goes
// then.
func (h *Server) PushedURL(t testing.TB, client Client, change url.Values) string {
	t.Helper()
	asked, err := url.Parse(h.AuthorizeURL(client, change))
	if err != nil {
		t.Fatal(err)
	}
	pushed := h.Call(t, oidc.PathPAR, client, asked.Query())
	if pushed.Status != http.StatusCreated {
		t.Fatalf("the request was not taken: %d %v", pushed.Status, pushed.JSON)
	}
	parameters := url.Values{"client_id": {client.ID}, "request_uri": {pushed.Text("request_uri")}}
	return h.Issuer + oidc.PathAuthorize + "?" + parameters.Encode()
}

// Answer is what an endpoint for apps says.
type Answer struct {
	Status int
	Header http.Header
	JSON   map[string]any // nil where the body is empty
}

// Text returns a member of the answer that is a string, and "" where there is none.
func (a Answer) Text(name string) string { text, _ := a.JSON[name].(string); return text }

// Call posts a form to an endpoint as client does. proofs are the values of the header DPoP.
func (h *Server) Call(t testing.TB, path string, client Client, form url.Values, proofs ...string) Answer {
	t.Helper()
	form.Set("client_id", client.ID)
	if client.Secret != "" {
		form.Set("client_secret", client.Secret)
	}
	request, err := http.NewRequest(http.MethodPost, h.Issuer+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for _, proof := range proofs {
		request.Header.Add(dpop.Header, proof)
	}
	return h.answer(t, request)
}

// Redeem exchanges a code for tokens. proofs are the values of the header DPoP.
func (h *Server) Redeem(t testing.TB, client Client, code string, proofs ...string) Answer {
	t.Helper()
	return h.Call(t, oidc.PathToken, client, url.Values{
		"grant_type": {oidc.GrantCode}, "code": {code}, "redirect_uri": {RedirectURI}, "code_verifier": {CodeVerifier},
	}, proofs...)
}

// Refresh exchanges a refresh token for new tokens. proofs are the values of the header DPoP.
func (h *Server) Refresh(t testing.TB, client Client, token string, proofs ...string) Answer {
	t.Helper()
	form := url.Values{"grant_type": {oidc.GrantRefreshToken}, "refresh_token": {token}}
	return h.Call(t, oidc.PathToken, client, form, proofs...)
}

// Userinfo asks who an access token is about.
func (h *Server) Userinfo(t testing.TB, accessToken string) Answer {
	t.Helper()
	return h.UserinfoBy(t, "Bearer "+accessToken)
}

// UserinfoBy asks with that header Authorization. proofs are the values of the header DPoP.
func (h *Server) UserinfoBy(t testing.TB, authorization string, proofs ...string) Answer {
	t.Helper()
	request, err := http.NewRequest(http.MethodGet, h.Issuer+oidc.PathUserinfo, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", authorization)
	for _, proof := range proofs {
		request.Header.Add(dpop.Header, proof)
	}
	return h.answer(t, request)
}

// answer sends a request and reads the JSON that comes back.
func (h *Server) answer(t testing.TB, request *http.Request) Answer {
	t.Helper()
	page := h.Send(t, request)
	result := Answer{Status: page.StatusCode, Header: page.Header}
	if strings.TrimSpace(page.Text) != "" {
		if err := json.Unmarshal([]byte(page.Text), &result.JSON); err != nil {
			t.Fatalf("%s: %s\n%s", request.URL.Path, err, page.Text)
		}
	}
	return result
}
