package main

import (
	"fmt"
	"time"

	"github.com/wicket-id/wicket/cmd/internal/printer"
	"github.com/wicket-id/wicket/cmd/internal/server"
	"github.com/wicket-id/wicket/identity"
)

type roleCommands struct {
	Grant  roleGrant  `cmd:"" help:"Give a person a role. Apps that ask for the scope roles are told of it."`
	Revoke roleRevoke `cmd:"" help:"Take a role of their own back; that it was held stays on record."`
	List   roleList   `cmd:"" help:"List a person's roles: their own, and those of their groups."`
}

type roleGrant struct {
	named
	Role string `arg:"" help:"The role's name, such as admin or billing:read."`
}

// Run grants the role.
func (c roleGrant) Run(ctx operator, s *server.Server, out printer.Printer) error {
	done := "holds the role " + c.Role
	return c.change(ctx, s, out, done, func(user *identity.User) error {
		return s.Identity.Roles().Grant(ctx, user.ID, c.Role)
	})
}

type roleRevoke struct {
	named
	Role string `arg:"" help:"The role's name."`
}

// Run revokes the role.
func (c roleRevoke) Run(ctx operator, s *server.Server, out printer.Printer) error {
	done := "does not hold the role " + c.Role + " any more"
	return c.change(ctx, s, out, done, func(user *identity.User) error {
		return s.Identity.Roles().Revoke(ctx, user.ID, c.Role)
	})
}

type roleList struct {
	named
	History bool `help:"Also those that were taken back."`
}

// Run lists the roles.
func (c roleList) Run(ctx operator, s *server.Server, out printer.Printer) error {
	user, err := c.find(ctx, s)
	if err != nil {
		return err
	}
	roles, err := s.People.Roles(ctx, by(ctx), user.ID, c.History)
	if err != nil {
		return err
	}
	rows := make([][]any, len(roles))
	for i, role := range roles {
		state := "held"
		if role.RevokedAt != nil {
			state = fmt.Sprintf("revoked %s by %s", role.RevokedAt.Format(time.RFC3339), role.RevokedBy)
		}
		rows[i] = []any{role.Role, role.AssignedAt.Format(time.RFC3339), role.AssignedBy, role.Group, state}
	}
	return out.Print(roles, func() { out.Table([]any{"ROLE", "ASSIGNED", "BY", "GROUP", "STATE"}, rows) })
}
