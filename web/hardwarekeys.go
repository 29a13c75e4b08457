package web

import (
	"net/http"
	"net/url"

	"github.com/gin-gonic/gin"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/web/pages"
)

// newHardwareKeyPage lets a person register a security key.
func (s *Server) newHardwareKeyPage(c *gin.Context) error {
	return s.newFactorPage(c, func(session *identity.Reauthenticated, form url.Values) error {
		return s.showNewHardwareKey(c, http.StatusOK, session, form, "")
	})
}

func (s *Server) showNewHardwareKey(c *gin.Context, status int, session *identity.Reauthenticated, form url.Values, failure string) error {
	ceremony, err := s.Identity.BeginHardwareKey(c.Request.Context(), session.User)
	if err != nil {
		return s.refuseFactor(c, err)
	}
	page := pages.NewKey{
		Title: "Add a security key", Text: "After your password you touch the key. Have it at hand; add two, so that losing one is no harm.",
		Action: "/account/hardware-keys/add", Button: "Add a security key", Ceremony: *shownCeremony(ceremony), Failure: failure,
	}
	return s.showNewKey(c, status, form, page)
}

// addHardwareKey registers it.
func (s *Server) addHardwareKey(c *gin.Context) error {
	return s.addKey(c, s.Identity.AddHardwareKey, s.showNewHardwareKey)
}

func (s *Server) removeHardwareKey(c *gin.Context) error {
	return s.removeFactor(c, s.Identity.RemoveHardwareKey)
}
