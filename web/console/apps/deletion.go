package apps

import (
	"net/http"

	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/web/console/shell"
	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/locales"
)

// ConfirmDeletion asks before an app is deleted, and says what ends with it.
func (h App) ConfirmDeletion(v *frame.Visit, by manage.Caller) error {
	if err := by.Demand(manage.WriteClients); err != nil {
		return err
	}
	return h.askDeletion(v, by, http.StatusOK, "")
}

func (h App) askDeletion(v *frame.Visit, by manage.Caller, status int, failure string) error {
	app, err := h.named(v, by)
	if err != nil {
		return err
	}
	usage, err := h.Apps.Usage(v.Context(), by, app.ID)
	if err != nil {
		return err
	}
	page := shell.Confirm{
		Screen: h.Screen(v, by, shell.Apps),
		Title:  v.Language.Text("console.apps.delete_of", locales.Params{"App": app.Name}),
		Text:   v.Language.Text("console.apps.delete_text"),
		Ends: []string{
			v.Language.Text("console.apps.delete_consents", locales.Params{"Count": usage.Consents}),
			v.Language.Text("console.apps.delete_grants", locales.Params{"Count": usage.Grants}),
		},
		Typed: app.Name, Action: onePage + "/delete", Fields: map[string]string{"id": app.ID},
		Button: v.Language.Text("console.apps.delete"), Back: Address(app.ID),
	}
	page.Failure = failure
	return v.Show(status, page)
}

// named is the app that a request is about.
func (h App) named(v *frame.Visit, by manage.Caller) (*registered, error) {
	found, err := h.Apps.Client(v.Context(), by, v.Form.Get("id"))
	if err != nil {
		return nil, err
	}
	return read(found)
}

// Delete deletes an app, whose name was typed.
func (h App) Delete(v *frame.Visit, by manage.Caller) error {
	if err := by.Demand(manage.WriteClients); err != nil {
		return err
	}
	app, err := h.named(v, by)
	if err != nil {
		return err
	}
	if v.Form.Get("typed") != app.Name {
		return h.askDeletion(v, by, unprocessable, v.Language.Text("console.typed_wrong"))
	}
	if err := h.Apps.DeleteClient(v.Context(), by, app.ID); err != nil {
		return err
	}
	return shell.Done(v, shell.Apps, "app-deleted")
}
