package signin

import (
	"net/http"

	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/pages"
)

// SelectAccount asks which account the app is to see: the one that is signed in here, or another.
type SelectAccount struct{ *frame.Frame }

// Page asks.
func (h SelectAccount) Page(v *frame.Visit) error {
	person, err := v.Person()
	if err != nil {
		return err
	}
	page := pages.SelectAccount{Person: person}
	page.App, page.Continue = v.App()
	return v.Show(http.StatusOK, page)
}

// Answer takes the answer.
func (h SelectAccount) Answer(v *frame.Visit) error {
	if v.Form.Get("choice") != "continue" {
		return v.Redirect("/sign-in?switch=1&continue=" + v.Suspend())
	}
	v.Authorization.Selected = true
	return v.ReturnToAuthorize()
}
