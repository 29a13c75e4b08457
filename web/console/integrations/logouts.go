package integrations

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/manage/apps"
	"github.com/wicket-id/wicket/oidc/logout"
	"github.com/wicket-id/wicket/web/console/history"
	"github.com/wicket-id/wicket/web/console/shell"
	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/locales"
	"github.com/wicket-id/wicket/web/pages"
)

// Logouts is the page of the apps that were told of logouts.
type Logouts struct{ shell.Console }

type logoutsPage struct {
	shell.Screen
	ClientID, App string // it is about this app alone; "": about all
	States        []choice
	Chosen        string
	Deliveries    []told
	Newest, Older string
}

// told is that an app was told of a logout, or is to be told.
type told struct {
	ID, App, AppURI string
	Who, WhoURI     string // whose session has ended; "": somebody's who has no account any more
	Outcome         outcome
	Detail          string
	Failed          bool
	history.When
}

// Template is that of the page.
func (logoutsPage) Template() (pages.Templates, string) { return templates, "logouts.html" }

var logoutOutcomes = map[string]outcome{
	logout.DeliveryPending:   {Label: locales.Key("console.deliveries.pending")},
	logout.DeliverySending:   {Label: locales.Key("console.deliveries.sending")},
	logout.DeliveryDelivered: {Label: locales.Key("console.deliveries.delivered")},
	logout.DeliveryFailed:    {locales.Key("console.deliveries.failed"), true},
}

// Page shows them, the newest first.
func (h Logouts) Page(v *frame.Visit, by manage.Caller) error {
	return h.show(v, by, http.StatusOK, "")
}

func (h Logouts) show(v *frame.Visit, by manage.Caller, status int, failure string) error {
	page := logoutsPage{
		Screen: h.Screen(v, by, shell.Integrations), ClientID: v.Form.Get("client"), Chosen: v.Form.Get("state"),
	}
	page.Failure = failure
	if logoutOutcomes[page.Chosen].Label == "" {
		page.Chosen = ""
	}
	page.States = states(page.Chosen, logout.DeliveryPending, logout.DeliveryDelivered, logout.DeliveryFailed)
	filter := apps.LogoutFilter{ClientID: page.ClientID, State: page.Chosen}
	found, err := h.Apps.LogoutDeliveries(v.Context(), by, filter, manage.Part{Cursor: v.Form.Get("cursor"), Limit: 50})
	if v.Language.Refusal(err) != "" { // the address was written by hand, or is old
		return v.RedirectWith(logoutsPath, url.Values{"client": {page.ClientID}})
	} else if err != nil {
		return err
	}
	if err := h.tell(v, by, &page, found.Items); err != nil {
		return err
	}
	page.Newest, page.Older = shell.Newest(v), shell.Older(v, found.Next)
	return v.Show(status, page)
}

// tell makes deliveries ready to be read.
func (h Logouts) tell(v *frame.Visit, by manage.Caller, page *logoutsPage, found []apps.LogoutDelivery) error {
	var ids []string
	for _, d := range found {
		ids = append(ids, d.UserID.String())
	}
	people, err := h.People.Usernames(v.Context(), by, ids)
	if err != nil {
		return err
	}
	names := make(map[string]string)
	name := func(id string) string {
		if _, ok := names[id]; !ok {
			if client, err := h.Clients.ByID(v.Context(), id); err == nil {
				names[id] = client.Name
			} else {
				names[id] = id // it was deleted
			}
		}
		return names[id]
	}
	if page.ClientID != "" {
		page.App = name(page.ClientID)
	}
	for _, d := range found {
		shown := told{
			ID: d.ID.String(), App: name(d.ClientID), Outcome: logoutOutcomes[d.State], Failed: d.State == logout.DeliveryFailed,
			AppURI: frame.WithParameters(shell.Apps+"/app", url.Values{"id": {d.ClientID}}),
			When:   history.NewWhen(v, h.Now(), d.CreatedAt),
		}
		if shown.Who = people[d.UserID.String()]; shown.Who != "" {
			shown.WhoURI = shell.People + "/" + d.UserID.String()
		}
		details := []string{v.Language.Text("console.deliveries.attempts", locales.Params{"Count": d.Attempts})}
		if d.LastError != "" {
			details = append(details, d.LastError)
		}
		if d.NextAt != nil && d.Attempts > 0 {
			details = append(details, v.Language.Text("console.deliveries.next", locales.Params{
				"When": v.Language.Moment(*d.NextAt),
			}))
		}
		shown.Detail = strings.Join(details, " · ")
		page.Deliveries = append(page.Deliveries, shown)
	}
	return nil
}

// Resend has an app told again that could not be told.
func (h Logouts) Resend(v *frame.Visit, by manage.Caller) error {
	if err := by.Demand(manage.WriteClients); err != nil {
		return err
	}
	id, err := deliveryID(v)
	if err != nil {
		return err
	}
	err = h.Apps.ResendLogout(v.Context(), by, id)
	if failure := v.Language.Refusal(err); failure != "" {
		return h.show(v, by, unprocessable, failure)
	} else if err != nil {
		return err
	}
	if client := v.Form.Get("client"); client != "" {
		return shell.Done(v, logoutsPath, "delivery-resent", "client", client)
	}
	return shell.Done(v, logoutsPath, "delivery-resent")
}
