package signin

import (
	"net/http"

	"github.com/wicket-id/wicket/oidc/authorize"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/pages"
)

// NoAccess tells a person that they may not use the app that sent them here. That they may not is found by
// authorize.Next alone, each time: this page gives nothing and takes nothing.
type NoAccess struct{ *frame.Frame }

// Page tells it.
func (h NoAccess) Page(v *frame.Visit) error {
	page, err := noAccess(v, v.Authorization.Client)
	if err != nil {
		return err
	}
	_, page.Continue = v.App()
	return v.Show(http.StatusForbidden, page)
}

// noAccess is the page about an app that a person may not use.
func noAccess(v *frame.Visit, client *clients.Client) (pages.NoAccess, error) {
	person, err := v.Person()
	if err != nil {
		return pages.NoAccess{}, err
	}
	page := pages.NoAccess{App: *frame.AppView(client), Person: person, Reference: frame.Reference(v)}
	frame.NoteNoAccess(v, authorize.Excluded(client))
	if !client.IsStranger() { // who nobody vouches for is nobody to ask
		page.Contacts = client.Contacts
	}
	return page, nil
}

// Answer leads back to the app, which is told, or to where somebody else signs in.
func (h NoAccess) Answer(v *frame.Visit) error {
	if v.Form.Get("choice") == "other" {
		return v.Redirect("/sign-in?switch=1&continue=" + v.Suspend())
	}
	return &authorize.Refusal{Reason: authorize.ErrNoAccess, Authorization: v.Authorization}
}
