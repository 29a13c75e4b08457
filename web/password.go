package web

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/gin-gonic/gin"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/web/pages"
)

// forgotPasswordPage asks who has lost their password.
func (s *Server) forgotPasswordPage(c *gin.Context) error {
	return s.show(c, http.StatusOK, pages.ForgotPassword{})
}

// forgotPassword sends a link, if there is somebody to send it to; what the page says does not tell.
func (s *Server) forgotPassword(c *gin.Context) error {
	form, err := postedText(c)
	if err != nil {
		return err
	}
	login := form.Get("login")
	if login == "" {
		return s.show(c, http.StatusBadRequest, pages.ForgotPassword{Failure: "Type your username or e-mail address."})
	}
	err = s.Identity.RequestReset(c.Request.Context(), login, s.device(c))
	if errors.Is(err, identity.ErrTooManySendings) {
		return s.show(c, http.StatusTooManyRequests, pages.ForgotPassword{Failure: sentence(err)})
	} else if err != nil {
		return err
	}
	return s.show(c, http.StatusOK, pages.ForgotPassword{Sent: true})
}

// newPasswordPage lets a person who came by a good link choose another password.
func (s *Server) newPasswordPage(c *gin.Context) error {
	token := c.Query("token")
	question, err := s.Identity.CheckReset(c.Request.Context(), token, s.sealedSecondStep(c))
	if err != nil {
		return err
	}
	if question != "" { // a mailed link alone does not take an account with two factors
		return s.askSecondStep(c, question, nil)
	}
	return s.show(c, http.StatusOK, pages.NewPassword{Token: token})
}

// newPassword takes it.
func (s *Server) newPassword(c *gin.Context) error {
	form, err := postedText(c)
	if err != nil {
		return err
	}
	owner, deviceSecret, err := s.Identity.Reset(c.Request.Context(), form.Get("token"), s.sealedSecondStep(c), form.Get("password"), s.device(c))
	if errors.Is(err, identity.ErrSecondStep) {
		return redirect(c, "/reset-password?"+url.Values{"token": {form.Get("token")}}.Encode())
	}
	if isPasswordFault(err) {
		return s.show(c, http.StatusUnprocessableEntity, pages.NewPassword{Token: form.Get("token"), Failure: sentence(err)})
	} else if err != nil {
		return err
	}
	actAs(c, owner.Actor())
	s.clearCookies(c)
	s.setDeviceCookie(c, deviceSecret)
	return s.show(c, http.StatusOK, pages.Done{
		Title: "Your password is changed", Text: "Everybody is signed out. Sign in with the new password.", NextURI: "/sign-in", NextLabel: "Sign in",
	})
}

// securityPage shows the password form and who tried to sign in.
func (s *Server) securityPage(c *gin.Context) error { return s.showSecurity(c, http.StatusOK, "") }

// changePassword takes a new password from a person who knows the present one.
func (s *Server) changePassword(c *gin.Context) error {
	session, err := s.owner(c)
	if err != nil || session == nil {
		return err
	}
	form := c.Request.PostForm
	if err := oidc.CheckForm(form); err != nil {
		return errForm
	}
	secret, err := s.Identity.ChangePassword(c.Request.Context(), session, s.device(c), form.Get("present"), form.Get("password"))
	switch {
	case errors.Is(err, identity.ErrSignInRefused):
		return s.showSecurity(c, http.StatusUnprocessableEntity, "The present password is wrong.")
	case isPasswordFault(err), errors.Is(err, identity.ErrTooManySignIns):
		return s.showSecurity(c, http.StatusUnprocessableEntity, sentence(err))
	case err != nil:
		return s.supplyStrength(c, "", "/account/security", err)
	}
	s.setCookie(c, secret, session.ExpiresAt)
	return redirect(c, "/account/security?done=password")
}

func isPasswordFault(err error) bool {
	return errors.Is(err, identity.ErrPasswordWeak) || errors.Is(err, identity.ErrPasswordCommon) || errors.Is(err, identity.ErrPasswordPersonal)
}

const attemptsShown = 20

func (s *Server) showSecurity(c *gin.Context, status int, failure string) error {
	session, head, err := s.accountHead(c, "/account/security")
	if err != nil || session == nil {
		return err
	}
	attempts, err := s.Identity.LoginAttempts(c.Request.Context(), session.UserID, attemptsShown)
	if err != nil {
		return err
	}
	user, err := s.Identity.User(c.Request.Context(), session.UserID)
	if err != nil {
		return err
	}
	factors, err := s.Identity.Factors(c.Request.Context(), session.UserID)
	if err != nil {
		return err
	}
	page := pages.Security{
		Head: head, HasPassword: user.PasswordHash != "", Kinds: s.factorKinds(factors), BackupCodes: codesLeft(factors),
		Failure: failure, Notice: accountNotices[c.Query("done")],
	}
	for _, attempt := range attempts {
		page.Attempts = append(page.Attempts, pages.Attempt{
			When: s.ago(attempt.AttemptTime), Result: attemptResults[attempt.FailureReason], Bad: !attempt.Success && attempt.FailureReason != "second_step",
			IP: attempt.IPAddress, Device: identity.Device{UserAgent: attempt.UserAgent}.Label(),
		})
	}
	return s.show(c, status, page)
}

// attemptResults says in words how an attempt ended.
var attemptResults = map[string]string{
	"":               "Signed in",
	"wrong_password": "Wrong password",
	"locked":         "Right password, but the account was locked",
	"disabled":       "Right password, but the account is switched off",
	"second_step":    "Right password, and a second step was asked for",
	"wrong_code":     "Second step failed",
	"wrong_passkey":  "Passkey refused",
	"cloned_key":     "Key refused: it may have been copied",
}
