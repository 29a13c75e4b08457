package main

import (
	"errors"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/cmd/internal/exit"
	"github.com/wicket-id/wicket/cmd/internal/printer"
	"github.com/wicket-id/wicket/cmd/internal/server"
	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/storage"
)

type apiKeyCommands struct {
	Create apiKeyCreate `cmd:"" help:"Make a key by which a program calls the management API, and print it this once."`
	List   apiKeyList   `cmd:"" help:"List the keys of the management API."`
	Revoke apiKeyRevoke `cmd:"" help:"Revoke a key; the next call with it is refused."`
}

type apiKeyCreate struct {
	Name       string              `required:"" help:"What people know the key by."`
	Role       string              `required:"" help:"Its administrative role: owner, administrator, user-manager, app-manager, support or auditor."`
	Permission []manage.Permission `sep:"," help:"Only this of what the role allows, such as users:read; several by commas, or repeat it. Left out: all."`
	Network    []string            `sep:"," help:"Only from this network, such as 192.0.2.0/24; several by commas, or repeat it. Left out: from anywhere."`
	For        time.Duration       `default:"2160h" help:"How long it works: two years at the most."`
}

// Run makes the key and prints it.
func (c apiKeyCreate) Run(ctx operator, s *server.Server, out printer.Printer) error {
	key, err := s.Manage.CreateKey(ctx, by(ctx), manage.NewAPIKey{
		Name: c.Name, Role: c.Role, Permissions: c.Permission, Networks: c.Network, ExpiresAt: s.Clock.Now().Add(c.For),
	})
	if err != nil {
		return err
	}
	return out.Print(key, func() {
		out.Line("id   %s", key.ID)
		out.Line("key  %s", key.Key)
		out.Line("Keep the key now: it is shown this once. It works until %s.", key.ExpiresAt.Format(time.RFC1123))
	})
}

type apiKeyList struct{}

// Run lists the keys.
func (apiKeyList) Run(ctx operator, s *server.Server, out printer.Printer) error {
	keys, err := s.Manage.Keys(ctx, by(ctx))
	if err != nil {
		return err
	}
	rows := make([][]any, len(keys))
	for i, k := range keys {
		used := "never"
		if k.LastUsedAt != nil {
			used = k.LastUsedAt.Format(time.RFC3339)
		}
		rows[i] = []any{
			k.ID, k.Name, k.Role, "..." + k.Hint, strings.Join(k.Networks, " "), k.ExpiresAt.Format(time.RFC3339), used,
		}
	}
	return out.Print(keys, func() {
		out.Table([]any{"ID", "NAME", "ROLE", "KEY", "NETWORKS", "WORKS UNTIL", "LAST USED"}, rows)
	})
}

type apiKeyRevoke struct {
	ID uuid.UUID `arg:"" help:"The id of the key."`
}

// Run revokes the key.
func (c apiKeyRevoke) Run(ctx operator, s *server.Server, out printer.Printer) error {
	if err := s.Manage.RevokeKey(ctx, by(ctx), c.ID); errors.Is(err, storage.ErrNotFound) {
		return exit.NotFound("there is no key with the id %s that works", c.ID)
	} else if err != nil {
		return err
	}
	result := map[string]string{"id": c.ID.String(), "status": "revoked"}
	return out.Print(result, func() { out.Line("Revoked %s.", c.ID) })
}
