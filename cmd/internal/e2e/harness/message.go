package harness

import (
	"fmt"
	"regexp"
	"testing"
	"time"

	"github.com/wicket-id/wicket/storage/storagetest"
	"github.com/wicket-id/wicket/web/notify"
)

// PhoneNumber is a number that alice may add to her account.
const PhoneNumber = "+493012345"

var (
	// MailedLink finds the link in an e-mail.
	MailedLink = regexp.MustCompile(`(?m)^https?://\S+$`)
	textedCode = regexp.MustCompile(`\n@localhost #([0-9]{6})$`)
)

// messagePatience is how long a test waits for a message. Sending is a job of its own.
const messagePatience = 15 * time.Second

// Mail waits for an e-mail with that subject and returns the link in it.
func (h *Server) Mail(t testing.TB, subject string) (link string, mail notify.KeptMessage) {
	t.Helper()
	defer h.logMessages(t)
	storagetest.Eventually(t, messagePatience, fmt.Sprintf("an e-mail with the subject %q", subject), func() bool {
		for _, mail = range h.Config().Outbox.Messages() {
			if mail.Subject == subject {
				return true
			}
		}
		return false
	})
	return MailedLink.FindString(mail.Text), mail
}

// LinkTo waits for an e-mail with that subject to that address and returns the link in it.
func (h *Server) LinkTo(t testing.TB, subject, address string) (link string) {
	t.Helper()
	defer h.logMessages(t)
	what := fmt.Sprintf("an e-mail with the subject %q to %s", subject, address)
	storagetest.Eventually(t, messagePatience, what, func() bool {
		for _, mail := range h.Config().Outbox.Messages() {
			if mail.Subject == subject && mail.To == address {
				link = MailedLink.FindString(mail.Text)
			}
		}
		return link != ""
	})
	return link
}

// TextMessages waits until so many text messages went to a number, and returns the code in the last one.
func (h *Server) TextMessages(t testing.TB, number string, count int) (code string) {
	t.Helper()
	defer h.logMessages(t)
	storagetest.Eventually(t, messagePatience, fmt.Sprintf("%d text messages to %s", count, number), func() bool {
		codes := h.textedCodes(number)
		if len(codes) != count {
			return false
		}
		code = codes[0]
		return true
	})
	return code
}

// textedCodes returns the codes in the text messages to a number, the last one first.
func (h *Server) textedCodes(number string) (codes []string) {
	for _, message := range h.Config().Outbox.Messages() {
		match := textedCode.FindStringSubmatch(message.Text)
		if match != nil && message.Subject == notify.TextSubject && message.To == number {
			codes = append(codes, match[1])
		}
	}
	return codes
}

// logMessages says in a test that has failed which messages there are.
func (h *Server) logMessages(t testing.TB) {
	t.Helper()
	if t.Failed() {
		t.Logf("there are %v", h.Config().Outbox.Messages())
	}
}
