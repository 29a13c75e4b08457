package signin

import (
	"net/http"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/refusal"
	"github.com/wicket-id/wicket/web/frame"
)

// Linking links accounts at providers to the account of the person who is signed in.
type Linking struct {
	*frame.Frame

	// ShowLinked shows the page of linked accounts with what went wrong.
	ShowLinked func(v *frame.Visit, status int, failure string) error
}

// linkFaults are the reasons why an account at a provider cannot be linked.
var linkFaults = []error{identity.ErrExternalTaken, identity.ErrTooManyExternals}

// link links one and goes on where the person came from: to the page then, or the one of linked accounts for "".
func (h Linking) link(v *frame.Visit, external identity.External, then string) error {
	err := h.Identity.ExternalAccounts().Link(v.Context(), v.Owner, external)
	if refusal.OneOf(err, linkFaults...) != nil {
		return h.ShowLinked(v, http.StatusConflict, v.Language.Refusal(err))
	} else if err != nil {
		return err
	}
	if then != "" {
		return v.Proceed(frame.OwnPage(then))
	}
	return v.Proceed("/account/linked?done=linked")
}
