package notify

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/web/notify/notifytest"
)

func TestEmailsReachARealMailServer(t *testing.T) {
	server := &notifytest.MailServer{}
	sender, err := NewSMTP(server.Open(t, 0))
	if err != nil {
		t.Fatal(err)
	}
	email, err := writeEmail("https://id.example.com", identity.Message{
		Name: identity.MessageResetPassword, To: "grace@example.com", Person: "grace",
		Values: map[string]string{"ip": "192.0.2.1", "device": "Firefox on Linux"},
	}, "the-secret")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := sender.Send(ctx, email); err != nil {
		t.Fatal(err)
	}
	server.BeBusy()
	if err := sender.Send(ctx, email); err == nil {
		t.Error("a server that is busy took the email: it would not be tried again")
	}
	emails := server.Received()
	if len(emails) != 1 {
		t.Fatalf("%d emails arrived", len(emails))
	}
	got := emails[0]
	if got.From != "id@example.com" || got.To != "grace@example.com" {
		t.Errorf("from %s to %s", got.From, got.To)
	}
	for _, part := range []string{"Subject: Choose a new password", "text/plain", "text/html", "Auto-Submitted: auto-generated", "192.0.2.1", "Firefox on Linux"} {
		if !strings.Contains(got.Body, part) {
			t.Errorf("the email lacks %q:\n%s", part, got.Body)
		}
	}
	if unfolded := strings.ReplaceAll(got.Body, "=\r\n", ""); !strings.Contains(
		unfolded, "https://id.example.com/reset-password?token=3Dthe-secret",
	) {
		t.Errorf("the link is missing:\n%s", got.Body)
	}
}

func TestEveryMessageIsWritten(t *testing.T) {
	for name := range kinds {
		email, err := writeEmail(
			"https://id.example.com",
			identity.Message{Name: name, To: "g@example.com", Person: `<b>"grace"`, Values: map[string]string{}}, "secret",
		)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if email.Text == "" || strings.Contains(email.Subject+email.Text, "<no value>") ||
			strings.Contains(email.HTML, "<b>") {
			t.Errorf("%s: subject %q\n%s", name, email.Subject, email.Text)
		}
		if strings.ContainsAny(email.Subject, "\r\n") || bytes.Contains([]byte(email.HTML), []byte("javascript:")) {
			t.Errorf("%s: a subject of several lines, or a script", name)
		}
	}
	if _, err := writeEmail(
		"https://id.example.com", identity.Message{Name: "../smtp"}, "",
	); !errors.Is(err, errUnknownMessage) {
		t.Errorf("a message that does not exist: %v", err)
	}
}

func TestMailServerURLsThatCannotBeRight(t *testing.T) {
	for _, url := range []string{"", "mail.example.com", "http://mail.example.com?from=a@example.com", "smtp://mail.example.com", "smtp://u:hunter2@mail.example.com?from=nobody"} {
		if _, err := NewSMTP(url); err == nil || !strings.Contains(err.Error(), "smtp://USER:PASSWORD@") ||
			strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v", url, err)
		}
	}
}
