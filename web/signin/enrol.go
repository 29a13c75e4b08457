package signin

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/oidc/authorize"
	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/pages"
)

// Enrol is the page for people who lack a factor that an app or the operator demands.
type Enrol struct{ *frame.Frame }

// Page asks a person to register one.
func (h Enrol) Page(v *frame.Visit) error {
	class := v.Gin.Query("class")
	lacks := slices.Contains(identity.ACRs, class) && !identity.Assures(v.Session.User.StrongestACR(), class)
	if v.Authorization == nil && !lacks && !errors.Is(v.Session.DemandRule(), identity.ErrEnrolmentOwed) {
		return v.Redirect(frame.Then(v, "/account"))
	}
	page := pages.Enrol{KeyOnly: class == identity.ACRPhishingResistant}
	page.App, page.Continue = v.App()
	page.Then = frame.Then(v, "")
	if strings.HasPrefix(page.Then, "/console") && v.Session.DemandRule() == nil { // some of it takes a factor, not all
		page.BackURI = "/console"
	}
	return v.Show(http.StatusOK, page)
}

// Decline takes a person who will not back to the app.
func (h Enrol) Decline(v *frame.Visit) error {
	return &authorize.Refusal{Reason: authorize.ErrUnmet, Authorization: v.Authorization}
}
