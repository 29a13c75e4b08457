package commands

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage/storagetest"
)

type printedDelivery struct {
	ID          string `json:"id"`
	ClientID    string `json:"client_id"`
	State       string `json:"state"`
	Attempts    int    `json:"attempts"`
	LastError   string `json:"last_error"`
	DeliveredAt string `json:"delivered_at"`
}

// The operator sees which app could not be told of a logout, and has it told again.
func TestOperatorSendsALogoutAgain(t *testing.T) {
	t.Parallel()
	storagetest.EachURL(t, func(t *testing.T, databaseURL string) {
		t.Parallel()
		line, issuer := harness.NewCommandLine(t, databaseURL)
		line.Serve(t, issuer)
		h := &harness.Server{Issuer: issuer}
		line.JSON(
			t, &harness.PrintedUser{}, harness.Password, "user", "create", "--username", harness.Username, "--email",
			harness.Email, "--email-verified", "--password-stdin",
		)
		receiver := harness.NewLogoutReceiver(t)
		receiver.Answer = func(w http.ResponseWriter, _ *http.Request, nth int) {
			if nth == 1 {
				w.WriteHeader(http.StatusBadRequest)
				_, _ = w.Write([]byte("who is\x1b[2J that?"))
			}
		}
		var made struct {
			ID     string `json:"client_id"`
			Secret string `json:"client_secret"`
			URI    string `json:"backchannel_logout_uri"`
			Needs  bool   `json:"backchannel_logout_session_required"`
		}
		line.JSON(t, &made, "", "client", "create", "--name", "App", "--redirect-uri", harness.RedirectURI, "--auth-method",
			clients.AuthPost, "--backchannel-logout-uri", receiver.URI, "--backchannel-logout-session-required")
		if made.URI != receiver.URI || !made.Needs {
			t.Errorf("made %+v", made)
		}
		receiver.Expect(issuer, made.ID)
		app := harness.Client{Client: &clients.Client{ID: made.ID}, Secret: made.Secret}
		b := h.NewBrowser(t)
		b.Code(t, app, nil)
		b.Post(t, "/account/sign-out", url.Values{})

		list := func(arguments ...string) (deliveries []printedDelivery) {
			line.JSON(t, &deliveries, "", append([]string{"logout-delivery", "list"}, arguments...)...)
			return deliveries
		}
		storagetest.Eventually(t, time.Minute, "the delivery is given up", func() bool { return len(list("--failed")) == 1 })
		failed := list("--client", made.ID, "--failed")[0]
		if failed.State != "failed" || failed.Attempts != 1 || failed.LastError != "the app answered 400: who is [2J that?" ||
			failed.ClientID != made.ID || failed.DeliveredAt != "" {
			t.Errorf("%+v", failed)
		}
		if others := list("--client", "another"); len(others) != 0 {
			t.Errorf("of another app: %+v", others)
		}
		if shown := line.Run(t, "", "logout-delivery", "list"); !strings.Contains(shown.Out.String(), failed.ID) {
			t.Errorf("as text: %s", &shown.Out)
		}
		line.JSON(t, &struct{}{}, "", "logout-delivery", "resend", failed.ID)
		storagetest.Eventually(t, time.Minute, "the app is told again", func() bool {
			done := list()
			return len(done) == 1 && done[0].State == "delivered" && done[0].DeliveredAt != "" && done[0].LastError == ""
		})
		for _, c := range []struct {
			id   string
			code int
		}{{failed.ID, 1}, {"01234567-89ab-7cde-8f01-23456789abcd", 3}, {"nonsense", 2}} {
			if got := line.Run(t, "", "logout-delivery", "resend", c.id).ProcessState.ExitCode(); got != c.code {
				t.Errorf("resend %s: exit code %d, want %d", c.id, got, c.code)
			}
		}
		if len(receiver.Heard()) != 2 {
			t.Errorf("told %d times", len(receiver.Heard()))
		}
	})
}
