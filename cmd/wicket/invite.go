package main

import (
	"errors"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/cmd/internal/exit"
	"github.com/wicket-id/wicket/cmd/internal/printer"
	"github.com/wicket-id/wicket/cmd/internal/server"
	"github.com/wicket-id/wicket/identity/signin"
	"github.com/wicket-id/wicket/storage"
)

type userInvite struct {
	Email string        `help:"Mail the link to this address, which is then verified."`
	Role  []string      `sep:"none" help:"A role that they will hold. Repeat it for several."`
	Admin string        `placeholder:"ROLE" help:"The administrative role that they will hold: owner, administrator, user-manager, app-manager, support or auditor."`
	For   time.Duration `name:"for" default:"168h" help:"How long the link works: 24h, 168h."`
}

// Validate refuses a time that is none.
func (c userInvite) Validate() error {
	if c.For <= 0 {
		return errors.New("--for must be longer than nothing")
	}
	return nil
}

// invitationView is an invitation as the command prints it.
type invitationView struct {
	ID        uuid.UUID `json:"id"`
	Link      string    `json:"link"`
	Email     string    `json:"email"`
	Roles     []string  `json:"roles"`
	AdminRole string    `json:"administrative_role,omitempty"`
	ExpiresAt time.Time `json:"expires_at"`
}

// Run makes the invitation and prints its link.
func (c userInvite) Run(ctx operator, s *server.Server, env server.Environment, out printer.Printer) error {
	invitation, secret, err := s.SignIns.Invitations().Create(ctx, signin.NewInvitation{
		Email: c.Email, Roles: c.Role, AdminRole: c.Admin, Lifetime: c.For,
	})
	if err != nil {
		return err
	}
	link := s.InvitationLink(secret)
	warnOfIssuer(env, link)
	view := invitationView{
		invitation.ID,
		link,
		invitation.Email,
		invitation.Roles,
		invitation.AdminRole,
		invitation.ExpiresAt,
	}
	return out.Print(view, func() {
		switch {
		case invitation.Email == "":
		case s.Config().Mail() == nil:
			out.Line("Hand the link on to %s yourself: WICKET_SMTP_URL is not set here, "+
				"and where the server lacks it too, no mail is sent.", invitation.Email)
		default:
			out.Line("The link is being mailed to %s.", invitation.Email)
		}
		out.Line("Until %s this link makes one account:\n%s", invitation.ExpiresAt.Format(time.RFC1123), link)
	})
}

type invitationCommands struct {
	List   invitationList   `cmd:"" help:"List the invitations that still work, the newest first. Their links are not kept."`
	Revoke invitationRevoke `cmd:"" help:"End an invitation before it is used."`
}

type invitationList struct {
	Limit int `default:"100" help:"How many to list at the most."`
}

// Run lists the invitations.
func (c invitationList) Run(ctx operator, s *server.Server, out printer.Printer) error {
	invitations, err := s.People.Invitations(ctx, by(ctx))
	if err != nil {
		return err
	}
	invitations = invitations[:min(len(invitations), c.Limit)]
	rows := make([][]any, len(invitations))
	for i, v := range invitations {
		rows[i] = []any{v.ID, v.Email, strings.Join(v.Roles, " "), v.ExpiresAt.Format(time.RFC3339), v.CreatedBy}
	}
	return out.Print(invitations, func() { out.Table([]any{"ID", "EMAIL", "ROLES", "WORKS UNTIL", "BY"}, rows) })
}

type invitationRevoke struct {
	ID uuid.UUID `arg:"" help:"The id of the invitation."`
}

// Run ends the invitation.
func (c invitationRevoke) Run(ctx operator, s *server.Server, out printer.Printer) error {
	if err := s.SignIns.Invitations().Revoke(ctx, c.ID); errors.Is(err, storage.ErrNotFound) {
		return exit.NotFound("there is no invitation with the id %s that works", c.ID)
	} else if err != nil {
		return err
	}
	result := map[string]string{"id": c.ID.String(), "status": "revoked"}
	return out.Print(result, func() { out.Line("Revoked %s.", c.ID) })
}
