package people

import (
	"context"
	"net/url"
	"time"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/identity/refusal"
	"github.com/wicket-id/wicket/identity/signin"
	"github.com/wicket-id/wicket/manage"
)

// Invitation lets one person make an account, by a link that works once.
type Invitation struct {
	ID        uuid.UUID `json:"id"`
	Email     string    `json:"email" doc:"Whom the link was mailed to."`
	Roles     []string  `json:"roles" doc:"Roles that the newcomer will hold and apps are told of."`
	AdminRole string    `json:"administrative_role"`
	ExpiresAt time.Time `json:"expires_at"`
	CreatedAt time.Time `json:"created_at"`
	CreatedBy string    `json:"created_by"`
	Link      string    `json:"link,omitempty" doc:"Shown this once, to who makes the invitation."`
}

func viewInvitation(i *signin.Invitation) Invitation {
	return Invitation{
		ID: i.ID, Email: i.Email, Roles: i.Roles, AdminRole: i.AdminRole, ExpiresAt: i.ExpiresAt, CreatedAt: i.CreatedAt,
		CreatedBy: i.CreatedBy,
	}
}

// NewInvitation is an invitation to be made.
type NewInvitation struct {
	Email     string   `json:"email,omitempty" maxLength:"254" doc:"Mail the link to this address, which is then verified."`
	Roles     []string `json:"roles,omitempty" maxItems:"100" doc:"Roles that they will hold."`
	AdminRole string   `json:"administrative_role,omitempty" maxLength:"100" doc:"The administrative role that they will hold."`
	Days      int      `json:"days,omitempty" minimum:"1" maximum:"90" default:"7" doc:"How many days the link works."`
}

// ErrInvitationDays says that an invitation would work for too long, or not at all.
var ErrInvitationDays = refusal.New("invitation.days", "an invitation works for 1 to 90 days")

// maxInvitations are how many invitations are listed.
const maxInvitations = 1000

// Invite makes an invitation and returns it with its link. It returns a *manage.ForbiddenError, a *manage.StepUpError
// where it makes an administrator, ErrInvitationDays, or what signin.Invitations.Create does.
func (s *Store) Invite(ctx context.Context, by manage.Caller, new NewInvitation) (*Invitation, error) {
	if err := by.Demand(manage.WriteUsers); err != nil {
		return nil, err
	}
	if new.AdminRole != "" {
		if err := by.DemandToInvite(new.AdminRole); err != nil {
			return nil, err
		}
	}
	if new.Days < 1 || new.Days > 90 {
		return nil, ErrInvitationDays
	}
	made, secret, err := s.SignIns.Invitations().Create(ctx, signin.NewInvitation{
		Email: new.Email, Roles: new.Roles, AdminRole: new.AdminRole, Lifetime: time.Duration(new.Days) * 24 * time.Hour,
	})
	if err != nil {
		return nil, err
	}
	view := viewInvitation(made)
	view.Link = s.Provider.Issuer + "/register?" + url.Values{"token": {secret}}.Encode()
	return &view, nil
}

// Invitations lists those that still work, the newest first. It returns a *manage.ForbiddenError.
func (s *Store) Invitations(ctx context.Context, by manage.Caller) ([]Invitation, error) {
	if err := by.Demand(manage.ReadUsers); err != nil {
		return nil, err
	}
	open, err := s.SignIns.Invitations().List(ctx, maxInvitations)
	if err != nil {
		return nil, err
	}
	views := make([]Invitation, len(open))
	for i := range open {
		views[i] = viewInvitation(&open[i])
	}
	return views, nil
}

// RevokeInvitation ends an invitation before it is used. It returns a *manage.ForbiddenError or storage.ErrNotFound.
func (s *Store) RevokeInvitation(ctx context.Context, by manage.Caller, id uuid.UUID) error {
	if err := by.Demand(manage.WriteUsers); err != nil {
		return err
	}
	invitation, err := s.SignIns.Invitations().ByID(ctx, id)
	if err != nil {
		return err
	}
	if invitation.AdminRole != "" {
		if err := by.DemandAbove([]string{invitation.AdminRole}, manage.WriteUsers); err != nil {
			return err
		}
	}
	return s.SignIns.Invitations().Revoke(ctx, id)
}
