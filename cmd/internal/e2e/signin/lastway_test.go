package signin

import (
	"net/http"
	"strings"
	"testing"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
)

// A browser remembers by which way somebody signed in last, and nothing else of them.
func TestLastWay(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		b := h.NewBrowser(t)
		if shown := b.Get(t, "/sign-in"); strings.Contains(shown.Text, "Last used") {
			t.Error("a way is marked in a browser in which nobody has signed in")
		}
		b.SignIn(t, harness.Page{})
		b.Post(t, "/account/sign-out", nil)
		shown := b.Get(t, "/sign-in")
		if !strings.Contains(shown.Text, "Last used") || strings.Contains(shown.Text, harness.Username) {
			t.Errorf("after somebody has signed in:\n%s", shown.Text)
		}
	})
}

// A password manager finds where a password is changed, and who is not signed in comes there by a sign-in.
func TestChangePasswordIsFound(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		b := h.NewBrowser(t)
		shown := b.Get(t, "/.well-known/change-password")
		if shown.Path() != "/sign-in" || shown.Then() != "/account/security" {
			t.Fatalf("who is not signed in comes to %s", shown.Request.URL)
		}
		shown = b.Post(t, "/sign-in", map[string][]string{
			"username": {harness.Username}, "password": {harness.Password}, "then": {shown.Then()},
		})
		if shown.StatusCode != http.StatusOK || !strings.Contains(shown.Text, `id="change-password"`) {
			t.Errorf("after that: %s at %s", shown.Status, shown.Request.URL)
		}
		if wrong := b.Get(t, "/.well-known/no-such-thing"); wrong.StatusCode != http.StatusNotFound {
			t.Errorf("what is not there: %s", wrong.Status)
		}
	})
}
