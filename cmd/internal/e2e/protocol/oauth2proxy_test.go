package protocol

import (
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// oauth2-proxy, set up as docs/apps/oauth2-proxy.md says, lets in who holds the role, says who it is to what is behind
// it, keeps others out, and signs people out of Wicket too.
func TestOAuth2Proxy(t *testing.T) {
	t.Parallel()
	program := harness.OAuth2Proxy(t)
	h := harness.Start(t, storagetest.URL(t, storage.SQLite))
	behind := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintf(w, "behind the proxy as %s", r.Header.Get("X-Forwarded-Email"))
	}))
	t.Cleanup(behind.Close)
	origin := fmt.Sprintf("http://localhost:%d", harness.FreePort(t))
	client := h.AddClient(t, func(c *clients.Client) {
		c.AuthMethod, c.IDTokenAlg, c.GrantTypes = "", "", []string{oidc.GrantCode, oidc.GrantRefreshToken}
		c.RedirectURIs, c.PostLogoutRedirectURIs = []string{origin + "/oauth2/callback"}, []string{origin + "/"}
		c.Scopes = []string{"openid", "profile", "email", "roles"}
	})
	settings := filepath.Join(t.TempDir(), "oauth2-proxy.cfg")
	issuer, _ := url.Parse(h.Issuer)
	if err := os.WriteFile(settings, fmt.Appendf(nil, `
provider = "oidc"
oidc_issuer_url = %q
client_id = %q
client_secret = %q
cookie_secret = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY="
cookie_secure = false
redirect_url = %q
scope = "openid profile email roles"
code_challenge_method = "S256"
email_domains = ["*"]
upstreams = [%q]
http_address = %q
oidc_groups_claim = "roles"
allowed_groups = ["internal-tools"]
whitelist_domains = [%q]
skip_provider_button = true
`, h.Issuer, client.ID, client.Secret, origin+"/oauth2/callback", behind.URL, strings.TrimPrefix(origin, "http://"),
		issuer.Host), 0o600); err != nil {
		t.Fatal(err)
	}
	harness.StartApp(t, origin+"/ping", exec.CommandContext(t.Context(), program, "--config", settings))

	// enter goes to the app in a new browser, signs in where Wicket asks for it, and allows what the app asks for.
	enter := func() (*harness.Browser, harness.Page) {
		b := h.NewBrowser(t).FollowingAll()
		shown := b.Get(t, origin+"/report")
		if !strings.Contains(shown.Text, `id="sign-in"`) {
			t.Fatalf("no sign-in but %s\n%s", shown.Status, shown.Text)
		}
		if shown = b.SignIn(t, shown); strings.Contains(shown.Text, `id="allow"`) {
			shown = b.Post(t, "/consent", url.Values{
				"decision": {"allow"}, "continue": {shown.Continue()}, "scope": {"profile", "email", "roles"},
			})
		}
		return b, shown
	}
	if _, shown := enter(); shown.StatusCode != http.StatusForbidden {
		t.Errorf("without the role: %s\n%s", shown.Status, shown.Text)
	}
	if err := h.Identity.Roles().Grant(t.Context(), h.User.ID, "internal-tools"); err != nil {
		t.Fatal(err)
	}
	b, shown := enter()
	if shown.StatusCode != http.StatusOK || shown.Text != "behind the proxy as "+harness.Email {
		t.Fatalf("with the role: %s\n%s", shown.Status, shown.Text)
	}
	leave := h.Issuer + "/logout?client_id=" + client.ID
	if shown = b.Get(t, origin+"/oauth2/sign_out?rd="+url.QueryEscape(leave)); shown.StatusCode != http.StatusOK {
		t.Fatalf("signing out: %s\n%s", shown.Status, shown.Text)
	}
	b.Post(t, "/logout/confirm", url.Values{"continue": {html.UnescapeString(shown.Continue())}})
	if shown = b.Get(t, origin+"/report"); !strings.Contains(shown.Text, `id="sign-in"`) {
		t.Errorf("signed in after signing out: %s\n%s", shown.Status, shown.Text)
	}
}
