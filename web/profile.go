package web

import (
	"errors"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/web/pages"
)

// profilePage shows a person what they have told of themself.
func (s *Server) profilePage(c *gin.Context) error {
	session, head, err := s.accountHead(c, "/account/profile")
	if err != nil || session == nil {
		return err
	}
	profile, err := s.Identity.Profile(c.Request.Context(), session.UserID)
	if err != nil {
		return err
	}
	return s.show(c, http.StatusOK, pages.Profile{Head: head, Values: profileValues(profile), Notice: accountNotices[c.Query("done")]})
}

// updateProfile takes what they tell from now on. A field that is not in the form stays as it was.
func (s *Server) updateProfile(c *gin.Context) error {
	session, err := s.owner(c)
	if err != nil || session == nil {
		return err
	}
	form := c.Request.PostForm
	if err := oidc.CheckForm(form); err != nil {
		return errForm
	}
	ctx := c.Request.Context()
	profile, err := s.Identity.Profile(ctx, session.UserID)
	if err != nil {
		return err
	}
	for _, field := range profile.Fields() {
		if form.Has(field.Name) {
			*field.Value = form.Get(field.Name)
		}
	}
	err = s.Identity.UpdateProfile(ctx, session.UserID, *profile)
	var faults identity.FieldFaults
	if errors.As(err, &faults) {
		_, head, err := s.accountHead(c, "/account/profile")
		if err != nil {
			return err
		}
		return s.show(c, http.StatusUnprocessableEntity, pages.Profile{
			Head: head, Values: profileValues(profile), Failures: sentences(faults), Failure: "Nothing is saved yet: put right what is marked below.",
		})
	}
	if err != nil {
		return err
	}
	return redirect(c, "/account/profile?done=profile")
}

func profileValues(profile *identity.Profile) map[string]string {
	values := make(map[string]string)
	for _, field := range profile.Fields() {
		values[field.Name] = *field.Value
	}
	return values
}

// sentences says at each field what is wrong with it.
func sentences(faults identity.FieldFaults) map[string]string {
	said := make(map[string]string, len(faults))
	for name, err := range faults {
		said[name] = sentence(err)
	}
	return said
}
