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

// signInPage asks for name and password: for the app whose request was suspended in continue, or for the account page.
func (s *Server) signInPage(c *gin.Context) error {
	form, err := query(c)
	if err != nil {
		return err
	}
	a, err := s.suspended(c, form.Get("continue"))
	if err != nil {
		return err
	}
	session, err := s.session(c)
	if err != nil {
		return err
	}
	if a == nil && session != nil && form.Get("switch") == "" && form.Get("again") == "" {
		return redirect(c, "/account")
	}
	page, err := s.newSignIn(c, a, form.Get("then"))
	if err != nil {
		return err
	}
	if a != nil {
		page.Username = a.LoginHint
	}
	if session != nil && form.Get("switch") == "" {
		page.Username, page.UsernameFixed = session.User.Username, true
		page.SwitchURL = "/sign-in?switch=1&continue=" + page.Continue
	}
	return s.show(c, http.StatusOK, page)
}

// signIn checks name and password and goes on where the person came from.
func (s *Server) signIn(c *gin.Context) error {
	form, err := postedText(c)
	if err != nil {
		return err
	}
	a, err := s.suspended(c, form.Get("continue"))
	if err != nil {
		return err
	}
	current, err := s.session(c)
	if err != nil {
		return err
	}
	admission, err := s.Identity.SignIn(c.Request.Context(), identity.SignIn{
		Login: form.Get("username"), Password: form.Get("password"), Device: s.device(c), Current: current,
	})
	if err != nil {
		return s.refuseSignIn(c, a, form, "This name and password do not match, or the account cannot sign in just now. Check both and try again.", err)
	}
	if admission.Session != nil && s.offersPasskey(c, form, admission.Session.User) {
		s.setSignInCookies(c, admission)
		return redirect(c, "/account/passkeys/new?"+url.Values{"continue": {form.Get("continue")}, "offer": {"1"}}.Encode())
	}
	return s.admitted(c, a, admission, ownPage(form.Get("then")))
}

// refuseSignIn shows the page again with what is wrong.
func (s *Server) refuseSignIn(c *gin.Context, a *oidc.Authorization, form url.Values, failure string, err error) error {
	status := http.StatusUnauthorized
	switch {
	case errors.Is(err, identity.ErrSignInRefused):
	case errors.Is(err, identity.ErrTooManySignIns):
		status, failure = http.StatusTooManyRequests, "Too many sign-ins from your network have failed. Wait a few minutes and try again."
	default:
		return err
	}
	page, err := s.newSignIn(c, a, form.Get("then"))
	if err != nil {
		return err
	}
	page.Username, page.Failure = form.Get("username"), failure
	return s.show(c, status, page)
}

// admitted gives the browser of a person who is let in its cookies and goes on where they came from: to the app that waits,
// or to the page of ours; or to the second step, where the first was not enough.
func (s *Server) admitted(c *gin.Context, a *oidc.Authorization, admission *identity.Admission, page string) error {
	if admission.SecondStep != "" {
		_, sealed := s.waitingFor(c, a)
		return s.askSecondStep(c, admission.SecondStep, url.Values{"continue": {sealed}, "then": {page}})
	}
	s.setSignInCookies(c, admission)
	if s.arrivalSecret(c) != "" { // an account of elsewhere waits to be linked to this one
		return s.askToLink(c, a)
	}
	if a == nil {
		return redirect(c, page)
	}
	return s.goOn(c, a)
}

func (s *Server) setSignInCookies(c *gin.Context, admission *identity.Admission) {
	actAs(c, admission.Session.User.Actor())
	s.setCookie(c, admission.Secret, admission.Session.ExpiresAt)
	s.setDeviceCookie(c, admission.DeviceSecret)
}

// newSignIn returns the empty page, with headers that let the form lead on to the app.
func (s *Server) newSignIn(c *gin.Context, a *oidc.Authorization, then string) (pages.SignIn, error) {
	page := pages.SignIn{Phones: s.Identity.Texts, Then: then}
	page.App, page.Continue = s.waitingFor(c, a)
	page.RegisterURL = s.registerURL(page.Continue)
	page.Providers = s.offer(c, a)
	ceremony, err := s.Identity.BeginPasskeySignIn()
	if errors.Is(err, identity.ErrNoKeys) {
		return page, nil
	} else if err != nil {
		return page, err
	}
	page.Ceremony = shownCeremony(ceremony)
	return page, nil
}

// suspended takes up the request that a page was shown for, or nil where it was shown for none.
func (s *Server) suspended(c *gin.Context, sealed string) (*oidc.Authorization, error) {
	if sealed == "" {
		return nil, nil
	}
	return s.resume(c, sealed)
}
