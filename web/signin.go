package web

import (
	"errors"
	"net/http"

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
	page := s.newSignIn(c, a)
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
	refused, tooMany := errors.Is(err, identity.ErrSignInRefused), errors.Is(err, identity.ErrTooManySignIns)
	if refused || tooMany {
		page, status := s.newSignIn(c, a), http.StatusUnauthorized
		page.Username = form.Get("username")
		page.Failure = "This name and password do not match, or the account cannot sign in just now. Check both and try again."
		if tooMany {
			status, page.Failure = http.StatusTooManyRequests, "Too many sign-ins from your network have failed. Wait a few minutes and try again."
		}
		return s.show(c, status, page)
	}
	if err != nil {
		return err
	}
	return s.admitted(c, a, admission, "/account")
}

// admitted gives the browser of a person who is let in its cookies and goes on where they came from: to the app that waits,
// or to the page of ours.
func (s *Server) admitted(c *gin.Context, a *oidc.Authorization, admission *identity.Admission, page string) error {
	s.setCookie(c, admission.Secret, admission.Session.ExpiresAt)
	s.setDeviceCookie(c, admission.DeviceSecret)
	if s.arrivalSecret(c) != "" { // an account of elsewhere waits to be linked to this one
		return s.askToLink(c, a)
	}
	if a == nil {
		return redirect(c, page)
	}
	return s.goOn(c, a)
}

// newSignIn returns the empty page, with headers that let the form lead on to the app.
func (s *Server) newSignIn(c *gin.Context, a *oidc.Authorization) pages.SignIn {
	if a == nil {
		return pages.SignIn{Phones: s.Identity.Texts, RegisterURL: s.registerURL(""), Providers: s.offer(c, a)}
	}
	app, sealed := waiting(a.Client), s.suspend(c, a)
	return pages.SignIn{App: &app, Phones: s.Identity.Texts, Continue: sealed, RegisterURL: s.registerURL(sealed), Providers: s.offer(c, a)}
}

// suspended takes up the request that a page was shown for, or nil where it was shown for none.
func (s *Server) suspended(c *gin.Context, sealed string) (*oidc.Authorization, error) {
	if sealed == "" {
		return nil, nil
	}
	return s.resume(c, sealed)
}
