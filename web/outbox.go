package web

import (
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/notify"
	"github.com/wicket-id/wicket/web/pages"
)

// outbox shows what a development server would have sent.
type outbox struct{ *notify.Outbox }

var mailedLink = regexp.MustCompile(`(?m)^https?://\S+$`)

// page shows the e-mails and text messages.
func (h outbox) page(v *frame.Visit) error {
	var page pages.Outbox
	for _, message := range h.Messages() {
		shown := pages.OutboxMessage{
			To: message.To, Subject: message.Subject, Text: message.Text, At: message.At.Format(time.TimeOnly),
			Link: mailedLink.FindString(message.Text),
		}
		if shown.Link != "" {
			shown.Text, shown.After, _ = strings.Cut(message.Text, shown.Link)
		}
		page.Messages = append(page.Messages, shown)
	}
	return v.Show(http.StatusOK, page)
}
