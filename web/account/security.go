package account

import (
	"errors"
	"net/http"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/refusal"
	"github.com/wicket-id/wicket/identity/signin"
	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/locales"
	"github.com/wicket-id/wicket/web/pages"
)

// Security is the page of the ways to sign in: the password, the factors, and who tried.
type Security struct{ *frame.Frame }

const attemptsShown = 20

// Page shows them.
func (h Security) Page(v *frame.Visit) error { return h.show(v, http.StatusOK, "") }

func (h Security) show(v *frame.Visit, status int, failure string) error {
	top, err := head(h.Frame, v, "/account/security")
	if err != nil {
		return err
	}
	attempts, err := h.SignIns.Attempts().List(v.Context(), v.Session.UserID, attemptsShown)
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
	page := pages.Security{
		Head: top, HasPassword: user.PasswordHash != "", Failure: failure, Notice: notice(h.Frame, v),
		Kinds: factorKinds(v, h.Now(), factors), BackupCodes: codesLeft(v, factors),
	}
	if due := factors.RemovalDueAt(); due != nil {
		page.RemovedOn = v.Language.Moment(*due)
	}
	for _, attempt := range attempts {
		page.Attempts = append(page.Attempts, pages.Attempt{
			When: frame.Ago(v, h.Now(), attempt.AttemptTime), Result: attemptResult(v, attempt.FailureReason),
			Bad: !attempt.Success && attempt.FailureReason != "second_step",
			IP:  attempt.IPAddress, Device: identity.Device{UserAgent: attempt.UserAgent}.Label(),
		})
	}
	return v.Show(status, page)
}

// attemptResult says in words how an attempt ended.
func attemptResult(v *frame.Visit, reason string) string {
	if key, ok := attemptResults[reason]; ok {
		return v.Language.Text(key)
	}
	return ""
}

var attemptResults = map[string]locales.Key{
	"":               locales.Key("attempt.signed_in"),
	"wrong_password": locales.Key("attempt.wrong_password"),
	"locked":         locales.Key("attempt.locked"),
	"disabled":       locales.Key("attempt.disabled"),
	"second_step":    locales.Key("attempt.second_step"),
	"wrong_code":     locales.Key("attempt.wrong_code"),
	"wrong_passkey":  locales.Key("attempt.wrong_passkey"),
	"cloned_key":     locales.Key("attempt.cloned_key"),
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
		return h.show(v, http.StatusUnprocessableEntity, v.Language.Text("security.wrong_password"))
	case refusal.OneOf(err, frame.PasswordFaults...) != nil, errors.Is(err, identity.ErrTooManyAttempts):
		return h.show(v, http.StatusUnprocessableEntity, v.Language.Refusal(err))
	case err != nil:
		return v.SupplyProof("/account/security", err)
	}
	v.SetSession(secret, v.Session.ExpiresAt)
	return v.Redirect("/account/security?done=password")
}
