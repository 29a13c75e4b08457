package account

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/identitytest"
)

// What is somebody else's, or is gone, is not changed, and nobody is told that it was.
func TestNothingIsDoneWithWhatIsNotOnesOwn(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		bob := h.Register(t, identity.NewUser{Username: "bob", Email: "bob@example.com", EmailVerified: true})
		session := identitytest.NewSession(t, h.Identity, bob)
		emails, err := h.Identity.Emails().List(t.Context(), bob.ID)
		if err != nil || len(emails) != 1 {
			t.Fatalf("bob's addresses: %v, %v", emails, err)
		}
		b := h.NewBrowser(t)
		b.SignIn(t, harness.Page{})
		for path, id := range map[string]string{
			"/account/devices/end": session.ID.String(), "/account/emails/remove": emails[0].ID.String(),
			"/account/emails/primary": emails[0].ID.String(), "/account/emails/resend": emails[0].ID.String(),
			"/account/phones/remove": emails[0].ID.String(), "/account/linked/remove": emails[0].ID.String(),
			"/account/passkeys/remove": emails[0].ID.String(), "/account/totps/remove": emails[0].ID.String(),
		} {
			shown := b.Post(t, path, url.Values{"id": {id}})
			if shown.StatusCode != http.StatusOK || !strings.Contains(shown.Text, "nothing was changed") {
				t.Errorf("%s: %s at %s, without saying that nothing was done", path, shown.Status, shown.Request.URL)
			}
		}
		if left, err := h.Identity.Sessions().List(t.Context(), bob.ID); err != nil || len(left) != 1 {
			t.Errorf("bob's sessions: %v, %v", left, err)
		}
	})
}

// Every page that says that something failed has a way out.
func TestFailuresHaveAWayOut(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		client, b := h.AddClient(t, nil), h.NewBrowser(t)
		for path, status := range map[string]int{
			"/nowhere": http.StatusNotFound, "/authorize?client_id=nobody": http.StatusBadRequest,
			h.AuthorizeURL(client, url.Values{"redirect_uri": {"https://evil.example/"}}): http.StatusBadRequest,
			"/consent?continue=x": http.StatusBadRequest,
		} {
			shown := b.Get(t, path)
			if shown.StatusCode != status || !strings.Contains(shown.Text, `id="home" href="/"`) {
				t.Errorf("%s: %s\n%s", path, shown.Status, shown.Text)
			}
		}
	})
}
