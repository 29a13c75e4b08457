package main

import (
	"fmt"
	"time"

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
func (c roleGrant) Run(ctx operator, s *server.Server, out printer) error {
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
func (c roleRevoke) Run(ctx operator, s *server.Server, out printer) error {
	done := "does not hold the role " + c.Role + " any more"
	return c.change(ctx, s, out, done, func(user *identity.User) error {
		return s.Identity.Roles().Revoke(ctx, user.ID, c.Role)
	})
}

type roleList struct {
	named
	History bool `help:"Also those that were taken back."`
}

// roleView is a role as the command prints it.
type roleView struct {
	Role       string     `json:"role"`
	IsActive   bool       `json:"is_active"`
	AssignedAt time.Time  `json:"assigned_at"`
	AssignedBy string     `json:"assigned_by"`
	RevokedAt  *time.Time `json:"revoked_at"`
	RevokedBy  string     `json:"revoked_by,omitempty"`
	Group      string     `json:"group,omitempty"` // by which they hold it, if it is not their own
}

// Run lists the roles.
func (c roleList) Run(ctx operator, s *server.Server, out printer) error {
	user, err := c.find(ctx, s)
	if err != nil {
		return err
	}
	roles, err := s.Identity.Roles().List(ctx, user.ID, c.History)
	if err != nil {
		return err
	}
	byGroups, err := s.Identity.Groups().RolesOf(ctx, user.ID)
	if err != nil {
		return err
	}
	views, rows := make([]roleView, 0, len(roles)+len(byGroups)), make([][]any, 0, len(roles)+len(byGroups))
	add := func(view roleView, state string) {
		views = append(views, view)
		rows = append(rows, []any{view.Role, view.AssignedAt.Format(time.RFC3339), view.AssignedBy, view.Group, state})
	}
	for _, role := range roles {
		state := "held"
		if role.RevokedAt != nil {
			state = fmt.Sprintf("revoked %s by %s", role.RevokedAt.Format(time.RFC3339), role.RevokedBy)
		}
		add(roleView{
			role.RoleName, role.IsActive, role.AssignedAt, role.AssignedBy, role.RevokedAt, role.RevokedBy, "",
		}, state)
	}
	for _, role := range byGroups {
		add(roleView{
			Role: role.RoleName, IsActive: true, AssignedAt: role.GrantedAt, AssignedBy: role.GrantedBy, Group: role.Group.Slug,
		}, "held")
	}
	return out.print(views, func() { out.table([]any{"ROLE", "ASSIGNED", "BY", "GROUP", "STATE"}, rows) })
}
