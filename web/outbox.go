package web

import (
	"net/http"
	"regexp"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/wicket-id/wicket/web/pages"
)

var letterLink = regexp.MustCompile(`(?m)^https?://\S+$`)

// outbox shows the mail and text messages that a development server would have sent.
func (s *Server) outbox(c *gin.Context) error {
	var page pages.Outbox
	for _, message := range s.Outbox.Messages() {
		page.Letters = append(page.Letters, pages.OutboxLetter{
			To: message.To, Subject: message.Subject, Text: message.Text, At: message.At.Format(time.TimeOnly), Link: letterLink.FindString(message.Text),
		})
	}
	return s.show(c, http.StatusOK, page)
}
