package web

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/wicket-id/wicket/federation"
	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/web/pages"
)

// Who comes from a provider and is nobody here yet makes an account, or signs in to the one that they have and links the two.
// Until then a cookie holds the secret by which they are found again.

func (s *Server) arrivalCookie() string {
	if s.https {
		return "__Host-wicket_arrival"
	}
	return "wicket_arrival"
}

func (s *Server) setArrivalCookie(c *gin.Context, secret string) {
	age := int(federation.ArrivalLifetime / time.Second)
	if secret == "" {
		age = -1
	}
	c.Set(s.arrivalCookie(), secret) // what is asked later in this request
	http.SetCookie(c.Writer, &http.Cookie{
		Name: s.arrivalCookie(), Value: secret, Path: "/", MaxAge: age, Secure: s.https, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

// arrivalSecret is what the cookie holds; empty where nobody has come from a provider.
func (s *Server) arrivalSecret(c *gin.Context) string {
	if secret, changed := c.Get(s.arrivalCookie()); changed {
		return secret.(string)
	}
	cookie, err := c.Request.Cookie(s.arrivalCookie())
	if err != nil {
		return ""
	}
	return cookie.Value
}

// arrival returns who waits in this browser, the app's request with which they came (or nil), and the provider.
func (s *Server) arrival(c *gin.Context) (*federation.Arrival, *oidc.Authorization, *federation.Provider, error) {
	ctx := c.Request.Context()
	arrival, err := s.Upstreams.Arrival(ctx, s.arrivalSecret(c), s.browser(c))
	if err != nil {
		return nil, nil, nil, err
	}
	a, err := s.suspended(c, arrival.Continue)
	if err != nil {
		return nil, nil, nil, err
	}
	p, err := s.Upstreams.Provider(ctx, arrival.External.Provider)
	return arrival, a, p, err
}

// arrivalPage asks whether they have an account.
func (s *Server) arrivalPage(c *gin.Context) error {
	arrival, a, p, err := s.arrival(c)
	if err != nil {
		return err
	}
	username, err := s.Identity.FreeUsername(c.Request.Context(), arrival.External.Username)
	if err != nil {
		return err
	}
	return s.showArrival(c, http.StatusOK, arrival, a, pages.Arrival{Provider: button(p), Username: username})
}

func (s *Server) showArrival(c *gin.Context, status int, arrival *federation.Arrival, a *oidc.Authorization, page pages.Arrival) error {
	if a != nil {
		app := waiting(a.Client)
		page.App = &app
		s.pageHeaders(c, a.RedirectURI)
	}
	var err error
	if page.HasAccount, err = s.Identity.HasAccount(c.Request.Context(), arrival.External); err != nil {
		return err
	}
	page.Account, page.MayRegister = arrival.External.Label, arrival.External.MayRegister
	return s.show(c, status, page)
}

// registerArrival makes an account for them.
func (s *Server) registerArrival(c *gin.Context) error {
	form, err := postedText(c)
	if err != nil {
		return err
	}
	arrival, a, p, err := s.arrival(c)
	if err != nil {
		return err
	}
	current, err := s.session(c)
	if err != nil {
		return err
	}
	ctx := c.Request.Context()
	admission, err := s.Identity.RegisterExternally(ctx, arrival.External, form.Get("username"), s.device(c), current)
	page := pages.Arrival{Provider: button(p), Username: form.Get("username")}
	var faults identity.FieldFaults
	switch {
	case errors.As(err, &faults):
		page.Wrong = sentence(faults["username"])
		return s.showArrival(c, http.StatusUnprocessableEntity, arrival, a, page)
	case errors.Is(err, identity.ErrHasAccount), errors.Is(err, identity.ErrMayNotRegister):
		page.Failure = sentence(err)
		return s.showArrival(c, http.StatusConflict, arrival, a, page)
	case errors.Is(err, identity.ErrTooManyRegistrations), errors.Is(err, identity.ErrTooManySendings):
		page.Failure = sentence(err)
		return s.showArrival(c, http.StatusTooManyRequests, arrival, a, page)
	case errors.Is(err, identity.ErrSignInRefused):
		return s.showUpstreamFailure(c, a, p.ID, err)
	case err != nil:
		return err
	}
	if err := s.leave(c, arrival); err != nil {
		return err
	}
	return s.admitted(c, a, admission, "/account")
}

// leave ends the waiting.
func (s *Server) leave(c *gin.Context, arrival *federation.Arrival) error {
	s.setArrivalCookie(c, "")
	return s.Upstreams.Leave(c.Request.Context(), arrival)
}

// signInForArrival lets them sign in to the account that they have; admitted asks for the link then.
func (s *Server) signInForArrival(c *gin.Context) error {
	if _, err := posted(c); err != nil {
		return err
	}
	_, a, _, err := s.arrival(c)
	if err != nil {
		return err
	}
	to := url.Values{"again": {"1"}}
	if a != nil {
		to.Set("continue", s.suspend(c, a))
	}
	return redirect(c, "/sign-in?"+to.Encode())
}

// askToLink leads a person who has just signed in, and had come from a provider before, to the question whether to link the
// two.
func (s *Server) askToLink(c *gin.Context, a *oidc.Authorization) error {
	if a == nil {
		return redirect(c, "/arrival/link")
	}
	return redirect(c, "/arrival/link?"+url.Values{"continue": {s.suspend(c, a)}}.Encode())
}

// linkArrivalPage asks it.
func (s *Server) linkArrivalPage(c *gin.Context) error {
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
	arrival, _, p, err := s.arrival(c)
	if errors.Is(err, federation.ErrRequest) || errors.Is(err, oidc.ErrInteraction) { // waited for too long: there is nothing to ask
		s.setArrivalCookie(c, "")
		return s.goOnFromLinking(c, a, "/account")
	} else if err != nil {
		return err
	}
	if session == nil {
		return redirect(c, "/sign-in?"+url.Values{"continue": {form.Get("continue")}}.Encode())
	}
	if owner, err := s.demandStrength(c, session, form.Get("continue"), "/arrival/link"); err != nil || owner == nil {
		return err
	}
	person, err := s.describe(c, session.User)
	if err != nil {
		return err
	}
	page := pages.LinkArrival{Person: person, Provider: button(p), Account: arrival.External.Label}
	if a != nil {
		page.Continue = s.suspend(c, a)
		s.pageHeaders(c, a.RedirectURI)
	}
	return s.show(c, http.StatusOK, page)
}

// linkArrival links the two, or lets them be two.
func (s *Server) linkArrival(c *gin.Context) error {
	session, err := s.freshOwner(c, "/arrival/link")
	if err != nil || session == nil {
		return err
	}
	a, err := s.suspended(c, c.Request.PostForm.Get("continue"))
	if err != nil {
		return err
	}
	arrival, _, _, err := s.arrival(c)
	if err != nil {
		return err
	}
	if err := s.leave(c, arrival); err != nil {
		return err
	}
	if c.Request.PostForm.Get("choice") != "link" {
		return s.goOnFromLinking(c, a, "/account")
	}
	err = s.Identity.LinkExternal(c.Request.Context(), session, arrival.External)
	if isLinkFault(err) {
		return s.showLinked(c, http.StatusConflict, sentence(err))
	} else if err != nil {
		return err
	}
	return s.goOnFromLinking(c, a, "/account/linked?done=linked")
}

func (s *Server) goOnFromLinking(c *gin.Context, a *oidc.Authorization, page string) error {
	if a != nil {
		return s.goOn(c, a)
	}
	return redirect(c, page)
}
