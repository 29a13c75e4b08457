package harness

import (
	"regexp"
	"testing"
	"time"

	"github.com/wicket-id/wicket/web/notify"
)

var lastLineOfText = regexp.MustCompile(`\n@localhost #([0-9]{6})$`)

// TextMessages waits until so many text messages went to a number, and returns the code in the last one.
func (h *Server) TextMessages(t testing.TB, number string, count int) string {
	t.Helper()
	var codes []string
	for deadline := time.Now().Add(15 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) { // polling
		codes = nil
		for _, letter := range h.Config().Outbox.Messages() { // the last one first
			if match := lastLineOfText.FindStringSubmatch(letter.Text); letter.Subject == notify.TextSubject && letter.To == number && match != nil {
				codes = append(codes, match[1])
			}
		}
		if len(codes) == count {
			return codes[0]
		}
	}
	t.Fatalf("%d text messages came to %s, not %d; there are %v", len(codes), number, count, h.Config().Outbox.Messages())
	return ""
}

const PhoneNumber = "+493012345"

var MailedLink = regexp.MustCompile(`(?m)^https?://\S+$`)

// Mail waits for a letter with that subject and returns the link in it.
func (h *Server) Mail(t testing.TB, subject string) (link string, letter notify.KeptMessage) {
	t.Helper()
	for deadline := time.Now().Add(15 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) { // polling
		for _, letter := range h.Config().Outbox.Messages() {
			if letter.Subject == subject {
				return MailedLink.FindString(letter.Text), letter
			}
		}
	}
	t.Fatalf("no mail with the subject %q came; there are %v", subject, h.Config().Outbox.Messages())
	return "", notify.KeptMessage{}
}
