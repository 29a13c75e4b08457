package protocol

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/oidc/clients"
)

// PKCE is demanded of a client with a secret where the operator says so, of it or of all.
func TestPKCEIsDemandedOfConfidentialClients(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		strict := h.Replica(t, func(c *harness.Config) { c.RequirePKCE = true })
		lax := h.AddClient(t, nil)
		bound := h.AddClient(t, func(c *clients.Client) { c.RequirePKCE = true })
		without := url.Values{"code_challenge": nil, "code_challenge_method": nil}
		for name, c := range map[string]struct {
			server *harness.Server
			client harness.Client
			change url.Values
			want   string
		}{
			"not demanded":                {h, lax, without, ""},
			"demanded of the client":      {h, bound, without, "invalid_request"},
			"demanded of it, and given":   {h, bound, nil, ""},
			"demanded of all":             {strict, lax, without, "invalid_request"},
			"demanded of all, and given":  {strict, lax, nil, ""},
			"given by the method plain":   {strict, lax, url.Values{"code_challenge_method": {"plain"}}, "invalid_request"},
			"demanded of both, not given": {strict, bound, without, "invalid_request"},
		} {
			shown := c.server.NewBrowser(t).Get(t, c.server.AuthorizeURL(c.client, c.change))
			location, err := shown.Location()
			got := ""
			if err == nil {
				got = location.Query().Get("error")
			}
			if got != c.want || shown.StatusCode >= http.StatusInternalServerError {
				t.Errorf("%s: %q, want %q (%s)", name, got, c.want, shown.Status)
			}
		}
	})
}
