package signin

import (
	"net/http"

	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/pages"
)

// ContinueToApp asks whether it is the person who wants to go on to an app that was allowed before: another program on
// their machine could pass for it (RFC 8252, section 8.6).
type ContinueToApp struct{ *frame.Frame }

// Page asks.
func (h ContinueToApp) Page(v *frame.Visit) error {
	person, err := v.Person()
	if err != nil {
		return err
	}
	app, sealed := v.App()
	return v.Show(http.StatusOK, pages.ContinueToApp{
		App: *app, Person: person, RedirectHost: frame.HostOf(v.Authorization.RedirectURI), Continue: sealed,
	})
}

// Answer takes the answer. It counts once, for this request and this session alone.
func (h ContinueToApp) Answer(v *frame.Visit) error {
	if v.Form.Get("decision") != "continue" {
		return denied(v.Authorization)
	}
	v.Authorization.Confirm(v.Session)
	return v.ReturnToAuthorize()
}
