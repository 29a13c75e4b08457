package clients_test

import (
	"encoding/json"
	"testing"

	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
)

// An app that keeps to a profile is registered with all that the profile demands, and with nothing that it forbids.
func TestProfile(t *testing.T) {
	t.Parallel()
	const key = `{"keys":[{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",` +
		`"y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}`
	for what, c := range map[string]struct {
		change func(*clients.Client)
		taken  bool
	}{
		"no more than its name":  {func(*clients.Client) {}, true},
		"EdDSA":                  {func(c *clients.Client) { c.IDTokenAlg = "EdDSA" }, true},
		"request objects, PS256": {func(c *clients.Client) { c.RequestObjectAlg = "PS256" }, true},
		"clients of its own": {func(c *clients.Client) {
			c.RedirectURIs, c.GrantTypes = nil, []string{oidc.GrantClientCredentials}
		}, true},
		"another profile":     {func(c *clients.Client) { c.Profile = "fapi3" }, false},
		"a secret":            {func(c *clients.Client) { c.AuthMethod = clients.AuthBasic }, false},
		"no secret":           {func(c *clients.Client) { c.AuthMethod = clients.AuthNone }, false},
		"RS256":               {func(c *clients.Client) { c.IDTokenAlg = "RS256" }, false},
		"RS256 of userinfo":   {func(c *clients.Client) { c.UserinfoAlg = "RS256" }, false},
		"RS256 of requests":   {func(c *clients.Client) { c.RequestObjectAlg = "RS256" }, false},
		"requests not signed": {func(c *clients.Client) { c.RequestObjectAlg = clients.AlgNone }, false},
		"a token in front":    {func(c *clients.Client) { c.ResponseTypes = []string{"code id_token"} }, false},
		"on the own machine":  {func(c *clients.Client) { c.RedirectURIs = []string{"http://127.0.0.1/cb"} }, true},
		"a scheme of its own": {func(c *clients.Client) { c.RedirectURIs = []string{"com.example.app:/cb"} }, false},
		"no keys":             {func(c *clients.Client) { c.JWKS = nil }, false},
	} {
		client := &clients.Client{
			Name: "App", Profile: clients.ProfileFAPI2, JWKS: json.RawMessage(key),
			RedirectURIs: []string{"https://app.example.com/cb"},
		}
		c.change(client)
		err := client.Complete()
		if (err == nil) != c.taken {
			t.Errorf("%s: %v", what, err)
		}
		if err == nil && !(client.RequirePAR && client.DPoPBound && client.RequirePKCE &&
			client.AuthMethod == clients.AuthPrivateKeyJWT && client.IDTokenAlg != "RS256" &&
			client.IntrospectionAlg == "ES256") {
			t.Errorf("%s: %+v", what, client)
		}
	}
}
