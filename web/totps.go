package web

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/web/pages"
)

// newTOTPPage shows the secret for another authenticator app.
func (s *Server) newTOTPPage(c *gin.Context) error {
	return s.newFactorPage(c, func(session *identity.Reauthenticated, form url.Values) error {
		setup, err := s.Identity.BeginTOTP(c.Request.Context(), session.User, s.name())
		if err != nil {
			return s.refuseFactor(c, err)
		}
		return s.showNewTOTP(c, http.StatusOK, setup, form, "")
	})
}

func (s *Server) showNewTOTP(c *gin.Context, status int, setup *identity.TOTPSetup, form url.Values, failure string) error {
	a, err := s.suspended(c, form.Get("continue"))
	if err != nil {
		return err
	}
	page := pages.NewTOTP{ID: setup.ID.String(), Secret: setup.Secret, PNG: setup.Image, Failure: failure}
	page.App, page.Continue = s.waitingFor(c, a)
	page.LaterURI = s.laterURI(page.Continue)
	return s.show(c, status, page)
}

// confirmTOTP takes the first code of the app.
func (s *Server) confirmTOTP(c *gin.Context) error {
	session, a, err := s.factorOwner(c)
	if err != nil || session == nil {
		return err
	}
	ctx, form := c.Request.Context(), c.Request.PostForm
	id, err := uuid.Parse(form.Get("id"))
	if err != nil {
		return errForm
	}
	secret, err := s.Identity.ConfirmTOTP(ctx, session, id, form.Get("code"), form.Get("name"))
	if errors.Is(err, identity.ErrCode) || errors.Is(err, identity.ErrFactorName) {
		setup, err := s.Identity.PendingTOTP(ctx, session.User, id, s.name())
		if err != nil {
			return s.refuseFactor(c, err)
		}
		return s.showNewTOTP(c, http.StatusUnprocessableEntity, setup, form, "This is not the code that the app shows now. Check that the clock of your device is right, and type the code that it shows.")
	}
	if err != nil {
		return s.refuseFactor(c, err)
	}
	return s.factorAdded(c, a, session, secret)
}

func (s *Server) removeTOTP(c *gin.Context) error { return s.removeFactor(c, s.Identity.RemoveTOTP) }

// makeBackupCodes shows ten new backup codes, once.
func (s *Server) makeBackupCodes(c *gin.Context) error {
	session, _, err := s.factorOwner(c)
	if err != nil || session == nil {
		return err
	}
	codes, secret, err := s.Identity.MakeBackupCodes(c.Request.Context(), session)
	if err != nil {
		return s.refuseFactor(c, err)
	}
	s.setCookie(c, secret, session.ExpiresAt)
	return s.show(c, http.StatusOK, pages.BackupCodes{Codes: codes})
}
