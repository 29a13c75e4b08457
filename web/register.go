package web

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/web/pages"
)

// registerPage lets a person make an account: for the app whose request was suspended in continue, or for themself. Where
// strangers may not, it takes an invitation, whose secret is the parameter token.
func (s *Server) registerPage(c *gin.Context) error {
	form, err := query(c)
	if err != nil {
		return err
	}
	a, err := s.suspended(c, form.Get("continue"))
	if err != nil {
		return err
	}
	invitation, err := s.invited(c, form)
	if err != nil {
		return err
	}
	page := s.newRegister(c, a)
	page.Token = form.Get("token")
	if a == nil {
		session, err := s.session(c)
		if err != nil {
			return err
		}
		if session != nil && invitation == nil {
			return redirect(c, "/account")
		}
		if invitation != nil {
			page.Values = map[string]string{"email": invitation.Email}
		}
	} else if strings.ContainsRune(a.LoginHint, '@') {
		page.Values = map[string]string{"email": a.LoginHint}
	} else {
		page.Values = map[string]string{"username": a.LoginHint}
	}
	return s.show(c, http.StatusOK, page)
}

// register makes the account, signs its owner in and goes on where they came from.
func (s *Server) register(c *gin.Context) error {
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
	if _, err := s.invited(c, form); err != nil {
		return err
	}
	registration := identity.Registration{
		Username: form.Get("username"), Email: form.Get("email"), Name: form.Get("name"), Password: form.Get("password"), Secret: form.Get("token"),
		Device: s.device(c), Current: current,
	}
	admission, err := s.Identity.Register(c.Request.Context(), registration)
	if err != nil {
		return s.refuseRegistration(c, a, registration, err)
	}
	if registration.Secret != "" {
		return s.admitted(c, a, admission, "/account?done=invited")
	}
	return s.admitted(c, a, admission, "/account?done=registered")
}

// refuseRegistration says what is wrong, on the page with all that was typed but the password.
func (s *Server) refuseRegistration(c *gin.Context, a *oidc.Authorization, r identity.Registration, err error) error {
	page, status := s.newRegister(c, a), http.StatusTooManyRequests
	var faults identity.FieldFaults
	switch {
	case errors.As(err, &faults):
		status, page.Failures = http.StatusUnprocessableEntity, sentences(faults)
		page.Failure = "There is no account yet: put right what is marked below, and type the password again."
		if r.Password != "" { // here alone: rating takes time, and the other refusals are about too many
			page.Rating = &pages.Rating{Score: r.Strength()}
		}
	case errors.Is(err, identity.ErrTooManySendings):
		page.Failure, page.Failures = "There is no account yet.", map[string]string{"email": sentence(identity.ErrTooManySendings)}
	case errors.Is(err, identity.ErrTooManyRegistrations):
		page.Failure = sentence(identity.ErrTooManyRegistrations)
	default:
		return err
	}
	page.Values, page.Token = map[string]string{"username": r.Username, "email": r.Email, "name": r.Name}, r.Secret
	return s.show(c, status, page)
}

// invited returns the invitation that a request for an account holds: nil where strangers may make one and it holds none.
func (s *Server) invited(c *gin.Context, form url.Values) (*identity.Invitation, error) {
	secret := form.Get("token")
	switch {
	case secret != "":
		return s.Identity.OpenInvitation(c.Request.Context(), secret)
	case !s.Registration:
		return nil, errNotFound
	}
	return nil, nil
}

// newRegister returns the empty page, with headers that let the form lead on to the app.
func (s *Server) newRegister(c *gin.Context, a *oidc.Authorization) pages.Register {
	app, sealed := s.waitingFor(c, a)
	if app == nil {
		return pages.Register{SignInURL: "/sign-in"}
	}
	return pages.Register{App: app, Continue: sealed, SignInURL: "/sign-in?" + url.Values{"continue": {sealed}}.Encode()}
}

// registerURL is where the sign-in page sends people who have no account; empty where they cannot make one.
func (s *Server) registerURL(sealed string) string {
	switch {
	case !s.Registration:
		return ""
	case sealed == "":
		return "/register"
	}
	return "/register?" + url.Values{"continue": {sealed}}.Encode()
}
