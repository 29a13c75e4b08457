//go:build spring

package protocol

import (
	"fmt"
	"html"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/apis"
	"github.com/wicket-id/wicket/oidc/clients"
)

var springsToken = regexp.MustCompile(`name="_csrf"[^>]* value="([^"]*)"`)

// A Spring app and a Spring API, set up as docs/apps/spring.md says, know who has signed in and who calls. It is make
// test-spring, for Maven and a JVM take long.
func TestSpring(t *testing.T) {
	program := os.Getenv("WICKET_TEST_SPRING")
	if program == "" {
		t.Fatal("WICKET_TEST_SPRING must be the path of the app; make test-spring builds it")
	}
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		addAPIs(t, h, func(api *apis.API) { api.TokenType = apis.TypeJWT })
		origin := fmt.Sprintf("http://localhost:%d", harness.FreePort(t))
		app := h.AddClient(t, func(c *clients.Client) {
			c.AuthMethod, c.IDTokenAlg, c.GrantTypes = "", "", []string{oidc.GrantCode, oidc.GrantRefreshToken}
			c.RedirectURIs, c.PostLogoutRedirectURIs = []string{origin + "/login/oauth2/code/wicket"}, []string{origin + "/"}
		})
		machine := h.AddClient(t, func(c *clients.Client) {
			c.AuthMethod, c.APIs, c.GrantTypes = "", []string{orders, invoices}, []string{oidc.GrantClientCredentials}
		})
		command := exec.CommandContext(t.Context(), "java", "-jar", program)
		command.Env = append(os.Environ(), "PORT="+origin[strings.LastIndex(origin, ":")+1:], "ISSUER="+h.Issuer,
			"CLIENT_ID="+app.ID, "CLIENT_SECRET="+app.Secret, "API="+orders)
		harness.StartApp(t, origin+"/", command)

		b := h.NewBrowser(t).FollowingAll()
		shown := b.SignIn(t, b.Get(t, origin+"/who"))
		if strings.Contains(shown.Text, `id="allow"`) {
			shown = b.Allow(t, shown)
		}
		for _, known := range []string{harness.Name, harness.Email, h.User.ID.String()} {
			if !strings.Contains(shown.Text, known) {
				t.Errorf("the app does not know %s: %s\n%s", known, shown.Status, shown.Text)
			}
		}
		asked := b.Get(t, origin+"/logout")
		form := springsToken.FindStringSubmatch(asked.Text)
		if form == nil {
			t.Fatalf("no question whether to sign out: %s\n%s", asked.Status, asked.Text)
		}
		shown = b.Post(t, origin+"/logout", url.Values{"_csrf": {html.UnescapeString(form[1])}})
		if strings.Contains(shown.Text, `id="sign-out"`) {
			t.Error("Wicket asks again, though the app has shown its ID token")
		}
		if shown = b.Get(t, origin+"/who"); !strings.Contains(shown.Text, `id="sign-in"`) {
			t.Errorf("signed in after signing out: %s\n%s", shown.Status, shown.Text)
		}

		token := func(resource, scope string) string {
			return h.Call(t, "/token", machine, url.Values{
				"grant_type": {"client_credentials"}, "resource": {resource}, "scope": {scope},
			}).Text("access_token")
		}
		for _, c := range []struct {
			what, token string
			status      int
		}{
			{"read", token(orders, "read"), http.StatusOK},
			{"another scope", token(orders, "write"), http.StatusForbidden},
			{"another API's", token(invoices, "read"), http.StatusUnauthorized},
			{"none", "", http.StatusUnauthorized},
		} {
			request, _ := http.NewRequest(http.MethodGet, origin+"/orders", nil)
			if c.token != "" {
				request.Header.Set("Authorization", "Bearer "+c.token)
			}
			if answer := h.Send(t, request); answer.StatusCode != c.status {
				t.Errorf("%s: %s %s, want %d", c.what, answer.Status, answer.Header.Get("WWW-Authenticate"), c.status)
			}
		}
	})
}
