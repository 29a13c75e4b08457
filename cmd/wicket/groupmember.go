package main

import (
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/cmd/internal/printer"
	"github.com/wicket-id/wicket/cmd/internal/server"
	"github.com/wicket-id/wicket/identity"
)

type groupShow struct {
	chosenGroup
	After uuid.UUID `help:"Begin the list of people after the one with this id."`
	Limit int       `default:"100" help:"How many people to list at the most."`
}

// memberView is somebody in a group as the command prints them.
type memberView struct {
	ID       uuid.UUID `json:"id"`
	Username string    `json:"username"`
	Since    time.Time `json:"since"`
	Sources  []string  `json:"sources"`
}

// Run prints the group.
func (c groupShow) Run(ctx operator, s *server.Server, out printer.Printer) error {
	group, err := s.Identity.Groups().Find(ctx, c.Group)
	if err != nil {
		return c.found(err)
	}
	granted, err := s.Identity.Groups().Roles(ctx, group.ID)
	if err != nil {
		return err
	}
	roles := make([]string, len(granted))
	for i, role := range granted {
		roles[i] = role.RoleName
	}
	members, err := s.Identity.Groups().Members(ctx, c.Group, c.After, c.Limit)
	if err != nil {
		return c.found(err)
	}
	view := struct {
		groupView
		Roles   []string     `json:"roles"`
		Members []memberView `json:"members"`
	}{viewGroup(group), roles, make([]memberView, len(members))}
	rows := make([][]any, len(members))
	for i, m := range members {
		view.Members[i] = memberView{m.UserID, m.Username, m.Since, m.Sources}
		rows[i] = []any{m.UserID, m.Username, m.Since.Format(time.RFC3339), strings.Join(m.Sources, " ")}
	}
	return out.Print(view, func() {
		out.Line("slug    %s", group.Slug)
		out.Line("name    %s", group.Name)
		out.Line("source  %s", group.Source)
		out.Line("roles   %s\n", strings.Join(roles, " "))
		out.Table([]any{"ID", "USERNAME", "SINCE", "BY"}, rows)
	})
}

type groupMember struct {
	chosenGroup
	named
}

type groupAdd struct{ groupMember }

// Run puts the person into the group.
func (c groupAdd) Run(ctx operator, s *server.Server, out printer.Printer) error {
	return c.change(ctx, s, out, "is in the group "+c.Group, func(user *identity.User) error {
		return c.found(s.Identity.Groups().Add(ctx, c.Group, user.ID))
	})
}

type groupRemove struct{ groupMember }

// Run takes the person out of the group.
func (c groupRemove) Run(ctx operator, s *server.Server, out printer.Printer) error {
	return c.change(ctx, s, out, "is not in the group "+c.Group+" any more", func(user *identity.User) error {
		return c.found(s.Identity.Groups().Remove(ctx, c.Group, user.ID))
	})
}
