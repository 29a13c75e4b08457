package web

import (
	"errors"
	"net/http"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/web/pages"
)

// emailsPage shows a person their e-mail addresses.
func (s *Server) emailsPage(c *gin.Context) error { return s.showEmails(c, http.StatusOK, "") }

func (s *Server) showEmails(c *gin.Context, status int, failure string) error {
	session, head, err := s.accountHead(c, "/account/emails")
	if err != nil || session == nil {
		return err
	}
	emails, err := s.Identity.Emails(c.Request.Context(), session.UserID)
	if err != nil {
		return err
	}
	page := pages.Emails{Head: head, Failure: failure, Notice: accountNotices[c.Query("done")]}
	for _, email := range emails {
		page.Emails = append(page.Emails, pages.EmailItem{ID: email.ID.String(), Address: email.Address, Primary: email.IsPrimary, Verified: email.VerifiedAt != nil})
	}
	return s.show(c, status, page)
}

// addEmail claims another address and sends a link there.
func (s *Server) addEmail(c *gin.Context) error {
	return s.changeEmails(c, "email-sent", func(owner *identity.Reauthenticated, _ uuid.UUID) error {
		_, err := s.Identity.AddEmail(c.Request.Context(), owner, c.Request.PostForm.Get("address"))
		return err
	})
}

// resendEmail sends the link once more.
func (s *Server) resendEmail(c *gin.Context) error {
	return s.changeEmails(c, "email-sent", func(owner *identity.Reauthenticated, id uuid.UUID) error {
		return s.Identity.ResendEmailProof(c.Request.Context(), owner, id)
	})
}

// makePrimaryEmail makes an address the one that apps are told.
func (s *Server) makePrimaryEmail(c *gin.Context) error {
	return s.changeEmails(c, "email-primary", func(owner *identity.Reauthenticated, id uuid.UUID) error {
		return s.Identity.MakePrimaryEmail(c.Request.Context(), owner, id)
	})
}

// removeEmail drops an address.
func (s *Server) removeEmail(c *gin.Context) error {
	return s.changeEmails(c, "email-removed", func(owner *identity.Reauthenticated, id uuid.UUID) error {
		return s.Identity.RemoveEmail(c.Request.Context(), owner, id)
	})
}

// changeEmails does something to the addresses of the person who posts, and shows the page again.
func (s *Server) changeEmails(c *gin.Context, done string, change func(*identity.Reauthenticated, uuid.UUID) error) error {
	owner, err := s.freshOwner(c, "/account/emails")
	if err != nil || owner == nil {
		return err
	}
	if err := oidc.CheckForm(c.Request.PostForm); err != nil {
		return errForm
	}
	id, _ := uuid.Parse(c.Request.PostForm.Get("id")) // none is nobody's
	err = change(owner, id)
	for _, known := range []error{
		identity.ErrEmailInvalid, identity.ErrEmailListed, identity.ErrLastEmail, identity.ErrPrimaryEmail, identity.ErrEmailTooNew, identity.ErrTooManyEmails, identity.ErrTooManySendings,
	} {
		if errors.Is(err, known) {
			return s.showEmails(c, http.StatusUnprocessableEntity, sentence(known))
		}
	}
	if err != nil && !errors.Is(err, storage.ErrNotFound) { // gone already: the page shows what there is
		return err
	}
	return redirect(c, "/account/emails?done="+done)
}
