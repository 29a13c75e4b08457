package main

import (
	"context"
	"errors"
	"time"

	"github.com/wicket-id/wicket/cmd/internal/exit"
	"github.com/wicket-id/wicket/cmd/internal/printer"
	"github.com/wicket-id/wicket/cmd/internal/server"
	"github.com/wicket-id/wicket/identity/groups"
	"github.com/wicket-id/wicket/storage"
)

type groupCommands struct {
	Create groupCreate       `cmd:"" help:"Make a group."`
	List   groupList         `cmd:"" help:"List the groups by slug."`
	Show   groupShow         `cmd:"" help:"Print a group with its roles and the people in it."`
	Update groupUpdate       `cmd:"" help:"Change what a group is called. Its slug never changes: apps and rules know it by that."`
	Delete groupDelete       `cmd:"" help:"Delete a group: nobody holds its roles, or may use an app by it, any more. Asks first on a terminal."`
	Add    groupAdd          `cmd:"" help:"Put a person into a group."`
	Remove groupRemove       `cmd:"" help:"Take a person out of a group, at once. A provider puts them in again at the next sign-in by it, as long as it says so."`
	Role   groupRoleCommands `cmd:"" help:"Grant and revoke the roles that everybody in a group holds."`
}

// chosenGroup is the argument that names a group.
type chosenGroup struct {
	Group string `arg:"" help:"The slug of the group."`
}

// found tells of a group that does not exist, by that, and returns every other error as it is.
func (c chosenGroup) found(err error) error {
	if errors.Is(err, storage.ErrNotFound) {
		return exit.NotFound("there is no group %q", c.Group)
	}
	return err
}

// groupView is a group as the commands print it.
type groupView struct {
	Slug       string    `json:"slug"`
	Name       string    `json:"name"`
	Source     string    `json:"source"`
	CreatedAt  time.Time `json:"created_at"`
	CreatedBy  string    `json:"created_by"`
	ModifiedAt time.Time `json:"modified_at"`
	ModifiedBy string    `json:"modified_by"`
}

func viewGroup(g *groups.Group) groupView {
	return groupView{g.Slug, g.Name, g.Source, g.CreatedAt, g.CreatedBy, g.ModifiedAt, g.ModifiedBy}
}

type groupCreate struct {
	Slug string `arg:"" help:"What apps, commands and rules know it as: up to 100 lower-case letters, digits and . _ : -"`
	Name string `help:"What people read; left out, the slug."`
}

// Run makes the group.
func (c groupCreate) Run(ctx operator, s *server.Server, out printer.Printer) error {
	group, err := s.Identity.Groups().Create(ctx, c.Slug, c.Name)
	if err != nil {
		return err
	}
	return out.Print(viewGroup(group), func() { out.Line("Made the group %s.", group.Slug) })
}

type groupList struct {
	After string `help:"Begin after the group with this slug."`
	Limit int    `default:"100" help:"How many to list at the most."`
}

// Run lists the groups.
func (c groupList) Run(ctx operator, s *server.Server, out printer.Printer) error {
	list, err := s.Identity.Groups().List(ctx, c.After, c.Limit)
	if err != nil {
		return err
	}
	type listed struct {
		groupView
		Members int64 `json:"members"`
	}
	views, rows := make([]listed, len(list)), make([][]any, len(list))
	for i := range list {
		views[i] = listed{viewGroup(&list[i].Group), list[i].Members}
		rows[i] = []any{list[i].Slug, list[i].Name, list[i].Source, list[i].Members}
	}
	return out.Print(views, func() { out.Table([]any{"SLUG", "NAME", "SOURCE", "MEMBERS"}, rows) })
}

type groupUpdate struct {
	chosenGroup
	Name string `required:"" help:"What people read."`
}

// Run changes the group.
func (c groupUpdate) Run(ctx operator, s *server.Server, out printer.Printer) error {
	group, err := s.Identity.Groups().Rename(ctx, c.Group, c.Name, nil)
	if err != nil {
		return c.found(err)
	}
	return out.Print(viewGroup(group), func() { out.Line("The group %s is called %s.", group.Slug, group.Name) })
}

type groupDelete struct {
	chosenGroup
	confirmation
}

// Run deletes the group.
func (c groupDelete) Run(ctx operator, s *server.Server, out printer.Printer) error {
	const question = "This deletes the group %s; its people lose its roles, and the apps that are for them alone."
	if err := c.confirm(true, question, c.Group); err != nil {
		return err
	}
	if err := s.Identity.Groups().Delete(ctx, c.Group); err != nil {
		return c.found(err)
	}
	result := map[string]string{"slug": c.Group, "status": "deleted"}
	return out.Print(result, func() { out.Line("Deleted %s.", c.Group) })
}

type groupRoleCommands struct {
	Grant  groupRoleGrant  `cmd:"" help:"Give a role to a group, and so to everybody in it."`
	Revoke groupRoleRevoke `cmd:"" help:"Take a role back from a group."`
}

type groupRole struct {
	chosenGroup
	Role string `arg:"" help:"The role's name, such as admin or billing:read."`
}

// change does something to the role and says what was done.
func (c groupRole) change(
	ctx context.Context, s *server.Server, out printer.Printer, done string,
	do func(ctx context.Context, slug, role string) error,
) error {
	if err := do(ctx, c.Group, c.Role); err != nil {
		return c.found(err)
	}
	result := map[string]string{"slug": c.Group, "role": c.Role, "status": done}
	return out.Print(result, func() { out.Line("%s: the role %s is %s.", c.Group, c.Role, done) })
}

type groupRoleGrant struct{ groupRole }

// Run grants the role.
func (c groupRoleGrant) Run(ctx operator, s *server.Server, out printer.Printer) error {
	return c.change(ctx, s, out, "granted", s.Identity.Groups().GrantRole)
}

type groupRoleRevoke struct{ groupRole }

// Run revokes the role.
func (c groupRoleRevoke) Run(ctx operator, s *server.Server, out printer.Printer) error {
	return c.change(ctx, s, out, "revoked", s.Identity.Groups().RevokeRole)
}
