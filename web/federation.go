package web

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"github.com/wicket-id/wicket/federation"
	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/web/pages"
)

// offer returns the buttons of the providers from which people may come, for a page on which an app's request (or nil)
// waits, and lets the page's forms lead there and to the app.
func (s *Server) offer(c *gin.Context, a *oidc.Authorization) pages.Providers {
	active, err := s.Upstreams.Active(c.Request.Context())
	if err != nil {
		s.logFault(c, err) // there are other ways to sign in
	}
	return s.offerThese(c, a, active)
}

func (s *Server) offerThese(c *gin.Context, a *oidc.Authorization, providers []federation.Provider) pages.Providers {
	var goOn []string
	var offered pages.Providers
	if a != nil {
		goOn, offered.Continue = append(goOn, a.RedirectURI), s.suspend(c, a)
	}
	for i := range providers {
		offered.Buttons = append(offered.Buttons, button(&providers[i]))
		goOn = append(goOn, providers[i].Issuer)
	}
	s.pageHeaders(c, goOn...)
	return offered
}

func button(p *federation.Provider) pages.Provider {
	return pages.Provider{ID: p.ID, Kind: p.Kind, Name: p.Name}
}

// upstreamPage is where a link to a provider leads: to its button, for no other site may begin a sign-in for somebody.
func (s *Server) upstreamPage(c *gin.Context) error {
	form, err := query(c)
	if err != nil {
		return err
	}
	a, err := s.suspended(c, form.Get("continue"))
	if err != nil {
		return err
	}
	p, err := s.upstream(c)
	if err != nil {
		return err
	}
	return s.show(c, http.StatusOK, s.newUpstream(c, a, p, "Sign in"))
}

// upstream is the provider that the path names.
func (s *Server) upstream(c *gin.Context) (*federation.Provider, error) {
	p, err := s.Upstreams.Provider(c.Request.Context(), c.Param("provider"))
	if errors.Is(err, storage.ErrNotFound) {
		return nil, errNotFound
	}
	return p, err
}

// newUpstream returns a page with one provider's button and another way.
func (s *Server) newUpstream(c *gin.Context, a *oidc.Authorization, p *federation.Provider, title string) pages.Upstream {
	page := pages.Upstream{Title: title, Providers: s.offerThese(c, a, []federation.Provider{*p}), OtherURI: "/sign-in"}
	if a != nil {
		app := waiting(a.Client)
		page.App, page.OtherURI = &app, "/sign-in?"+url.Values{"continue": {page.Providers.Continue}}.Encode()
	}
	return page
}

// beginUpstream sends a person to a provider to sign in there, for an app that waits or for themself.
func (s *Server) beginUpstream(c *gin.Context) error {
	form, err := postedText(c)
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
	beginning := federation.Beginning{Browser: s.markedBrowser(c), Again: session != nil}
	if a != nil {
		beginning.Continue, beginning.LoginHint, beginning.ACRValues = s.suspend(c, a), a.LoginHint, a.ACRValues
		beginning.Again = beginning.Again || a.Asks("login") || a.MaxAge != nil
		beginning.Select = a.Asks("select_account")
	}
	return s.sendUpstream(c, a, c.Param("provider"), beginning)
}

// sendUpstream sends a person to a provider, or says that it cannot be.
func (s *Server) sendUpstream(c *gin.Context, a *oidc.Authorization, provider string, beginning federation.Beginning) error {
	beginning.Source = s.device(c).Source()
	to, err := s.Upstreams.Begin(c.Request.Context(), provider, beginning)
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return errNotFound
	case errors.Is(err, federation.ErrUnreachable), errors.Is(err, federation.ErrTooManyRequests):
		return s.showUpstreamFailure(c, a, provider, err)
	case err != nil:
		return err
	}
	return redirect(c, to)
}

// returnFromUpstream takes a person back who was sent to a provider: they are signed in, or link what they brought along to
// the account that they are signed in to, or have to say whether they have an account here.
func (s *Server) returnFromUpstream(c *gin.Context) error {
	form, err := query(c)
	if err != nil {
		return err
	}
	if err := oidc.CheckForm(form); err != nil {
		return errForm
	}
	provider := c.Param("provider")
	answer, err := s.Upstreams.Return(c.Request.Context(), provider, form, s.browser(c))
	if errors.Is(err, storage.ErrNotFound) {
		return errNotFound
	}
	if answer == nil {
		return err
	}
	if err != nil && answer.LinkTo == uuid.Nil {
		a, continueErr := s.suspended(c, answer.Continue)
		if continueErr != nil {
			return continueErr
		}
		return s.showUpstreamFailure(c, a, provider, err)
	}
	if err != nil || answer.LinkTo != uuid.Nil {
		return s.linkAnswer(c, answer, err)
	}
	return s.enter(c, answer)
}

// enter lets the person in whose account of elsewhere it is.
func (s *Server) enter(c *gin.Context, answer *federation.Answer) error {
	a, err := s.suspended(c, answer.Continue)
	if err != nil {
		return err
	}
	current, err := s.session(c)
	if err != nil {
		return err
	}
	admission, err := s.Identity.SignInExternally(c.Request.Context(), answer.External, s.device(c), current)
	switch {
	case errors.Is(err, identity.ErrNobodyYet):
		secret, err := s.Upstreams.Welcome(c.Request.Context(), answer, s.browser(c))
		if err != nil {
			return err
		}
		s.setArrivalCookie(c, secret)
		return redirect(c, "/arrival")
	case errors.Is(err, identity.ErrSignInRefused):
		return s.showUpstreamFailure(c, a, answer.External.Provider, err)
	case err != nil:
		return err
	}
	return s.admitted(c, a, admission, "/account")
}

// showUpstreamFailure says that a provider did not sign somebody in, and how they go on. Why is for the log, but for what
// they did themself.
func (s *Server) showUpstreamFailure(c *gin.Context, a *oidc.Authorization, provider string, err error) error {
	p, missing := s.Upstreams.Provider(c.Request.Context(), provider)
	if missing != nil {
		return missing
	}
	page, status := s.newUpstream(c, a, p, p.Name+" did not sign you in"), http.StatusBadGateway
	page.Failed = true
	var denied *federation.Denied
	switch {
	case errors.As(err, &denied) && denied.Code == "access_denied":
		status, page.Title, page.Text = http.StatusOK, "You are not signed in", "You did not go on at "+p.Name+". Try again, or sign in another way."
	case errors.As(err, &denied):
		page.Text = p.Name + " says: " + denied.Code + ". " + denied.Description
	case errors.Is(err, federation.ErrUnreachable):
		page.Text = p.Name + " does not answer as it should just now. Try again in a moment, or sign in another way."
	case errors.Is(err, federation.ErrUnbelievable):
		status, page.Text = http.StatusBadRequest, "What came back from "+p.Name+" could not be verified, so nothing was done. Try again, or sign in another way."
	case errors.Is(err, federation.ErrTooManyRequests):
		status, page.Text = http.StatusTooManyRequests, sentence(federation.ErrTooManyRequests)
	case errors.Is(err, identity.ErrSignInRefused):
		status, page.Title, page.Text = http.StatusForbidden, "You cannot sign in just now", "The account here is switched off, or locked for a while. Try again later, or ask whoever runs this service."
	default:
		return err
	}
	if status >= http.StatusBadRequest {
		page.RequestID = storage.ActorOf(c.Request.Context()).RequestID
		s.Log.WarnContext(c.Request.Context(), "a provider did not sign somebody in", "request_id", page.RequestID, "provider", provider, "error", err.Error())
	}
	return s.show(c, status, page)
}

// logoutFromUpstream takes a provider's word that a session there has ended: OpenID Connect Back-Channel Logout, section 2.5.
func (s *Server) logoutFromUpstream(c *gin.Context) error {
	form, err := posted(c)
	if err != nil {
		return err
	}
	ctx := c.Request.Context()
	storage.ActorOf(ctx).Name = "provider:" + c.Param("provider")
	people, err := s.Upstreams.Logout(ctx, c.Param("provider"), form.Get("logout_token"), s.device(c).Source())
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return &oidc.Error{Code: "invalid_request", Description: "There is no such provider.", Status: http.StatusNotFound}
	case errors.Is(err, federation.ErrTooManyLogouts):
		return &oidc.Error{Code: "temporarily_unavailable", Description: sentence(federation.ErrTooManyLogouts), Status: http.StatusTooManyRequests}
	case errors.Is(err, federation.ErrUnbelievable), errors.Is(err, federation.ErrUnreachable):
		s.Log.WarnContext(ctx, "a logout token was refused", "provider", c.Param("provider"), "error", err.Error())
		return &oidc.Error{Code: "invalid_request", Description: "The logout token does not hold.", Status: http.StatusBadRequest}
	case err != nil:
		return err
	}
	s.Log.InfoContext(ctx, "signed out upstream", "provider", c.Param("provider"), "people", people)
	c.Status(http.StatusOK)
	return nil
}
