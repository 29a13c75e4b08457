package web

import (
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/web/pages"
)

// browserCookie is the name of the cookie by which a browser is known while somebody signs in with it. It says nothing of
// who they are.
func (s *Server) browserCookie() string {
	if s.https {
		return "__Host-wicket_browser"
	}
	return "wicket_browser"
}

// suspend seals an authorization request for this browser.
func (s *Server) suspend(c *gin.Context, a *oidc.Authorization) string {
	return s.Provider.Suspend(a, s.markedBrowser(c))
}

// markedBrowser is the secret by which this browser is known; it gets one if it has none.
func (s *Server) markedBrowser(c *gin.Context) string {
	browser := s.browser(c)
	if browser == "" {
		browser = storage.NewSecret()
		c.Set(s.browserCookie(), browser) // the next one in this request finds it
		http.SetCookie(c.Writer, &http.Cookie{Name: s.browserCookie(), Value: browser, Path: "/", Secure: s.https, HttpOnly: true, SameSite: http.SameSiteLaxMode})
	}
	return browser
}

// resume takes up an authorization request.
func (s *Server) resume(c *gin.Context, sealed string) (*oidc.Authorization, error) {
	return s.Provider.Resume(c.Request.Context(), sealed, s.browser(c))
}

func (s *Server) browser(c *gin.Context) string {
	if made := c.GetString(s.browserCookie()); made != "" {
		return made
	}
	cookie, err := c.Request.Cookie(s.browserCookie())
	if err != nil {
		return ""
	}
	return cookie.Value
}

// waitingFor tells a page which app waits, if any, with its request sealed for the way back, and lets the page's form lead
// on to the app.
func (s *Server) waitingFor(c *gin.Context, a *oidc.Authorization) (app *pages.App, sealed string) {
	if a == nil {
		return nil, ""
	}
	s.pageHeaders(c, a.RedirectURI)
	waiting := waiting(a.Client)
	return &waiting, s.suspend(c, a)
}

// ownPage is the page of ours that a form names to go on to; the account's first where it names none.
func ownPage(then string) string {
	if then == "/account" || then == "/arrival/link" || strings.HasPrefix(then, "/account/") && !strings.ContainsAny(then, "\\:@\n\r") {
		return then
	}
	return "/account"
}
