package integrations

import (
	"net/http"

	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/web/console/shell"
	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/locales"
)

// act is something that is done to a webhook by a button of its page.
func (h Webhook) act(done string, do func(v *frame.Visit, by manage.Caller, id string) error) shell.Handler {
	return func(v *frame.Visit, by manage.Caller) error {
		id := v.Gin.Param("webhook")
		err := do(v, by, id)
		if failure := v.Language.Refusal(err); failure != "" {
			return h.show(v, by, unprocessable, failure, nil)
		} else if err != nil {
			return err
		}
		return shell.Done(v, address(id), done)
	}
}

// Save changes the settings of a webhook, where it is as the page has shown it. Whether it is on stays as it is.
func (h Webhook) Save(v *frame.Visit, by manage.Caller) error {
	if err := by.Demand(manage.WriteWebhooks); err != nil {
		return err
	}
	id, sent := v.Gin.Param("webhook"), typed(v)
	before, err := h.Webhooks.Show(v.Context(), by, id)
	if err != nil {
		return err
	}
	sent.Disabled = before.Disabled
	_, err = h.Webhooks.Put(v.Context(), by, id, sent, v.Form.Get("seen"), false)
	if failure := v.Language.Refusal(err); failure != "" {
		return h.show(v, by, unprocessable, failure, &sent)
	} else if err != nil {
		return err
	}
	return shell.Done(v, address(id), "saved")
}

// Disable switches a webhook off.
func (h Webhook) Disable() shell.Handler { return h.switchTo(false, "webhook-disabled") }

// Enable switches it on again.
func (h Webhook) Enable() shell.Handler { return h.switchTo(true, "webhook-enabled") }

func (h Webhook) switchTo(on bool, done string) shell.Handler {
	return h.act(done, func(v *frame.Visit, by manage.Caller, id string) error {
		if err := by.Demand(manage.WriteWebhooks); err != nil {
			return err
		}
		before, err := h.Webhooks.Show(v.Context(), by, id)
		if err != nil {
			return err
		}
		settings := settingsOf(before)
		settings.Disabled = !on
		// As it was just read: nobody's change of the rest is undone.
		_, err = h.Webhooks.Put(v.Context(), by, id, settings, manage.ETag(before.Seen()), false)
		return err
	})
}

// Test has the webhook told that it is tested.
func (h Webhook) Test() shell.Handler {
	return h.act("webhook-tested", func(v *frame.Visit, by manage.Caller, id string) error {
		return h.Webhooks.Test(v.Context(), by, id)
	})
}

// Resend has one event sent again.
func (h Webhook) Resend() shell.Handler {
	return h.act("delivery-resent", func(v *frame.Visit, by manage.Caller, id string) error {
		if err := by.Demand(manage.WriteWebhooks); err != nil {
			return err
		}
		delivery, err := deliveryID(v)
		if err != nil {
			return err
		}
		return h.Webhooks.Resend(v.Context(), by, id, delivery)
	})
}

// ResendSince has all events of the last hour, day, week or month sent again that the webhook listens to. Of very many
// only the first thousands are sent, and the page says so.
func (h Webhook) ResendSince(v *frame.Visit, by manage.Caller) error {
	if err := by.Demand(manage.WriteWebhooks); err != nil {
		return err
	}
	period, known := periodNamed(v.Form.Get("since"))
	if !known {
		return frame.ErrForm
	}
	id := v.Gin.Param("webhook")
	resent, err := h.Webhooks.ResendSince(v.Context(), by, id, h.Now().Add(-period.long), 0)
	if failure := v.Language.Refusal(err); failure != "" {
		return h.show(v, by, unprocessable, failure, nil)
	} else if err != nil {
		return err
	}
	if resent.More {
		return h.show(v, by, http.StatusOK, v.Language.Text("console.webhooks.more_events", locales.Params{
			"Number": resent.Deliveries,
		}), nil)
	}
	return shell.Done(v, address(id), "events-resent")
}

// Rotate gives a webhook another secret, and shows it this once.
func (h Webhook) Rotate(v *frame.Visit, by manage.Caller) error {
	id := v.Gin.Param("webhook")
	made, err := h.Webhooks.Rotate(v.Context(), by, id)
	if err != nil {
		return err
	}
	return v.Show(http.StatusOK, shell.Secret{
		Screen: h.Screen(v, by, shell.Integrations), Title: v.Language.Text("console.webhooks.rotated"),
		Text: v.Language.Text("console.webhooks.rotated_text", locales.Params{
			"Until": v.Language.Moment(made.OldSecretEndsAt),
		}),
		Label: v.Language.Text("console.webhooks.secret"), Secret: made.Secret, Back: address(id),
	})
}

// ConfirmDeletion asks before a webhook is deleted.
func (h Webhook) ConfirmDeletion(v *frame.Visit, by manage.Caller) error {
	if err := by.Demand(manage.WriteWebhooks); err != nil {
		return err
	}
	found, err := h.Webhooks.Show(v.Context(), by, v.Gin.Param("webhook"))
	if err != nil {
		return err
	}
	return v.Show(http.StatusOK, h.askDeletion(v, by, found.ID))
}

func (h Webhook) askDeletion(v *frame.Visit, by manage.Caller, id string) shell.Confirm {
	return shell.Confirm{
		Screen: h.Screen(v, by, shell.Integrations),
		Title:  v.Language.Text("console.webhooks.delete_of", locales.Params{"Name": id}),
		Text:   v.Language.Text("console.webhooks.delete_text"), Typed: id, Action: address(id) + "/delete",
		Button: v.Language.Text("console.webhooks.delete"), Back: address(id),
	}
}

// Delete removes a webhook, whose id was typed.
func (h Webhook) Delete(v *frame.Visit, by manage.Caller) error {
	if err := by.Demand(manage.WriteWebhooks); err != nil {
		return err
	}
	found, err := h.Webhooks.Show(v.Context(), by, v.Gin.Param("webhook"))
	if err != nil {
		return err
	}
	if v.Form.Get("typed") != found.ID {
		page := h.askDeletion(v, by, found.ID)
		page.Failure = v.Language.Text("console.typed_wrong")
		return v.Show(unprocessable, page)
	}
	if err := h.Webhooks.Delete(v.Context(), by, found.ID); err != nil {
		return err
	}
	return shell.Done(v, shell.Integrations, "webhook-deleted")
}
