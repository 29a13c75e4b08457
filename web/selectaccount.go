package web

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/wicket-id/wicket/web/pages"
)

// selectAccountPage asks which account the app is to see: the one that is signed in here, or another.
func (s *Server) selectAccountPage(c *gin.Context) error {
	a, session, err := s.asked(c, query)
	if err != nil || a == nil {
		return err
	}
	person, err := s.describe(c, session.User)
	if err != nil {
		return err
	}
	app, sealed := s.waitingFor(c, a)
	return s.show(c, http.StatusOK, pages.SelectAccount{App: app, Person: person, Continue: sealed})
}

// selectAccount takes the answer.
func (s *Server) selectAccount(c *gin.Context) error {
	a, _, err := s.asked(c, posted)
	if err != nil || a == nil {
		return err
	}
	if c.Request.PostForm.Get("choice") != "continue" {
		return redirect(c, "/sign-in?switch=1&continue="+s.suspend(c, a))
	}
	a.Selected = true
	return s.goOn(c, a)
}
