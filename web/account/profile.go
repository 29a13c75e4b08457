package account

import (
	"errors"
	"net/http"

	"github.com/wicket-id/wicket/identity/profile"
	"github.com/wicket-id/wicket/identity/refusal"
	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/pages"
)

// Profile is the page of what a person tells of themself.
type Profile struct{ *frame.Frame }

// Page shows it.
func (h Profile) Page(v *frame.Visit) error {
	profile, err := h.Identity.Profiles().Of(v.Context(), v.Session.UserID)
	if err != nil {
		return err
	}
	return h.show(v, http.StatusOK, profile, pages.Profile{Notice: notice(h.Frame, v)})
}

func (h Profile) show(v *frame.Visit, status int, profile *profile.Profile, page pages.Profile) (err error) {
	if page.Head, err = head(h.Frame, v, "/account/profile"); err != nil {
		return err
	}
	page.Values = make(map[string]string)
	for _, field := range profile.Fields() {
		page.Values[field.Name] = *field.Value
	}
	return v.Show(status, page)
}

// Update takes what they tell from now on. A field that is not in the form stays as it was.
func (h Profile) Update(v *frame.Visit) error {
	profile, err := h.Identity.Profiles().Of(v.Context(), v.Session.UserID)
	if err != nil {
		return err
	}
	for _, field := range profile.Fields() {
		if v.Form.Has(field.Name) {
			*field.Value = v.Form.Get(field.Name)
		}
	}
	err = h.Identity.Profiles().Update(v.Context(), v.Session.UserID, *profile)
	var faults refusal.FieldFaults
	if errors.As(err, &faults) {
		return h.show(v, http.StatusUnprocessableEntity, profile, pages.Profile{
			Failures: v.Language.Refusals(faults), Failure: v.Language.Text("profile.refused"),
		})
	}
	if err != nil {
		return err
	}
	if err := Picture(h).forgetReplaced(v); err != nil {
		return err
	}
	return v.Redirect("/account/profile?done=profile")
}
