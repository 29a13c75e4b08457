package integrations

import (
	"net/http"

	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/manage/events"
	"github.com/wicket-id/wicket/manage/webhooks"
	"github.com/wicket-id/wicket/web/console/shell"
	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/pages"
)

// New is where a webhook is made.
type New struct{ shell.Console }

type newPage struct {
	shell.Screen
	ID     string
	Fields fields
}

// Template is that of the page.
func (newPage) Template() (pages.Templates, string) { return templates, "new.html" }

// Page shows an empty form.
func (h New) Page(v *frame.Visit, by manage.Caller) error {
	if err := by.Demand(manage.WriteWebhooks); err != nil {
		return err
	}
	return h.show(v, by, http.StatusOK, webhooks.WebhookSettings{Types: []string{events.AllTypes}}, "")
}

func (h New) show(
	v *frame.Visit, by manage.Caller, status int, settings webhooks.WebhookSettings, failure string,
) error {
	page := newPage{
		Screen: h.Screen(v, by, shell.Integrations), ID: v.Form.Get("webhook"), Fields: fieldsOf(settings),
	}
	page.Failure = failure
	return v.Show(status, page)
}

// Create makes a webhook, and shows its secret this once. What is sent a second time finds it there.
func (h New) Create(v *frame.Visit, by manage.Caller) error {
	settings := typed(v)
	made, err := h.Webhooks.Put(v.Context(), by, v.Form.Get("webhook"), settings, "", true)
	if failure := v.Language.Refusal(err); failure != "" {
		return h.show(v, by, unprocessable, settings, failure)
	} else if err != nil {
		return err
	}
	return v.Show(http.StatusOK, shell.Secret{
		Screen: h.Screen(v, by, shell.Integrations), Title: v.Language.Text("console.webhooks.made"),
		Text: v.Language.Text("console.webhooks.secret_text"), Label: v.Language.Text("console.webhooks.secret"),
		Secret: made.Secret, Back: address(made.ID),
	})
}
