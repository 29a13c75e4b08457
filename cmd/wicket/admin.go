package main

import (
	"context"
	"errors"
	"time"

	"github.com/wicket-id/wicket/cmd/internal/printer"
	"github.com/wicket-id/wicket/cmd/internal/server"
	"github.com/wicket-id/wicket/identity/administrators"
	"github.com/wicket-id/wicket/storage"
)

type adminCommands struct {
	Grant  adminGrant  `cmd:"" help:"Make a person, or an app that acts by itself, an administrator."`
	Revoke adminRevoke `cmd:"" help:"Take an administrative role back; it is gone with the next call."`
	List   adminList   `cmd:"" help:"List who administers this server, the mightiest first."`
}

// holder is the argument that names who holds an administrative role.
type holder struct {
	Who    string `arg:"" help:"A username, a verified e-mail address or phone number, or an id; with --client a client_id."`
	Role   string `arg:"" help:"owner, administrator, user-manager, app-manager, support or auditor."`
	Client bool   `help:"An app that acts by itself (client_credentials), and no person."`
}

// find returns who is named, and what they are called.
func (h holder) find(ctx context.Context, s *server.Server) (administrators.Holder, string, error) {
	if h.Client {
		client, err := s.Clients.Fresh(ctx, h.Who)
		if errors.Is(err, storage.ErrNotFound) {
			return administrators.Holder{}, "", noClient(h.Who)
		} else if err != nil {
			return administrators.Holder{}, "", err
		}
		return administrators.Client(client.ID), client.Name + " (" + client.ID + ")", nil
	}
	user, err := named{User: h.Who}.find(ctx, s)
	if err != nil {
		return administrators.Holder{}, "", err
	}
	return administrators.Person(user.ID), user.Username + " (" + user.ID.String() + ")", nil
}

type adminGrant struct {
	holder
	For time.Duration `help:"Only for so long, such as 8h; left out: until it is revoked."`
}

// Validate refuses a time that is over.
func (c adminGrant) Validate() error {
	if c.For < 0 {
		return errors.New("--for must be longer than nothing")
	}
	return nil
}

// Run grants the role.
func (c adminGrant) Run(ctx operator, s *server.Server, out printer.Printer) error {
	who, name, err := c.find(ctx, s)
	if err != nil {
		return err
	}
	var ends *time.Time
	if c.For > 0 {
		until := s.Clock.Now().Add(c.For)
		ends = &until
	}
	if err := s.Manage.Grant(ctx, by(ctx), who, c.Role, ends); err != nil {
		return err
	}
	result := map[string]any{"holder": who.Actor(), "role": c.Role, "ends_at": ends}
	return out.Print(result, func() { out.Line("%s is %s of this server.", name, c.Role) })
}

type adminRevoke struct{ holder }

// Run revokes the role.
func (c adminRevoke) Run(ctx operator, s *server.Server, out printer.Printer) error {
	who, name, err := c.find(ctx, s)
	if err != nil {
		return err
	}
	if err := s.Manage.Revoke(ctx, by(ctx), who, c.Role); err != nil {
		return err
	}
	result := map[string]any{"holder": who.Actor(), "role": c.Role, "status": "revoked"}
	return out.Print(result, func() { out.Line("%s is not %s of this server any more.", name, c.Role) })
}

type adminList struct{}

// Run lists who administers.
func (adminList) Run(ctx operator, s *server.Server, out printer.Printer) error {
	list, err := s.Manage.List(ctx, by(ctx))
	if err != nil {
		return err
	}
	rows := make([][]any, len(list))
	for i, admin := range list {
		kind, until := "person", "for good"
		if admin.ClientID != "" {
			kind = "app"
		} else if admin.APIKeyID != nil {
			kind = "API key"
		}
		if admin.EndsAt != nil {
			until = admin.EndsAt.Format(time.RFC3339)
		}
		rows[i] = []any{admin.Role, kind, admin.Name, admin.GrantedAt.Format(time.RFC3339), admin.GrantedBy, until}
	}
	return out.Print(list, func() { out.Table([]any{"ROLE", "KIND", "NAME", "SINCE", "BY", "UNTIL"}, rows) })
}
