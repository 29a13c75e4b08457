package account

import (
	"errors"
	"net/http"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/refusal"
	"github.com/wicket-id/wicket/identity/signin"
	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/pages"
)

// Security is the page of the ways to sign in: the factors and the password.
type Security struct{ *frame.Frame }

// Page shows them.
func (h Security) Page(v *frame.Visit) error { return h.show(v, http.StatusOK, pages.Security{}) }

// show fills in whose page it is, and what they have.
func (h Security) show(v *frame.Visit, status int, page pages.Security) error {
	top, err := head(h.Frame, v, "/account/security")
	if err != nil {
		return err
	}
	user, err := h.Identity.Users().ByID(v.Context(), v.Session.UserID)
	if err != nil {
		return err
	}
	factors, err := h.Factors.List(v.Context(), v.Session.UserID)
	if err != nil {
		return err
	}
	page.Head, page.HasPassword, page.Notice = top, user.PasswordHash != "", notice(h.Frame, v)
	page.Kinds, page.BackupCodes = factorKinds(v, h.Now(), factors), codesLeft(v, factors)
	if !isStrong(factors) {
		page.Kinds[0].Recommended = true
	}
	if due := factors.RemovalDueAt(); due != nil {
		page.RemovedOn = v.Language.Moment(*due)
	}
	return v.Show(status, page)
}

// WhereToChangePassword leads password managers and browsers to where a password is changed (W3C, A Well-Known URL for
// Changing Passwords).
func (h Security) WhereToChangePassword(v *frame.Visit) error {
	return v.Redirect("/account/security#change-password")
}

// ChangePassword takes a new password from a person who knows the current one.
func (h Security) ChangePassword(v *frame.Visit) error {
	present, password := v.Form.Get("present"), v.Form.Get("password")
	secret, err := h.SignIns.Passwords().Change(v.Context(), v.Session, v.Device(), present, password)
	switch {
	case errors.Is(err, signin.ErrRefused):
		page := pages.Security{WrongPresent: v.Language.Text("security.wrong_password")}
		return h.show(v, http.StatusUnprocessableEntity, page)
	case refusal.OneOf(err, frame.PasswordFaults...) != nil:
		return h.show(v, http.StatusUnprocessableEntity, pages.Security{WrongNew: v.Language.Refusal(err)})
	case errors.Is(err, identity.ErrTooManyAttempts):
		return h.show(v, http.StatusUnprocessableEntity, pages.Security{Failure: v.Language.Refusal(err)})
	case err != nil:
		return v.SupplyProof("/account/security", err)
	}
	v.SetSession(secret, v.Session.ExpiresAt)
	return v.Redirect("/account/security?done=password")
}
