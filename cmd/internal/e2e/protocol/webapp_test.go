package protocol

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// Web apps that are made as the tutorials of their libraries say know who has signed in, registered as wicket client
// create does if it is told no more than the redirect URI.
func TestWebApps(t *testing.T) {
	t.Parallel()
	databaseURL := storagetest.URL(t, storage.SQLite)
	h := harness.Start(t, databaseURL, func(c *harness.Config) { c.AllResponseTypes = true })
	for _, app := range []struct {
		name, callback string
		python         bool
	}{
		{"express-openid-connect", "/callback", false},
		{"express-openid-connect code", "/callback", false},
		{"@auth/express", "/auth/callback/wicket", false},
		{"next-auth 4", "/api/auth/callback/wicket", false},
		{"Flask", "/callback", true},
		{"Django", "/oidc/callback/", true},
	} {
		t.Run(app.name, func(t *testing.T) {
			t.Parallel()
			if app.python {
				harness.NeedPythonPackages(t)
			}
			origin := fmt.Sprintf("http://localhost:%d", harness.FreePort(t))
			client := h.AddClient(t, func(c *clients.Client) {
				c.AuthMethod, c.IDTokenAlg, c.GrantTypes = "", "", []string{oidc.GrantCode, oidc.GrantRefreshToken}
				c.RedirectURIs, c.PostLogoutRedirectURIs = []string{origin + app.callback}, []string{origin}
				if app.name == "express-openid-connect" { // without a secret it asks for an ID token alone
					c.ResponseTypes, c.GrantTypes = []string{"id_token"}, nil
				}
			})
			runNode(t, "webapp", "APP="+app.name, "ORIGIN="+origin, "ISSUER="+h.Issuer, "CLIENT_ID="+client.ID,
				"CLIENT_SECRET="+client.Secret, "USERNAME="+harness.Username, "PASSWORD="+harness.Password,
				"NAME="+harness.Name, "EMAIL="+harness.Email, "DATABASE="+filepath.Join(t.TempDir(), "app.db"))
		})
	}
}
