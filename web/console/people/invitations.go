package people

import (
	"errors"
	"net/http"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/web/console/shell"
	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/pages"
)

// Invitations is the page of the invitations that are open.
type Invitations struct{ shell.Console }

type invitationsPage struct {
	shell.Screen
	Invitations []invitation
}

type invitation struct {
	ID, Email, AdminRole, Made, Ends string
}

// Template is that of the page.
func (invitationsPage) Template() (pages.Templates, string) { return templates, "invitations.html" }

// Page shows them.
func (h Invitations) Page(v *frame.Visit, by manage.Caller) error {
	open, err := h.People.Invitations(v.Context(), by)
	if err != nil {
		return err
	}
	page := invitationsPage{Screen: h.Screen(v, by, shell.People)}
	for _, i := range open {
		page.Invitations = append(page.Invitations, invitation{
			ID: i.ID.String(), Email: i.Email, AdminRole: i.AdminRole, Made: frame.Ago(v, h.Now(), i.CreatedAt),
			Ends: v.Language.Moment(i.ExpiresAt),
		})
	}
	return v.Show(http.StatusOK, page)
}

// Revoke ends one before it is used.
func (h Invitations) Revoke(v *frame.Visit, by manage.Caller) error {
	id, err := uuid.Parse(v.Form.Get("invitation"))
	if err != nil {
		return frame.ErrForm
	}
	if err := h.People.RevokeInvitation(v.Context(), by, id); err != nil && !errors.Is(err, storage.ErrNotFound) {
		return err
	}
	return shell.Done(v, shell.People+"/invitations", "invitation-revoked")
}
