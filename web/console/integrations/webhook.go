package integrations

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/manage/webhooks"
	"github.com/wicket-id/wicket/storage/outgoing"
	"github.com/wicket-id/wicket/web/console/history"
	"github.com/wicket-id/wicket/web/console/shell"
	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/locales"
	"github.com/wicket-id/wicket/web/pages"
)

// Webhook is the page of one webhook.
type Webhook struct{ shell.Console }

type webhookPage struct {
	shell.Screen
	Webhook       *webhooks.Webhook
	URI           string
	Seen          string // the entity tag of the webhook as the page shows it
	State         state
	Host          string // of its URL, for those who may not see all of that
	Types         string
	Fields        fields
	Made          string
	SecretSince   string
	OldSecretEnds string // or ""
	Periods       []choice

	States        []choice
	Chosen        string // the state of the deliveries that are shown; "": any
	Deliveries    []delivery
	Newest, Older string
}

// delivery is one event that a webhook was told of, or is to be told of.
type delivery struct {
	ID, Type string
	Outcome  outcome
	Detail   string
	Answer   string // how it began
	Ended    bool   // it may be sent again
	history.When
}

// outcome is how a delivery stands.
type outcome struct {
	Label locales.Key
	Bad   bool
}

// Template is that of the page.
func (webhookPage) Template() (pages.Templates, string) { return templates, "webhook.html" }

// Page shows a webhook with its deliveries.
func (h Webhook) Page(v *frame.Visit, by manage.Caller) error {
	return h.show(v, by, http.StatusOK, "", nil)
}

// show shows it; sent are the settings of a form that could not be taken.
func (h Webhook) show(
	v *frame.Visit, by manage.Caller, status int, failure string, sent *webhooks.WebhookSettings,
) error {
	w, err := h.Webhooks.Show(v.Context(), by, v.Gin.Param("webhook"))
	if err != nil {
		return err
	}
	page := webhookPage{
		Screen: h.Screen(v, by, shell.Integrations), Webhook: w, URI: address(w.ID), Seen: manage.ETag(w.Seen()),
		State: List(h).state(v, w), Host: outgoing.HostOf(w.URL), Types: strings.Join(w.Types, ", "),
		Fields: fieldsOf(settingsOf(w)), Made: v.Language.Moment(w.CreatedAt),
		SecretSince: v.Language.Moment(w.SecretSince), Periods: periods(), Chosen: v.Form.Get("state"),
	}
	page.Failure = failure
	if sent != nil {
		page.Fields, page.Seen = fieldsOf(*sent), v.Form.Get("seen")
	}
	if ends := w.OldSecretEndsAt; ends != nil {
		page.OldSecretEnds = v.Language.Moment(*ends)
	}
	if err := h.deliveries(v, by, &page); err != nil {
		return err
	}
	return v.Show(status, page)
}

// outcomes are what is said of a delivery by its state.
var outcomes = map[string]outcome{
	webhooks.Pending:   {Label: locales.Key("console.deliveries.pending")},
	webhooks.Sending:   {Label: locales.Key("console.deliveries.sending")},
	webhooks.Delivered: {Label: locales.Key("console.deliveries.delivered")},
	webhooks.Failed:    {locales.Key("console.deliveries.failed"), true},
}

// shownDeliveries are how many are on a page.
const shownDeliveries = 25

func (h Webhook) deliveries(v *frame.Visit, by manage.Caller, page *webhookPage) error {
	if outcomes[page.Chosen].Label == "" { // the address was written by hand
		page.Chosen = ""
	}
	page.States = states(page.Chosen, webhooks.Pending, webhooks.Delivered, webhooks.Failed)
	part := manage.Part{Cursor: v.Form.Get("cursor"), Limit: shownDeliveries}
	filter := webhooks.DeliveryFilter{State: page.Chosen}
	found, err := h.Webhooks.Deliveries(v.Context(), by, page.Webhook.ID, filter, part)
	if v.Language.Refusal(err) != "" { // likewise
		part.Cursor = ""
		found, err = h.Webhooks.Deliveries(v.Context(), by, page.Webhook.ID, filter, part)
	}
	if err != nil {
		return err
	}
	for i := range found.Items {
		page.Deliveries = append(page.Deliveries, h.delivery(v, &found.Items[i]))
	}
	page.Newest, page.Older = shell.Newest(v), shell.Older(v, found.Next)
	return nil
}

func (h Webhook) delivery(v *frame.Visit, d *webhooks.WebhookDelivery) delivery {
	shown := delivery{
		ID: d.ID.String(), Type: d.Type, Outcome: outcomes[d.State], When: history.NewWhen(v, h.Now(), d.CreatedAt),
		Ended: d.State == webhooks.Delivered || d.State == webhooks.Failed, Answer: d.Answer,
	}
	details := []string{v.Language.Text("console.deliveries.attempts", locales.Params{"Count": d.Attempts})}
	switch {
	case d.Error != "":
		details = append(details, d.Error)
	case d.Status != 0:
		details = append(details, v.Language.Text("console.deliveries.answered", locales.Params{"Status": d.Status}))
	}
	if d.NextAt != nil && d.Attempts > 0 {
		details = append(details, v.Language.Text("console.deliveries.next", locales.Params{
			"When": v.Language.Moment(*d.NextAt),
		}))
	}
	shown.Detail = strings.Join(details, " · ")
	return shown
}

// period is how far back events are sent again.
type period struct {
	name  string
	label locales.Key
	long  time.Duration
}

var allPeriods = []period{
	{"hour", locales.Key("console.webhooks.since_hour"), time.Hour},
	{"day", locales.Key("console.webhooks.since_day"), 24 * time.Hour},
	{"week", locales.Key("console.webhooks.since_week"), 7 * 24 * time.Hour},
	{"month", locales.Key("console.webhooks.since_month"), 30 * 24 * time.Hour},
}

func periods() (choices []choice) {
	for _, p := range allPeriods {
		choices = append(choices, choice{Value: p.name, Label: p.label, Chosen: p.name == "day"})
	}
	return choices
}

func periodNamed(name string) (period, bool) {
	i := slices.IndexFunc(allPeriods, func(p period) bool { return p.name == name })
	if i < 0 {
		return period{}, false
	}
	return allPeriods[i], true
}

// settingsOf are the settings of a webhook as it is.
func settingsOf(w *webhooks.Webhook) webhooks.WebhookSettings {
	return webhooks.WebhookSettings{
		URL: w.URL, Description: w.Description, Types: w.Types, Values: w.Values, Disabled: w.Disabled,
	}
}

// deliveryID is the delivery that a form is about.
func deliveryID(v *frame.Visit) (uuid.UUID, error) {
	id, err := uuid.Parse(v.Form.Get("delivery"))
	if err != nil {
		return id, frame.ErrForm
	}
	return id, nil
}
