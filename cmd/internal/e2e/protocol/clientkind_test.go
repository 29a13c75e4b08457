package protocol

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
)

// clientKind is a way to be a client.
type clientKind struct {
	harness.Client
	key *ecdsa.PrivateKey // of private_key_jwt
}

// clientKinds registers a client of every kind. They are trusted, so that what is in order ends in a code and not at a
// page.
func clientKinds(t testing.TB, h *harness.Server) map[string]clientKind {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	jwks, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "k", Use: "sig"}}})
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]clientKind{}
	for name, change := range map[string]func(*clients.Client){
		"post":    func(*clients.Client) {},
		"basic":   func(c *clients.Client) { c.AuthMethod = clients.AuthBasic },
		"public":  func(c *clients.Client) { c.AuthMethod = clients.AuthNone },
		"signing": func(c *clients.Client) { c.AuthMethod, c.JWKS = clients.AuthPrivateKeyJWT, jwks },
		"several": func(c *clients.Client) {
			c.RedirectURIs = []string{harness.RedirectURI, harness.RedirectURI + "?tenant=1", "https://app.example.com/cb"}
		},
		"native": func(c *clients.Client) {
			c.AuthMethod, c.RedirectURIs = clients.AuthNone, []string{"http://127.0.0.1/callback"}
		},
		"machine": func(c *clients.Client) { c.GrantTypes, c.RedirectURIs = []string{oidc.GrantClientCredentials}, nil },
	} {
		client := h.AddClient(t, func(c *clients.Client) {
			change(c)
			c.IsTrusted = !slices.ContainsFunc(c.RedirectURIs, c.MayBeImpersonated)
		})
		kinds[name] = clientKind{client, key}
	}
	return kinds
}

// prove makes a request's proof of who the client is: parameters and the header Authorization.
func (k clientKind) prove(t testing.TB, issuer string, form url.Values) (header string) {
	t.Helper()
	switch k.AuthMethod {
	case clients.AuthBasic:
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(k.ID+":"+k.Secret))
	case clients.AuthPost:
		form.Set("client_id", k.ID)
		form.Set("client_secret", k.Secret)
	case clients.AuthNone:
		form.Set("client_id", k.ID)
	case clients.AuthPrivateKeyJWT:
		signer, err := jose.NewSigner(
			jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: k.key, KeyID: "k"}}, nil,
		)
		if err != nil {
			t.Fatal(err)
		}
		signed, err := jwt.Signed(signer).
			Claims(
				jwt.Claims{
					Issuer: k.ID, Subject: k.ID, Audience: jwt.Audience{issuer}, ID: rand.Text(),
					Expiry: jwt.NewNumericDate(time.Now().Add(time.Minute)),
				},
			).
			Serialize()
		if err != nil {
			t.Fatal(err)
		}
		form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
		form.Set("client_assertion", signed)
	}
	return ""
}
