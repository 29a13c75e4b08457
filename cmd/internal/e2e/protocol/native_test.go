package protocol

import (
	"net/url"
	"strings"
	"testing"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/oidc/clients"
)

// A native app cannot prove that it is itself: whoever listens at another port of this machine could ask in its name.
// So nothing is given out without a click, whatever was allowed before (RFC 8252, section 8.6).
func TestNativeAppsAreConfirmedEachTime(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		client := h.AddClient(t, func(c *clients.Client) {
			c.Name, c.AuthMethod = "Pocket", clients.AuthNone
			c.RedirectURIs = []string{"http://127.0.0.1/cb", "com.example.pocket:/cb"}
		})
		at := func(redirect, prompt string) string {
			return h.AuthorizeURL(client, url.Values{"redirect_uri": {redirect}, "prompt": {prompt}})
		}
		answer := func(shown harness.Page) url.Values {
			t.Helper()
			location, err := shown.Location()
			if err != nil {
				t.Fatalf("no answer to the app but %s %s", shown.Status, shown.Path())
			}
			return location.Query()
		}
		b := h.NewBrowser(t)
		if got := answer(b.Get(t, at("http://127.0.0.1:5555/cb", "none"))).Get("error"); got != "login_required" {
			t.Errorf("prompt=none, nobody signed in: %q", got)
		}
		shown := b.SignIn(t, b.Get(t, at("http://127.0.0.1:5555/cb", "")))
		if got := answer(b.Get(t, at("http://127.0.0.1:6666/cb", "none"))).Get("error"); got != "consent_required" {
			t.Errorf("prompt=none, nothing allowed yet: %q", got)
		}
		allowed := b.Allow(t, shown)
		if answer(allowed).Get("code") == "" { // one click is enough
			t.Fatal("no code after consent")
		}
		if again := b.Get(t, allowed.Request.URL.String()); again.Path() != "/continue" {
			t.Errorf("the address after consent, opened again: %s %s", again.Status, again.Request.URL)
		}
		for _, redirect := range []string{"http://127.0.0.1:5555/cb", "http://127.0.0.1:6666/cb", "com.example.pocket:/cb"} {
			if got := answer(b.Get(t, at(redirect, "none"))); got.Get("error") != "interaction_required" || got.Has("code") {
				t.Errorf("%s, prompt=none: %v", redirect, got)
			}
			shown := b.Get(t, at(redirect, ""))
			if shown.Path() != "/continue" || !strings.Contains(shown.Text, "Continue to Pocket?") {
				t.Fatalf("%s: %s %s", redirect, shown.Status, shown.Path())
			}
			denied := b.Post(t, "/continue", url.Values{"decision": {"deny"}, "continue": {shown.Continue()}})
			if got := answer(denied).Get("error"); got != "access_denied" {
				t.Errorf("%s, cancelled: %q", redirect, got)
			}
			went := b.ContinueToApp(t, shown)
			if answer(went).Get("code") == "" {
				t.Errorf("%s: no code after the click", redirect)
			}
			// A click counts once: another program may have the address from the history. Who comes back clicks again.
			again := b.Get(t, went.Request.URL.String())
			if again.Path() != "/continue" {
				t.Errorf("%s: the same click gives another code: %s %s", redirect, again.Status, again.Request.URL)
			} else if answer(b.ContinueToApp(t, again)).Get("code") == "" {
				t.Errorf("%s: no code after another click", redirect)
			}
			if answer(b.ContinueToApp(t, shown)).Get("code") == "" {
				t.Errorf("%s: no code after a click on the page of before", redirect)
			}
			// The click was for that request.
			if shown := b.Get(t, at(redirect, "")); shown.Path() != "/continue" {
				t.Errorf("%s, once more: %s %s", redirect, shown.Status, shown.Path())
			}
		}
		// Somebody else's browser cannot carry the click over.
		confirmed := b.Get(t, at("http://127.0.0.1:5555/cb", ""))
		other := h.NewBrowser(t)
		other.SignIn(t, harness.Page{})
		if shown := other.ContinueToApp(t, confirmed); shown.Path() != "/continue" {
			t.Errorf("the answer from another browser: %s %s", shown.Status, shown.Path())
		}
	})
}
