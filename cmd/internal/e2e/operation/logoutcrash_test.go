package operation

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// What an app could not be told before the process was killed, the next process tells it.
func TestKilledBeforeAnAppWasTold(t *testing.T) {
	t.Parallel()
	storagetest.EachURL(t, func(t *testing.T, databaseURL string) {
		t.Parallel()
		line, issuer := harness.NewCommandLine(t, databaseURL)
		line.JSON(
			t, &harness.PrintedUser{}, harness.Password, "user", "create", "--username", harness.Username, "--email",
			harness.Email, "--email-verified", "--password-stdin",
		)
		receiver := harness.NewLogoutReceiver(t)
		receiver.Answer = func(w http.ResponseWriter, _ *http.Request, nth int) {
			if nth == 1 {
				w.WriteHeader(http.StatusServiceUnavailable)
			}
		}
		var app struct {
			ID     string `json:"client_id"`
			Secret string `json:"client_secret"`
		}
		line.JSON(t, &app, "", "client", "create", "--name", "Test app", "--redirect-uri", harness.RedirectURI, "--auth-method",
			clients.AuthPost, "--backchannel-logout-uri", receiver.URI)
		client := harness.Client{Client: &clients.Client{ID: app.ID}, Secret: app.Secret}
		h := &harness.Server{Issuer: issuer}
		server := line.Serve(t, issuer)
		receiver.Expect(issuer, app.ID)
		b := h.NewBrowser(t)
		b.Code(t, client, nil)
		b.Post(t, "/account/sign-out", url.Values{})
		storagetest.Eventually(t, time.Minute, "the first attempt fails", func() bool {
			var pending []struct {
				State    string `json:"state"`
				Attempts int    `json:"attempts"`
			}
			line.JSON(t, &pending, "", "logout-delivery", "list")
			return len(pending) == 1 && pending[0].State == "pending" && pending[0].Attempts == 1
		})
		server.Kill()
		line.Serve(t, issuer)
		storagetest.Eventually(t, 2*time.Minute, "the next process tells the app", func() bool {
			return len(receiver.Heard()) == 2
		})
	})
}
