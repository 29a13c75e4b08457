package signin

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
)

// Pages of a server that cannot send email promise none, and say who helps instead.
func TestPagesWithoutMail(t *testing.T) {
	t.Parallel()
	harness.EachWith(t, func(c *harness.Config) { c.Outbox = nil }, func(t *testing.T, h *harness.Server) {
		b := h.NewBrowser(t)
		for what, shown := range map[string]harness.Page{
			"asked for":   b.Get(t, "/forgot-password"),
			"sent anyway": b.Post(t, "/forgot-password", url.Values{"login": {harness.Email}}),
		} {
			if shown.StatusCode != http.StatusOK || strings.Contains(shown.Text, `id="send"`) ||
				!strings.Contains(shown.Text, "Ask your administrator") || !strings.Contains(shown.Text, `href="/sign-in"`) {
				t.Errorf("a new password, %s: %s\n%s", what, shown.Status, shown.Text)
			}
		}
		if shown := b.Get(t, "/register"); strings.Contains(shown.Text, "We send a link") {
			t.Error("sign-up promises a link")
		}
		shown := b.Post(t, "/register", harness.SignUpForm(nil))
		if shown.StatusCode != http.StatusOK || !strings.Contains(shown.Text, "Your account is ready") {
			t.Fatalf("register: %s\n%s", shown.Status, shown.Text)
		}
		shown = b.Get(t, "/account/emails")
		if strings.Contains(shown.Text, `id="add"`) || strings.Contains(shown.Text, "/account/emails/resend") ||
			!strings.Contains(shown.Text, `id="no-mail"`) {
			t.Errorf("the page of addresses offers to send something:\n%s", shown.Text)
		}
		shown = b.Post(t, "/account/emails/add", url.Values{"address": {"carol@example.org"}})
		if shown.StatusCode != http.StatusUnprocessableEntity || strings.Contains(shown.Text, "carol@example.org") {
			t.Errorf("add an address: %s", shown.Status)
		}
	})
}
