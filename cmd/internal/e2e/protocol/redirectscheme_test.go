package protocol

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/oidc/registration"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// Apps have schemes without a dot where the operator says so, whichever way they become known, and people are asked
// each time.
func TestRedirectSchemesWithoutADot(t *testing.T) {
	t.Parallel()
	const callback = "cursor://anysphere.cursor-mcp/oauth/callback"
	storagetest.EachURL(t, func(t *testing.T, databaseURL string) {
		h := harness.Start(t, databaseURL, func(c *harness.Config) {
			c.RedirectSchemes, c.ClientRegistration = []string{"cursor"}, registration.Open
			c.ClientDocuments, c.AllowPrivate = registration.Documents{Any: true}, true
		})
		strict := h.Replica(t, func(c *harness.Config) { c.RedirectSchemes = nil })
		described := func(redirect string) string {
			host := startHost(t)
			host.serves(host.URL+"/client.json", metadata{"redirect_uris": []string{redirect}})
			return host.URL + "/client.json"
		}
		own := h.AddClient(t, func(c *clients.Client) {
			c.AuthMethod, c.RedirectURIs = clients.AuthNone, []string{callback}
		})
		registered := registers(t, h, http.MethodPost, oidc.PathClients, "", metadata{
			"redirect_uris": []string{callback}, "token_endpoint_auth_method": "none", "client_name": "Cursor",
		})
		id, _ := registered.JSON["client_id"].(string)
		b := h.NewBrowser(t)
		b.SignIn(t, harness.Page{})
		for name, id := range map[string]string{"by hand": own.ID, "itself": id, "document": described(callback)} {
			ask := url.Values{"client_id": {id}, "redirect_uri": {callback}}
			for range 2 { // nothing is remembered that another program could use
				consent := b.Get(t, h.AuthorizeURL(own, ask))
				allowed := policy(consent.Header.Get("Content-Security-Policy"))["form-action"]
				if !slices.Contains(allowed, "cursor:") || !strings.Contains(consent.Text, "cursor") {
					t.Fatalf("%s: %s %s, form-action %q\n%s", name, consent.Status, consent.Path(), allowed, consent.Text)
				}
				answer := b.ContinueToApp(t, consent)
				if consent.Path() == "/consent" {
					answer = b.Allow(t, consent)
				}
				if got := answer.Header.Get("Location"); !strings.HasPrefix(got, callback+"?") || !strings.Contains(got, "code=") {
					t.Errorf("%s: sent to %q", name, got)
				}
			}
			refused := strict.NewBrowser(t).Get(t, strict.AuthorizeURL(own, ask))
			if refused.StatusCode != http.StatusBadRequest || refused.Header.Get("Location") != "" {
				t.Errorf("%s, where it is not allowed: %s", name, refused.Status)
			}
		}
		for name, c := range map[string]struct {
			server   *harness.Server
			redirect string
			method   string
		}{
			"not allowed":        {strict, callback, "none"},
			"another":            {h, "vscode://callback", "none"},
			"with a secret":      {h, callback, "client_secret_basic"},
			"never an app's":     {h, "javascript:alert(1)", "none"},
			"as if it were http": {h, "httpx://app.example/cb", "none"},
		} {
			answer := registers(t, c.server, http.MethodPost, oidc.PathClients, "", metadata{
				"redirect_uris": []string{c.redirect}, "token_endpoint_auth_method": c.method,
			})
			if answer.Status != http.StatusBadRequest || answer.JSON["error"] != "invalid_redirect_uri" {
				t.Errorf("%s: registered, %d %v", name, answer.Status, answer.JSON)
			}
			if c.method != "none" {
				continue
			}
			ask := url.Values{"client_id": {described(c.redirect)}, "redirect_uri": {c.redirect}}
			shown := c.server.NewBrowser(t).Get(t, c.server.AuthorizeURL(own, ask))
			if shown.StatusCode != http.StatusBadRequest || shown.Header.Get("Location") != "" {
				t.Errorf("%s: let in by a document, %s", name, shown.Status)
			}
		}
	})
}
