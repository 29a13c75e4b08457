package signin

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/storage/storagetest"
	"github.com/wicket-id/wicket/web/notify"
	"github.com/wicket-id/wicket/web/notify/notifytest"
)

// withMail has a server send its mail to the server of that URL.
func withMail(t *testing.T, url string) func(*harness.Config) {
	t.Helper()
	sender, err := notify.NewSMTP(url)
	if err != nil {
		t.Fatal(err)
	}
	return func(c *harness.Config) { c.Outbox, c.SMTP = nil, sender }
}

// A mail server that is dead loses nothing, though Wicket itself is started anew before it is back.
func TestDeadMailServerLosesNothing(t *testing.T) {
	t.Parallel()
	storagetest.EachURL(t, func(t *testing.T, databaseURL string) {
		port := harness.FreePort(t)
		var config *harness.Config
		t.Run("while it is dead", func(t *testing.T) { // the server is closed at its end
			h := harness.Start(t, databaseURL, withMail(t, notifytest.URL(port)))
			config = h.Config()
			b := h.NewBrowser(t)
			b.SignIn(t, harness.Page{})
			if shown := b.Post(
				t, "/account/emails/add", map[string][]string{"address": {"alice@work.example"}},
			); shown.StatusCode != http.StatusOK {
				t.Fatalf("a request that sends mail: %s", shown.Status)
			}
			storagetest.Eventually(t, 30*time.Second, "sending was tried", func() bool {
				n, err := h.Database.Reader().NewSelect().
					Table("river_job").
					Where("kind = 'message' AND attempt > 0").Count(t.Context())
				return err == nil && n >= 2
			})
		})
		server := &notifytest.MailServer{}
		server.Open(t, port)
		harness.Serve(t, config)
		storagetest.Eventually(t, time.Minute, "both mails are there", func() bool {
			to := make(map[string]int)
			for _, mail := range server.Received() {
				to[mail.To]++
			}
			return to["alice@work.example"] == 1 && to[harness.Email] == 1
		})
	})
}

// A mail server that takes its time slows neither those whose requests send mail, nor text messages.
func TestSlowMailServerSlowsNobody(t *testing.T) {
	storagetest.EachURL(t, func(t *testing.T, databaseURL string) {
		gateway := make(chan string, 100)
		phones := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			gateway <- r.FormValue("To")
			w.WriteHeader(http.StatusCreated)
		}))
		t.Cleanup(phones.Close)
		texts, err := notify.NewTextSender(
			"twilio://AC1:token@"+strings.TrimPrefix(phones.URL, "http://")+"?from=+15550100&insecure=1", "",
		)
		if err != nil {
			t.Fatal(err)
		}
		server := &notifytest.MailServer{}
		url := server.Open(t, 0)
		h := harness.Start(t, databaseURL, withMail(t, url), func(c *harness.Config) { c.SMS = texts })
		done := server.Stall()
		b := h.NewBrowser(t)
		b.SignIn(t, harness.Page{})
		const mails = 20 // more than there are workers
		for i := range mails {
			began := time.Now()
			person := h.Register(t, identity.NewUser{
				Username: fmt.Sprintf("person%d", i), Email: fmt.Sprintf("person%d@example.com", i), EmailVerified: true,
				Password: harness.Password,
			})
			h.NewBrowser(t).Post(t, "/forgot-password", map[string][]string{"login": {person.Username}})
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("a request waited %s", took)
			}
		}
		if _, err := h.Identity.Phones().Add(t.Context(), h.Reauthenticated(t, h.User), harness.PhoneNumber); err != nil {
			t.Fatal(err)
		}
		select {
		case <-gateway:
		case <-time.After(10 * time.Second):
			t.Error("a text message waits for the mail")
		}
		if n := len(server.Received()); n != 0 {
			t.Errorf("%d mails came through a server that answers nobody", n)
		}
		close(done)
		storagetest.Eventually(t, 90*time.Second, "all mails are there", func() bool {
			resets := 0
			for _, mail := range server.Received() {
				if strings.Contains(mail.Body, "Subject: Choose a new password") {
					resets++
				}
			}
			return resets == mails
		})
	})
}
