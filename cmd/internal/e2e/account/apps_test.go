package account

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
)

// A person sees what an app may do, and takes it away: nothing that the app holds is good any more, and it has to ask
// again.
func TestPersonRemovesAnApp(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		client := h.AddClient(t, func(c *clients.Client) {
			c.Name, c.ClientURI, c.InitiateLoginURI = "Daybook", "https://daybook.example/", "https://daybook.example/in?by=wicket"
		})
		phone, desk := h.NewBrowser(t), h.NewBrowser(t)
		onPhone := h.Redeem(t, client, phone.Code(t, client, nil))
		onDesk := h.Redeem(t, client, desk.Code(t, client, nil))
		unredeemed := desk.Code(t, client, nil)

		shown := desk.Get(t, "/account/apps")
		for _, want := range []string{
			"Daybook", "https://daybook.example/", "See your email address",
			`"https://daybook.example/in?by=wicket&amp;iss=` + url.QueryEscape(h.Issuer) + `"`,
			"Stay signed in", "Allowed just now", "last used just now",
		} {
			if !strings.Contains(shown.Text, want) {
				t.Errorf("the page lacks %q:\n%s", want, shown.Text)
			}
		}
		remove := url.Values{"app": {client.ID}}
		asked := desk.Get(t, "/account/apps/remove?"+remove.Encode())
		if !strings.Contains(asked.Text, `id="remove-access"`) {
			t.Fatalf("no question but %s\n%s", asked.Status, asked.Text)
		}
		if h.Userinfo(t, onDesk.Text("access_token")).Status != http.StatusOK {
			t.Error("the question alone took the access away")
		}
		done := desk.Post(t, "/account/apps/remove", remove)
		if done.Path() != "/account/apps" || !strings.Contains(done.Text, "That app can no longer use your account") ||
			strings.Contains(done.Text, "Daybook") {
			t.Errorf("then %s\n%s", done.Status, done.Text)
		}
		for where, answer := range map[string]harness.Answer{"phone": onPhone, "desk": onDesk} {
			if status := h.Userinfo(t, answer.Text("access_token")).Status; status != http.StatusUnauthorized {
				t.Errorf("the access token of the %s: %d", where, status)
			}
			about := h.Call(t, oidc.PathIntrospect, client, url.Values{"token": {answer.Text("refresh_token")}})
			if about.JSON["active"] != false {
				t.Errorf("introspection of the refresh token of the %s: %v", where, about.JSON)
			}
			if code := h.Refresh(t, client, answer.Text("refresh_token")).Text("error"); code != "invalid_grant" {
				t.Errorf("refreshing on the %s: %q", where, code)
			}
		}
		if code := h.Redeem(t, client, unredeemed).Text("error"); code != "invalid_grant" {
			t.Errorf("a code from before: %q", code)
		}
		if again := desk.Get(t, h.AuthorizeURL(client, nil)); !strings.Contains(again.Text, `id="allow"`) {
			t.Errorf("the app comes again and need not ask: %s", again.Status)
		}
		for _, page := range []harness.Page{
			desk.Get(t, "/account/apps/remove?"+remove.Encode()), desk.Post(t, "/account/apps/remove", remove),
		} {
			if page.StatusCode != http.StatusNotFound {
				t.Errorf("a second time: %s", page.Status)
			}
		}
	})
}

// An app that the operator trusts has no consent, but it has access.
func TestPersonRemovesATrustedApp(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		client := h.AddClient(t, func(c *clients.Client) { c.Name, c.IsTrusted = "Intranet", true })
		b := h.NewBrowser(t)
		held := h.Redeem(t, client, b.Code(t, client, nil))
		if shown := b.Get(t, "/account/apps"); !strings.Contains(shown.Text, "Approved by the administrator") {
			t.Errorf("it is not shown:\n%s", shown.Text)
		}
		b.Post(t, "/account/apps/remove", url.Values{"app": {client.ID}})
		if code := h.Refresh(t, client, held.Text("refresh_token")).Text("error"); code != "invalid_grant" {
			t.Errorf("refreshing afterwards: %q", code)
		}
	})
}

// Nobody takes away what somebody else allowed, and a session of long ago takes nothing away.
func TestAppsOfOthersStay(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		client, alice := h.AddClient(t, nil), h.NewBrowser(t)
		held := h.Redeem(t, client, alice.Code(t, client, nil))
		h.Register(t, identity.NewUser{Username: "mallory", Password: harness.Password})
		mallory := h.NewBrowser(t)
		mallory.SignInAs(t, "mallory")
		remove := url.Values{"app": {client.ID}}
		for _, page := range []harness.Page{
			mallory.Get(t, "/account/apps/remove?"+remove.Encode()), mallory.Post(t, "/account/apps/remove", remove),
		} {
			if page.StatusCode != http.StatusNotFound {
				t.Errorf("an app that somebody else allowed: %s", page.Status)
			}
		}
		for _, page := range []harness.Page{
			mallory.Get(t, "/account/apps/remove?app=%00"), mallory.Post(t, "/account/apps/remove", url.Values{"app": {"\x00"}}),
		} {
			if page.StatusCode != http.StatusBadRequest {
				t.Errorf("an app that no database can look for: %s", page.Status)
			}
		}
		visitor := h.NewBrowser(t)
		if page := visitor.Post(t, "/account/apps/remove", remove); !strings.Contains(page.Text, `id="sign-in"`) {
			t.Errorf("a visitor: %s", page.Status)
		}
		h.SQL(t, "UPDATE sessions SET auth_time = '2024-01-01 00:00:00+00:00'")
		for _, page := range []harness.Page{
			alice.Get(t, "/account/apps/remove?"+remove.Encode()), alice.Post(t, "/account/apps/remove", remove),
		} {
			if !strings.Contains(page.Text, `id="sign-in"`) {
				t.Errorf("a session of long ago: %s", page.Status)
			}
		}
		if code := h.Refresh(t, client, held.Text("refresh_token")).Text("error"); code != "" {
			t.Errorf("alice's app is refused: %s", code)
		}
	})
}
