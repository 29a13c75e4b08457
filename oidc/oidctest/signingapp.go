package oidctest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"net/url"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"

	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
)

// SigningApp is a client that proves itself with a private key.
type SigningApp struct {
	*clients.Client
	Private *ecdsa.PrivateKey
	KID     string
}

// NewAppKey makes a key of an app, for ES256.
func NewAppKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return private
}

// JWKSOf is the JWK set with that public key.
func JWKSOf(t testing.TB, kid string, public crypto.PublicKey) json.RawMessage {
	t.Helper()
	set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: public, KeyID: kid, Use: "sig"}}})
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// NewSigningApp registers an app whose public key is in its metadata.
func (h *Stack) NewSigningApp(t testing.TB, id string) SigningApp {
	t.Helper()
	private := NewAppKey(t)
	app := SigningApp{Private: private, KID: id + "-1", Client: &clients.Client{
		ID: id, Name: "Signing app", AuthMethod: clients.AuthPrivateKeyJWT, GrantTypes: []string{oidc.GrantClientCredentials},
		Scopes: []string{"read"},
		JWKS:   JWKSOf(t, id+"-1", private.Public()),
	}}
	if secret := h.Add(t, app.Client); secret != "" {
		t.Error("a client with keys was given a secret")
	}
	return app
}

// Claims are those of an assertion that is in order.
func (h *Stack) Claims(app SigningApp) map[string]any {
	return map[string]any{
		"iss": app.ID, "sub": app.ID, "aud": TestIssuer, "jti": uuid.NewString(), "iat": h.Clock.Unix(),
		"exp": h.Clock.Add(time.Minute).Unix(),
	}
}

// Assertion signs claims with a key of an app.
func Assertion(t testing.TB, alg jose.SignatureAlgorithm, key any, kid string, claims map[string]any) string {
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

// Present asks for a token with an assertion and returns "" for success or the code of the error.
func (h *Stack) Present(t testing.TB, token string, change url.Values) string {
	t.Helper()
	form := url.Values{
		"grant_type": {oidc.GrantClientCredentials}, "client_assertion_type": {clients.AssertionType},
		"client_assertion": {token},
	}
	for name, values := range change {
		form[name] = values
	}
	tokens, _, err := h.Grants.Token(t.Context(), oidc.Request{Form: form})
	if err == nil && tokens.AccessToken == "" {
		t.Error("success without a token")
	}
	return refusal(err)
}

// RemoteApp registers an app whose keys are behind that URI.
func (h *Stack) RemoteApp(t *testing.T, uri string) SigningApp {
	t.Helper()
	app := SigningApp{Client: &clients.Client{
		Name: "App", AuthMethod: clients.AuthPrivateKeyJWT, GrantTypes: []string{oidc.GrantClientCredentials}, JWKSURI: uri,
	}}
	h.Add(t, app.Client)
	return app
}

// PresentAs asks for tokens as the app, with a new assertion that is signed with that key, and returns the error;
// empty: none.
func (h *Stack) PresentAs(t testing.TB, app SigningApp, kid string, private *ecdsa.PrivateKey) string {
	t.Helper()
	return h.Present(t, Assertion(t, jose.ES256, private, kid, h.Claims(app)), nil)
}
