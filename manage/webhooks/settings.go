package webhooks

import (
	"net/url"
	"regexp"
	"strings"

	"github.com/wicket-id/wicket/identity/refusal"
	"github.com/wicket-id/wicket/manage/events"
	"github.com/wicket-id/wicket/storage"
)

// WebhookSettings are what may be chosen of a webhook.
type WebhookSettings struct {
	URL         string   `json:"url" maxLength:"2000" doc:"Where events are posted: https, at a public address unless the operator allows others."`
	Description string   `json:"description,omitempty" maxLength:"500" doc:"What people read."`
	Types       []string `json:"types" minItems:"1" maxItems:"200" doc:"Of which events it is told: types, user.* for all of a noun, or * for all."`
	Values      bool     `json:"values,omitempty" doc:"Whether it is told the values that have changed, personal data among them, and not their names alone."`
	Disabled    bool     `json:"disabled,omitempty" doc:"Whether it is told nothing for the time being."`
}

// What can be wrong with a webhook.
var (
	ErrID       = refusal.New("webhook.id_form", "the id of a webhook is of 1 to 100 lower-case letters, digits and . _ : -, and begins with one of the former")
	ErrURL      = refusal.New("webhook.url", "the URL must look like https://example.com/hook, without user, password and fragment")
	ErrPlain    = refusal.New("webhook.plain", "http:// is for this machine, and for private networks where WICKET_ALLOW_PRIVATE_ADDRESSES is on")
	ErrTypes    = refusal.New("webhook.types", "a webhook listens to at least one type of events, and to 200 entries at the most")
	ErrText     = refusal.New("webhook.description_form", "a description has at most 500 characters in one line")
	ErrTooMany  = refusal.New("webhook.too_many", "there are a hundred webhooks already; delete one first")
	ErrDisabled = refusal.New("webhook.disabled", "the webhook is switched off; switch it on first")
)

const (
	maxWebhooks    = 100
	maxURL         = 2000
	maxDescription = 500
	maxTypes       = 200
)

var idPattern = regexp.MustCompile(`^[a-z0-9][a-z0-9._:-]{0,99}$`)

// checkRest says what is wrong with settings, but for the URL.
func checkRest(settings WebhookSettings) error {
	if len(settings.Description) > maxDescription || strings.ContainsFunc(settings.Description, isControl) {
		return ErrText
	}
	if len(settings.Types) == 0 || len(settings.Types) > maxTypes {
		return ErrTypes
	}
	_, err := events.Chosen(settings.Types)
	return err
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

// checkURL says what is wrong with a URL; an operator may mean this machine. Where it leads is for the dialer to find
// out, each time.
func (s *Store) checkURL(raw string, byOperator bool) error {
	parsed, err := url.Parse(raw)
	if err != nil || len(raw) > maxURL || parsed.Hostname() == "" || parsed.User != nil || parsed.Fragment != "" ||
		parsed.Opaque != "" {
		return ErrURL
	}
	switch parsed.Scheme {
	case "https":
		return nil
	case "http":
		if s.AllowPrivate || byOperator && storage.IsLoopback(parsed.Hostname()) {
			return nil
		}
		return ErrPlain
	}
	return ErrURL
}
