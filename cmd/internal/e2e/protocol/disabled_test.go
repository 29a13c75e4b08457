package protocol

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
)

// An app that is disabled proves nothing, signs nobody in, and holds nothing; once it is enabled all is as it was.
func TestADisabledApp(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		client := h.AddClient(t, nil)
		watcher := h.AddClient(t, func(c *clients.Client) { c.IntrospectsAll = true })
		b := h.NewBrowser(t)
		tokens := h.Redeem(t, client, b.Code(t, client, nil))
		code := b.Code(t, client, nil)
		if !isActive(t, h, watcher, tokens.Text("access_token")) || !isActive(t, h, client, tokens.Text("refresh_token")) {
			t.Fatal("tokens of an app that is enabled are not active")
		}
		set := func(disabled bool) {
			t.Helper()
			_, _, err := h.Clients.Update(t.Context(), client.ID, func(c *clients.Client) error {
				c.IsDisabled = disabled
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		set(true)
		machine := url.Values{"grant_type": {oidc.GrantClientCredentials}}
		wrong := client
		wrong.Secret = "another"
		for name, answer := range map[string]harness.Answer{
			"a code":        h.Redeem(t, client, code),
			"a refresh":     h.Refresh(t, client, tokens.Text("refresh_token")),
			"a machine":     h.Call(t, oidc.PathToken, client, machine),
			"a request":     h.Call(t, oidc.PathPAR, client, url.Values{"response_type": {"code"}}),
			"introspection": h.Call(t, oidc.PathIntrospect, client, url.Values{"token": {tokens.Text("access_token")}}),
		} {
			const told = "Client authentication failed: the client is disabled."
			if answer.Status != http.StatusUnauthorized || answer.Text("error") != "invalid_client" ||
				answer.Text("error_description") != told {
				t.Errorf("%s: %d %v", name, answer.Status, answer.JSON)
			}
		}
		nobody := harness.Client{Client: &clients.Client{ID: "nobody"}, Secret: "another"}
		first, second := h.Call(t, oidc.PathToken, wrong, machine), h.Call(t, oidc.PathToken, nobody, machine)
		if first.Text("error_description") != second.Text("error_description") {
			t.Errorf("who does not know the secret is told %v, and not %v", first.JSON, second.JSON)
		}
		if shown := b.Get(t, h.AuthorizeURL(client, nil)); shown.Path() != "/no-access" {
			t.Errorf("a person is at %s", shown.Path())
		}
		if a := h.Userinfo(t, tokens.Text("access_token")); a.Status != http.StatusUnauthorized {
			t.Errorf("userinfo: %d %v", a.Status, a.JSON)
		}
		if isActive(t, h, watcher, tokens.Text("access_token")) {
			t.Error("the access token is active")
		}

		set(false)
		if a := h.Refresh(t, client, tokens.Text("refresh_token")); a.Status != http.StatusOK {
			t.Errorf("enabled again: %d %v", a.Status, a.JSON)
		}
		if answer := h.Redeem(t, client, code); answer.Status != http.StatusOK {
			t.Errorf("a code, enabled again: %d %v", answer.Status, answer.JSON)
		}
	})
}
