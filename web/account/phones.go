package account

import (
	"errors"
	"net/http"
	"slices"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/identifier"
	"github.com/wicket-id/wicket/identity/refusal"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/pages"
)

// Phones is the page of the phone numbers.
type Phones struct{ *frame.Frame }

// Page shows a person their numbers.
func (h Phones) Page(v *frame.Visit) error {
	return h.show(v, http.StatusOK, pages.Phones{Notice: notice(h.Frame, v)})
}

// show fills in whose page it is, and their numbers.
func (h Phones) show(v *frame.Visit, status int, page pages.Phones) (err error) {
	if page.Head, err = head(h.Frame, v, "/account/phones"); err != nil {
		return err
	}
	phones, err := h.Identity.Phones().List(v.Context(), v.Session.UserID)
	if err != nil {
		return err
	}
	for _, phone := range phones {
		page.Phones = append(page.Phones, pages.PhoneItem{
			ID: phone.ID.String(), Number: phone.Number, Primary: phone.IsPrimary, Verified: phone.VerifiedAt != nil,
		})
	}
	if page.Wrong != "" && !slices.ContainsFunc(page.Phones, func(phone pages.PhoneItem) bool {
		return phone.ID == page.Wrong && !phone.Verified
	}) { // there is no field any more beside which it could be said
		page.Failure, page.Wrong = v.Language.Text("phones.wrong_code"), ""
	}
	return v.Show(status, page)
}

// Add claims another number and sends a code there.
func (h Phones) Add(v *frame.Visit) error {
	typed := v.Form.Get("number")
	_, err := h.Identity.Phones().Add(v.Context(), v.Owner, typed)
	if known := refusal.OneOf(err, phoneFaults...); known != nil {
		page := pages.Phones{Number: typed, Refused: v.Language.Refusal(known)}
		return h.show(v, http.StatusUnprocessableEntity, page)
	}
	return h.changed(v, "phone-sent", err)
}

// Resend sends another code.
func (h Phones) Resend(v *frame.Visit) error {
	return h.changed(v, "phone-sent", h.Identity.Phones().Resend(v.Context(), v.Owner, formID(v)))
}

// Verify takes the code.
func (h Phones) Verify(v *frame.Visit) error {
	_, err := h.Identity.Phones().Verify(v.Context(), v.Owner, formID(v), v.Form.Get("code"))
	return h.changed(v, "phone-verified", err)
}

// MakePrimary makes a number the one that apps are told.
func (h Phones) MakePrimary(v *frame.Visit) error {
	return h.changed(v, "phone-primary", h.Identity.Phones().MakePrimary(v.Context(), v.Owner, formID(v)))
}

// Remove drops a number.
func (h Phones) Remove(v *frame.Visit) error {
	return h.changed(v, "phone-removed", h.Identity.Phones().Remove(v.Context(), v.Owner, formID(v)))
}

// phoneFaults are the reasons why the numbers were not changed that a person is told.
var phoneFaults = []error{
	identifier.ErrPhoneInvalid, identity.ErrPhoneListed, identity.ErrPrimaryPhone, identity.ErrTooManyPhones,
	identity.ErrPhoneTaken, identity.ErrTooManyTexts, identity.ErrTextsExhausted, identity.ErrUntexted, identity.ErrNoTexts,
	identity.ErrEmailFirst,
}

// changed shows the page again after a change, or why there was none.
func (h Phones) changed(v *frame.Visit, done string, err error) error {
	if errors.Is(err, identity.ErrProof) {
		return h.show(v, http.StatusUnprocessableEntity, pages.Phones{Wrong: formID(v).String()})
	}
	if known := refusal.OneOf(err, phoneFaults...); known != nil {
		return h.show(v, http.StatusUnprocessableEntity, pages.Phones{Failure: v.Language.Refusal(known)})
	}
	if errors.Is(err, storage.ErrNotFound) { // another tab was faster, or it never was theirs
		done, err = "gone", nil
	}
	if err != nil {
		return err
	}
	return v.Redirect("/account/phones?done=" + done)
}
