package web

import (
	"net/http"
	"net/url"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/web/pages"
)

// logout is the end session endpoint: OpenID Connect RP-Initiated Logout, section 2. An app that holds an ID token of
// this very session signs the person out; in every other case they are asked.
func (s *Server) logout(c *gin.Context) error {
	read := query
	if c.Request.Method == http.MethodPost {
		read = posted
	}
	form, err := read(c)
	if err != nil {
		return err
	}
	request, err := s.Provider.ReadLogout(c.Request.Context(), form)
	if err != nil {
		return err
	}
	session, err := s.session(c)
	if err != nil {
		return err
	}
	// A form of another site comes without our cookie; the session that the ID token names can be ended all the same.
	if request.SessionID != uuid.Nil && (session == nil || request.Names(session.ID)) {
		if err := s.Identity.EndSession(c.Request.Context(), request.UserID, request.SessionID, identity.EndedByClient); err != nil {
			return err
		}
		return s.signedOut(c, request)
	}
	if session == nil { // nobody to sign out, and nobody vouches for the app: the way back is the person's to take
		s.clearCookies(c)
		page := pages.SignedOut{ReturnURI: request.ReturnURL()}
		if request.Client != nil {
			app := waiting(request.Client)
			page.App = &app
		}
		return s.show(c, http.StatusOK, page)
	}
	person, err := s.describe(c, session.User)
	if err != nil {
		return err
	}
	page := pages.SignOut{Person: person, Continue: request.Parameters()}
	if request.Client != nil {
		app := waiting(request.Client)
		page.App = &app
	}
	s.pageHeaders(c, request.ReturnURL())
	return s.show(c, http.StatusOK, page)
}

// logoutConfirmed ends the session of a person who was asked.
func (s *Server) logoutConfirmed(c *gin.Context) error {
	form, err := posted(c)
	if err != nil {
		return err
	}
	parameters, err := url.ParseQuery(form.Get("continue"))
	if err != nil {
		return errForm
	}
	request, err := s.Provider.ReadLogout(c.Request.Context(), parameters)
	if err != nil {
		return err
	}
	session, err := s.session(c)
	if err != nil {
		return err
	}
	if session != nil {
		if err := s.Identity.EndSession(c.Request.Context(), session.UserID, session.ID, identity.EndedBySignOut); err != nil {
			return err
		}
	}
	return s.signedOut(c, request)
}

// signedOut sends the browser back to the app, where that may be, or says that it is done.
func (s *Server) signedOut(c *gin.Context, request *oidc.Logout) error {
	s.clearCookies(c)
	if to := request.ReturnURL(); to != "" {
		return redirect(c, to)
	}
	page := pages.SignedOut{}
	if request.Client != nil {
		app := waiting(request.Client)
		page.App, page.ReturnURI = &app, request.Client.ClientURI
	}
	return s.show(c, http.StatusOK, page)
}
