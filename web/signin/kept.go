package signin

import (
	"net/http"
	"time"

	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/pages"
)

// kept is where a person is asked who had asked for their account to be deleted, and has signed in since.
const kept = "/account/kept"

// Kept tells a person that by signing in they have kept the account that was to be deleted, and asks whether they want
// that. Who does not answer keeps it.
type Kept struct{ *frame.Frame }

// Page asks.
func (h Kept) Page(v *frame.Visit) error {
	due, err := time.Parse(time.RFC3339, v.Cookie(frame.UndoneErasureCookie))
	if err != nil { // there is nothing to ask any more
		return askToLink(v, frame.Then(v, "/account"))
	}
	page := pages.Kept{Date: v.Language.Date(due), Then: frame.Then(v, "")}
	page.App, page.Continue = v.App()
	return v.Show(http.StatusOK, page)
}

// Keep goes on where the person came from.
func (h Kept) Keep(v *frame.Visit) error {
	v.ClearCookie(frame.UndoneErasureCookie)
	return askToLink(v, frame.Then(v, "/account"))
}
