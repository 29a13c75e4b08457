package web

import (
	"net/http"
	"net/url"

	"github.com/gin-gonic/gin"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/web/pages"
)

// consentPage asks the person for what an app wants to know, in plain words.
func (s *Server) consentPage(c *gin.Context) error {
	a, session, err := s.asked(c, query)
	if err != nil || a == nil {
		return err
	}
	person, err := s.describe(c, session.User)
	if err != nil {
		return err
	}
	page := pages.Consent{App: waiting(a.Client), RedirectHost: hostOf(a.RedirectURI), Person: person, Continue: s.suspend(c, a)}
	for _, name := range a.Scopes {
		scope := oidc.ScopeNamed(name)
		page.Scopes = append(page.Scopes, pages.Scope{Name: scope.Name, Title: scope.Title, Detail: scope.Detail, Required: name == "openid"})
	}
	s.pageHeaders(c, a.RedirectURI)
	return s.show(c, http.StatusOK, page)
}

// consent takes the answer.
func (s *Server) consent(c *gin.Context) error {
	a, session, err := s.asked(c, posted)
	if err != nil || a == nil {
		return err
	}
	if c.Request.PostForm.Get("decision") != "allow" {
		return &oidc.Refusal{Reason: &oidc.Error{Code: "access_denied", Description: "The person said no."}, Authorization: a}
	}
	if err := s.Provider.GrantConsent(c.Request.Context(), session.UserID, a, c.Request.PostForm["scope"]); err != nil {
		return err
	}
	return s.goOn(c, a)
}

// asked takes up the request and the session of a page that asks a question of a person who is signed in. The answer
// counts for the session that the page was shown to: where that has ended, or somebody else is signed in by now, the
// browser is sent back to see what comes next, and asked returns no request.
func (s *Server) asked(c *gin.Context, read func(*gin.Context) (url.Values, error)) (*oidc.Authorization, *identity.Session, error) {
	form, err := read(c)
	if err != nil {
		return nil, nil, err
	}
	a, err := s.resume(c, form.Get("continue"))
	if err != nil {
		return nil, nil, err
	}
	session, err := s.session(c)
	if err != nil {
		return nil, nil, err
	}
	isAnswer := c.Request.Method == http.MethodPost
	if session == nil || isAnswer && a.ShownTo != session.ID {
		return nil, nil, s.goOn(c, a)
	}
	a.ShownTo = session.ID
	return a, session, nil
}

func hostOf(uri string) string {
	parsed, err := url.Parse(uri)
	if err != nil || parsed.Host == "" {
		return uri
	}
	return parsed.Host
}
