package commands

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/storage/storagetest"
)

type printedWebhook struct {
	ID       string   `json:"id"`
	URL      string   `json:"url"`
	Types    []string `json:"types"`
	Disabled bool     `json:"disabled"`
	Secret   string   `json:"secret"`
}

type printedWebhookDelivery struct {
	ID       string `json:"id"`
	Type     string `json:"type"`
	State    string `json:"state"`
	Attempts int    `json:"attempts"`
	Status   int    `json:"status"`
}

// An operator makes a webhook on this machine, tests it, gives it another secret, has it told again what it refused,
// and deletes it.
func TestOperatorKeepsAWebhook(t *testing.T) {
	t.Parallel()
	storagetest.EachURL(t, func(t *testing.T, databaseURL string) {
		t.Parallel()
		line, issuer := harness.NewCommandLine(t, databaseURL)
		line.Serve(t, issuer)
		receiver := harness.NewWebhookReceiver(t)
		receiver.Answer = func(w http.ResponseWriter, _ *http.Request, nth int) {
			if nth == 2 {
				w.WriteHeader(http.StatusGone)
			}
		}
		fails := func(code int, says string, arguments ...string) {
			t.Helper()
			p := line.Run(t, "", append([]string{"webhook"}, arguments...)...)
			if p.ProcessState.ExitCode() != code || !strings.Contains(p.ErrOut.String(), says) {
				t.Errorf("wicket webhook %v: %s\n%s", arguments, p.ProcessState, &p.ErrOut)
			}
		}
		fails(1, "http:// is for this machine", "create", "ops", "--url", "http://hooks.example/")
		fails(1, "docs/events.md", "create", "ops", "--url", receiver.URL, "--type", "user.invented")
		fails(3, "no webhook", "show", "ops")
		var made, shown printedWebhook
		line.JSON(t, &made, "", "webhook", "create", "ops", "--url", receiver.URL, "--type", "user.created,user.disabled")
		fails(4, "already", "create", "ops", "--url", receiver.URL)
		receiver.Know(made.Secret)
		line.JSON(t, &shown, "", "webhook", "show", "ops")
		if shown.Secret != "" || shown.URL != receiver.URL || len(shown.Types) != 2 {
			t.Errorf("shown as %+v", shown)
		}
		line.JSON(t, &map[string]string{}, "", "webhook", "test", "ops")
		receiver.Wait("webhook.tested")

		var rotated struct{ Secret string }
		line.JSON(t, &rotated, "", "webhook", "rotate", "ops")
		receiver.Know(made.Secret, rotated.Secret)
		line.JSON(t, &harness.PrintedUser{}, harness.Password, "user", "create", "--username", "bob", "--password-stdin")
		storagetest.Eventually(t, time.Minute, "it is switched off, for it says that it is gone", func() bool {
			line.JSON(t, &shown, "", "webhook", "show", "ops")
			return shown.Disabled
		})
		list := func(state string) (found []printedWebhookDelivery) {
			line.JSON(t, &found, "", "webhook", "deliveries", "ops", "--state", state)
			return found
		}
		failed := list("failed")
		if len(failed) != 1 || failed[0].Type != "user.created" || failed[0].Status != 410 || failed[0].Attempts != 1 {
			t.Fatalf("failed: %+v", failed)
		}
		fails(1, "switched off", "resend", "ops", "--delivery", failed[0].ID)
		line.JSON(t, &shown, "", "webhook", "update", "ops", "--enable", "--type", "user.created")
		if shown.Disabled || len(shown.Types) != 1 {
			t.Errorf("changed to %+v", shown)
		}
		var resent struct{ Deliveries int }
		line.JSON(t, &resent, "", "webhook", "resend", "ops", "--delivery", failed[0].ID)
		storagetest.Eventually(t, time.Minute, "it is told again", func() bool { return len(list("delivered")) == 2 })
		line.JSON(t, &resent, "", "webhook", "resend", "ops", "--since", "2020-01-01T00:00:00Z")
		if resent.Deliveries != 1 {
			t.Errorf("%d events are sent again", resent.Deliveries)
		}
		storagetest.Eventually(t, time.Minute, "it is told once more", func() bool { return len(receiver.Told()) == 4 })
		var all []printedWebhook
		line.JSON(t, &all, "", "webhook", "list")
		if len(all) != 1 || all[0].ID != "ops" {
			t.Errorf("listed: %+v", all)
		}
		line.JSON(t, &map[string]string{}, "", "webhook", "delete", "ops")
		fails(3, "no webhook", "delete", "ops")
	})
}
