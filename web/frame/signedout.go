package frame

import (
	"net/http"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/web/pages"
)

// SignedOut answers a person whose session has ended: the browser forgets it and goes on to the address returnTo, or,
// where that is empty, shows the page. Where apps are told in frames, it shows the page first in any case.
func SignedOut(v *Visit, sessionID uuid.UUID, returnTo string, page pages.SignedOut) error {
	v.ClearCookies()
	frames, err := v.frame.Logout.Frames(v.Context(), sessionID)
	if err != nil { // they are signed out all the same
		v.LogFault(err)
	}
	if len(frames) == 0 && returnTo != "" {
		return v.Redirect(returnTo)
	}
	if returnTo != "" {
		page.ReturnURI, page.Returns = returnTo, true
	}
	page.Frames, v.framed = frames, frames
	return v.Show(http.StatusOK, page)
}
