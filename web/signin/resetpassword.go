package signin

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/refusal"
	"github.com/wicket-id/wicket/identity/signin"
	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/pages"
)

// ResetPassword is for people who have forgotten their password.
type ResetPassword struct{ *frame.Frame }

// RequestPage asks whose password is forgotten.
func (h ResetPassword) RequestPage(v *frame.Visit) error {
	return v.Show(http.StatusOK, pages.ForgotPassword{NoMail: !h.Identity.Mails})
}

// Request sends a link, if there is such an account; what the page says does not tell.
func (h ResetPassword) Request(v *frame.Visit) error {
	if !h.Identity.Mails { // what is promised must be kept
		return h.RequestPage(v)
	}
	login := v.Form.Get("login")
	if login == "" {
		return v.Show(http.StatusBadRequest, pages.ForgotPassword{
			Failure: v.Language.Text("forgot_password.missing"),
		})
	}
	err := h.SignIns.Resets().Request(v.Context(), login, v.Device())
	if errors.Is(err, identity.ErrTooManySendings) {
		return v.Show(http.StatusTooManyRequests, pages.ForgotPassword{Failure: v.Language.Refusal(err)})
	} else if err != nil {
		return err
	}
	return v.Show(http.StatusOK, pages.ForgotPassword{Sent: true})
}

// Page lets a person who came by a good link choose another password.
func (h ResetPassword) Page(v *frame.Visit) error {
	token := v.Gin.Query("token")
	question, err := h.SignIns.Resets().Check(v.Context(), token, v.Cookie(frame.SecondStepCookie))
	if err != nil {
		return err
	}
	if question != "" { // a mailed link alone does not take an account with two factors
		return askSecondStep(v, question, nil)
	}
	return h.show(v, http.StatusOK, pages.NewPassword{Token: token})
}

// show shows the page, with what else signs in to the account.
func (h ResetPassword) show(v *frame.Visit, status int, page pages.NewPassword) error {
	owner, ways, err := h.SignIns.Resets().OtherWays(v.Context(), page.Token)
	if err != nil {
		return err
	}
	page.Username = owner.Username
	if page.Ways, err = otherWays(h.Frame, v, ways, v.Form["remove"]); err != nil {
		return err
	}
	return v.Show(status, page)
}

// Submit takes it.
func (h ResetPassword) Submit(v *frame.Visit) error {
	token := v.Form.Get("token")
	owner, deviceSecret, err := h.SignIns.Resets().Reset(v.Context(), signin.NewPassword{
		Secret: token, Answered: v.Cookie(frame.SecondStepCookie), Password: v.Form.Get("password"),
		Remove: v.Form["remove"], Device: v.Device(),
	})
	switch {
	case errors.Is(err, signin.ErrSecondStep):
		return v.RedirectWith("/reset-password", url.Values{"token": {token}})
	case refusal.OneOf(err, frame.PasswordFaults...) != nil:
		page := pages.NewPassword{Token: token, Failure: v.Language.Refusal(err)}
		return h.show(v, http.StatusUnprocessableEntity, page)
	case err != nil:
		return err
	}
	v.ActAs(owner.Actor())
	v.ClearCookies()
	v.SetCookie(frame.DeviceCookie, deviceSecret)
	return v.Show(http.StatusOK, pages.Done{
		Title: v.Language.Text("new_password.changed"), Text: v.Language.Text("new_password.changed_lead"),
		NextURI: "/sign-in", NextLabel: v.Language.Text("signin.title"),
	})
}
