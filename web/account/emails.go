package account

import (
	"errors"
	"net/http"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/identifier"
	"github.com/wicket-id/wicket/identity/refusal"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/pages"
)

// Emails is the page of the e-mail addresses.
type Emails struct{ *frame.Frame }

// Page shows a person their addresses.
func (h Emails) Page(v *frame.Visit) error { return h.show(v, http.StatusOK, pages.Emails{}) }

// show fills in whose page it is, and their addresses.
func (h Emails) show(v *frame.Visit, status int, page pages.Emails) (err error) {
	if page.Head, err = head(h.Frame, v, "/account/emails"); err != nil {
		return err
	}
	emails, err := h.Identity.Emails().List(v.Context(), v.Session.UserID)
	if err != nil {
		return err
	}
	page.Notice = notice(h.Frame, v)
	for _, email := range emails {
		page.Emails = append(page.Emails, pages.EmailItem{
			ID: email.ID.String(), Address: email.Address, Primary: email.IsPrimary, Verified: email.VerifiedAt != nil,
		})
	}
	return v.Show(status, page)
}

// Add claims another address and sends a link there.
func (h Emails) Add(v *frame.Visit) error {
	if !h.Identity.Mails {
		return h.show(v, http.StatusUnprocessableEntity, pages.Emails{Failure: v.Language.Text("notice.email_not_sent")})
	}
	typed := v.Form.Get("address")
	_, err := h.Identity.Emails().Add(v.Context(), v.Owner, typed)
	if known := refusal.OneOf(err, emailFaults...); known != nil {
		return h.show(v, http.StatusUnprocessableEntity, pages.Emails{Typed: typed, Wrong: v.Language.Refusal(known)})
	}
	return h.changed(v, "email-sent", err)
}

// Resend sends the link once more.
func (h Emails) Resend(v *frame.Visit) error {
	if !h.Identity.Mails {
		return h.show(v, http.StatusUnprocessableEntity, pages.Emails{Failure: v.Language.Text("notice.email_not_sent")})
	}
	return h.changed(v, "email-sent", h.Identity.Emails().Resend(v.Context(), v.Owner, formID(v)))
}

// MakePrimary makes an address the one that apps are told.
func (h Emails) MakePrimary(v *frame.Visit) error {
	return h.changed(v, "email-primary", h.Identity.Emails().MakePrimary(v.Context(), v.Owner, formID(v)))
}

// Remove drops an address.
func (h Emails) Remove(v *frame.Visit) error {
	return h.changed(v, "email-removed", h.Identity.Emails().Remove(v.Context(), v.Owner, formID(v)))
}

// emailFaults are the reasons why the addresses were not changed that a person is told.
var emailFaults = []error{
	identifier.ErrEmailInvalid, identity.ErrEmailListed, identity.ErrLastEmail, identity.ErrPrimaryEmail,
	identity.ErrEmailTooNew, identity.ErrTooManyEmails, identity.ErrTooManySendings,
}

// changed shows the page again after a change, or why there was none.
func (h Emails) changed(v *frame.Visit, done string, err error) error {
	if known := refusal.OneOf(err, emailFaults...); known != nil {
		return h.show(v, http.StatusUnprocessableEntity, pages.Emails{Failure: v.Language.Refusal(known)})
	}
	if errors.Is(err, storage.ErrNotFound) { // another tab was faster, or it never was theirs
		done, err = "gone", nil
	}
	if err != nil {
		return err
	}
	return v.Redirect("/account/emails?done=" + done)
}
