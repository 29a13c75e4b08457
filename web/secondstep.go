package web

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/gin-gonic/gin"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/web/pages"
)

// A second step is asked for after a password, before another password is chosen by a mailed link, or of somebody who is
// signed in and wants more. The first two travel sealed in a cookie; for the third the session is the first step.

// secondStepCookie is the name of the cookie that holds an open question.
func (s *Server) secondStepCookie() string {
	if s.https {
		return "__Host-wicket_second_step"
	}
	return "wicket_second_step"
}

// askSecondStep gives the browser the question and leads to the page that asks it.
func (s *Server) askSecondStep(c *gin.Context, sealed string, more url.Values) error {
	s.setSecondStep(c, sealed)
	return redirect(c, "/second-step?"+more.Encode())
}

func (s *Server) setSecondStep(c *gin.Context, sealed string) {
	age := 0
	if sealed == "" {
		age = -1
	}
	http.SetCookie(c.Writer, &http.Cookie{
		Name: s.secondStepCookie(), Value: sealed, Path: "/", MaxAge: age, Secure: s.https, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

// sealedSecondStep is what the cookie holds; empty where there is none.
func (s *Server) sealedSecondStep(c *gin.Context) string {
	cookie, err := c.Request.Cookie(s.secondStepCookie())
	if err != nil {
		return ""
	}
	return cookie.Value
}

// secondStepPage asks for a second factor.
func (s *Server) secondStepPage(c *gin.Context) error {
	form, err := query(c)
	if err != nil {
		return err
	}
	step, _, err := s.openSecondStep(c)
	if err != nil {
		return err
	}
	return s.showSecondStep(c, http.StatusOK, step, form, "")
}

// openSecondStep returns the question that is open in this browser, and the session where it was asked of one. It returns
// identity.ErrSecondStep where there is none.
func (s *Server) openSecondStep(c *gin.Context) (*identity.SecondStep, *identity.Session, error) {
	session, err := s.session(c)
	if err != nil {
		return nil, nil, err
	}
	if sealed := s.sealedSecondStep(c); sealed != "" {
		step, err := s.Identity.OpenSecondStep(c.Request.Context(), sealed)
		if err == nil && !step.Answered {
			return step, session, nil
		}
		if err != nil && !errors.Is(err, identity.ErrSecondStep) {
			return nil, nil, err
		}
	}
	if session == nil {
		return nil, nil, identity.ErrSecondStep
	}
	step, err := s.Identity.SecondStepForSession(c.Request.Context(), session)
	return step, session, err
}

func (s *Server) showSecondStep(c *gin.Context, status int, step *identity.SecondStep, form url.Values, failure string) error {
	ctx := c.Request.Context()
	factors, err := s.Identity.SecondFactors(ctx, step)
	if err != nil {
		return err
	}
	a, err := s.suspended(c, form.Get("continue"))
	if err != nil {
		return err
	}
	page := pages.SecondStep{Trust: step.Purpose == identity.ToSignIn, Failure: failure}
	page.App, page.Continue = s.waitingFor(c, a)
	page.Then, page.Class = form.Get("then"), form.Get("class")
	if page.Class != identity.ACRPhishingResistant { // or the page would come again
		page.Code, page.BackupCodes = factors.Code, factors.BackupCodes
	}
	if step.Purpose == identity.ToSignIn {
		page.BackURI = "/sign-in?" + url.Values{"continue": {page.Continue}}.Encode()
	}
	if factors.Key {
		ceremony, err := s.Identity.BeginSecondStep(ctx, step)
		if err != nil {
			return err
		}
		page.Ceremony = shownCeremony(ceremony)
	}
	return s.show(c, status, page)
}

// secondStep takes the answer and goes on where the person came from.
func (s *Server) secondStep(c *gin.Context) error {
	form, err := postedText(c)
	if err != nil {
		return err
	}
	a, err := s.suspended(c, form.Get("continue"))
	if err != nil {
		return err
	}
	step, session, err := s.openSecondStep(c)
	if err != nil {
		return err
	}
	ctx := c.Request.Context()
	answer := identity.Answer{Code: form.Get("code"), State: form.Get("state"), Response: form.Get("response")}
	switch step.Purpose {
	case identity.ToSignIn:
		admission, err := s.Identity.FinishSignIn(ctx, step, answer, s.device(c), session, form.Get("trust") == "yes")
		if err != nil {
			return s.refuseSecondStep(c, step, form, err)
		}
		s.setSecondStep(c, "")
		return s.admitted(c, a, admission, ownPage(form.Get("then")))
	case identity.ToReset:
		sealed, err := s.Identity.AllowReset(ctx, step, answer, s.device(c))
		if err != nil {
			return s.refuseSecondStep(c, step, form, err)
		}
		actAs(c, step.Actor())
		s.setSecondStep(c, sealed)
		return redirect(c, "/reset-password?"+url.Values{"token": {step.Reset}}.Encode())
	default:
		secret, err := s.Identity.Strengthen(ctx, step, session, answer, s.device(c))
		if err != nil {
			return s.refuseSecondStep(c, step, form, err)
		}
		s.setCookie(c, secret, session.ExpiresAt)
		if s.arrivalSecret(c) != "" { // an account of elsewhere waits to be linked to this one
			return s.askToLink(c, a)
		}
		if a == nil {
			return redirect(c, ownPage(form.Get("then")))
		}
		a.SteppedUp = true
		return s.goOn(c, a)
	}
}

// refuseSecondStep says what is wrong with an answer.
func (s *Server) refuseSecondStep(c *gin.Context, step *identity.SecondStep, form url.Values, err error) error {
	switch {
	case errors.Is(err, identity.ErrCode):
		return s.showSecondStep(c, http.StatusUnauthorized, step, form, "That was not right, or it was used before. Try again.")
	case errors.Is(err, identity.ErrTooManySignIns):
		return s.showSecondStep(c, http.StatusTooManyRequests, step, form, "Too many sign-ins from your network have failed. Wait a few minutes and try again.")
	}
	return err
}

// shownCeremony is a question for a key, as a page holds it.
func shownCeremony(ceremony *identity.Ceremony) *pages.Ceremony {
	return &pages.Ceremony{Options: string(ceremony.Options), State: ceremony.State}
}
