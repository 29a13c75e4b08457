package main

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/cmd/internal/server"
)

type userInvite struct {
	Email string        `help:"Mail the link to this address, which is then verified."`
	Role  []string      `sep:"none" help:"A role that they will hold. Repeat it for several."`
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
	ExpiresAt time.Time `json:"expires_at"`
}

// Run makes the invitation and prints its link.
func (c userInvite) Run(ctx context.Context, env server.Environment, out printer) error {
	s, ctx, err := server.Beside(ctx, env)
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	invitation, secret, err := s.SignIns.Invitations().Create(ctx, c.Email, c.Role, c.For)
	if err != nil {
		return err
	}
	link := s.InvitationLink(secret)
	view := invitationView{invitation.ID, link, invitation.Email, invitation.Roles, invitation.ExpiresAt}
	return out.print(view, func() {
		switch {
		case invitation.Email == "":
		case s.Config().Mail() == nil:
			out.line("Hand the link on to %s yourself: WICKET_SMTP_URL is not set here, "+
				"and where the server lacks it too, no mail is sent.", invitation.Email)
		default:
			out.line("The link is being mailed to %s.", invitation.Email)
		}
		out.line("Until %s this link makes one account:\n%s", invitation.ExpiresAt.Format(time.RFC1123), link)
	})
}
