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

// phonesPage shows a person their phone numbers.
func (s *Server) phonesPage(c *gin.Context) error {
	return s.showPhones(c, http.StatusOK, pages.Phones{Notice: accountNotices[c.Query("done")]})
}

// showPhones fills in whose page it is, and their numbers.
func (s *Server) showPhones(c *gin.Context, status int, page pages.Phones) error {
	session, head, err := s.accountHead(c, "/account/phones")
	if err != nil || session == nil {
		return err
	}
	phones, err := s.Identity.Phones(c.Request.Context(), session.UserID)
	if err != nil {
		return err
	}
	page.Head = head
	for _, phone := range phones {
		page.Phones = append(page.Phones, pages.PhoneItem{ID: phone.ID.String(), Number: phone.Number, Primary: phone.IsPrimary, Verified: phone.VerifiedAt != nil})
	}
	return s.show(c, status, page)
}

// addPhone claims another number and sends a code there.
func (s *Server) addPhone(c *gin.Context) error {
	return s.changePhones(c, "phone-sent", func(owner *identity.Reauthenticated, _ uuid.UUID) error {
		_, err := s.Identity.AddPhone(c.Request.Context(), owner, c.Request.PostForm.Get("number"))
		return err
	})
}

// resendPhone sends another code.
func (s *Server) resendPhone(c *gin.Context) error {
	return s.changePhones(c, "phone-sent", func(owner *identity.Reauthenticated, id uuid.UUID) error {
		return s.Identity.ResendPhoneCode(c.Request.Context(), owner, id)
	})
}

// verifyPhone takes the code.
func (s *Server) verifyPhone(c *gin.Context) error {
	return s.changePhones(c, "phone-verified", func(owner *identity.Reauthenticated, id uuid.UUID) error {
		_, err := s.Identity.VerifyPhone(c.Request.Context(), owner, id, c.Request.PostForm.Get("code"))
		return err
	})
}

// makePrimaryPhone makes a number the one that apps are told.
func (s *Server) makePrimaryPhone(c *gin.Context) error {
	return s.changePhones(c, "phone-primary", func(owner *identity.Reauthenticated, id uuid.UUID) error {
		return s.Identity.MakePrimaryPhone(c.Request.Context(), owner, id)
	})
}

// removePhone drops a number.
func (s *Server) removePhone(c *gin.Context) error {
	return s.changePhones(c, "phone-removed", func(owner *identity.Reauthenticated, id uuid.UUID) error {
		return s.Identity.RemovePhone(c.Request.Context(), owner, id)
	})
}

// changePhones does something to the numbers of the person who posts, and shows the page again.
func (s *Server) changePhones(c *gin.Context, done string, change func(*identity.Reauthenticated, uuid.UUID) error) error {
	owner, err := s.freshOwner(c, "/account/phones")
	if err != nil || owner == nil {
		return err
	}
	form := c.Request.PostForm
	if err := oidc.CheckForm(form); err != nil {
		return errForm
	}
	id, _ := uuid.Parse(form.Get("id")) // none is nobody's
	err = change(owner, id)
	if errors.Is(err, identity.ErrProof) {
		return s.showPhones(c, http.StatusUnprocessableEntity, pages.Phones{
			Failure: "This code is wrong, or it does not count any more: too old, or tried too often. Look at the last text message, or have another code sent.", Wrong: id.String(),
		})
	}
	for _, known := range []error{
		identity.ErrPhoneInvalid, identity.ErrPhoneListed, identity.ErrPrimaryPhone, identity.ErrTooManyPhones, identity.ErrPhoneTaken, identity.ErrTooManyTexts, identity.ErrNoTexts,
	} {
		if errors.Is(err, known) {
			return s.showPhones(c, http.StatusUnprocessableEntity, pages.Phones{Failure: sentence(known), Number: form.Get("number")})
		}
	}
	if err != nil && !errors.Is(err, storage.ErrNotFound) { // gone already: the page shows what there is
		return err
	}
	return redirect(c, "/account/phones?done="+done)
}
