package protocol

import (
	"testing"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
)

// APIs that are protected as docs/protect-an-api.md says, by libraries for Node.js, take tokens for themselves alone.
func TestAPIsOnNode(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		addAPIs(t, h, nil)
		client := h.AddClient(t, func(c *clients.Client) {
			c.AuthMethod, c.APIs, c.GrantTypes = "", []string{orders, invoices}, []string{oidc.GrantClientCredentials}
		})
		runNode(t, "api", "ISSUER="+h.Issuer, "API="+orders, "OTHER_API="+invoices,
			"CLIENT_ID="+client.ID, "CLIENT_SECRET="+client.Secret)
	})
}
