package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/wicket-id/wicket/cmd/internal/clientflags"
	"github.com/wicket-id/wicket/cmd/internal/exit"
	"github.com/wicket-id/wicket/cmd/internal/printer"
	"github.com/wicket-id/wicket/cmd/internal/server"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage"
)

type clientCommands struct {
	Create       clientCreate       `cmd:"" help:"Register an app. Prints its client_id, and its client_secret this once."`
	Show         clientShow         `cmd:"" help:"Print all that an app is registered with, save its secret, which nobody knows."`
	Update       clientUpdate       `cmd:"" help:"Change an app. What is not named stays as it is, its secret too; a list is replaced, and an empty value empties it. One that WICKET_CLIENTS declares is made as declared again at the next start."`
	List         clientList         `cmd:"" help:"List the registered apps."`
	RotateSecret clientRotateSecret `cmd:"" name:"rotate-secret" help:"Give an app another secret, and print it this once. The old one is good for a while, so that the app can be told. The secret of an app that WICKET_CLIENTS declares is changed in its file instead."`
	Delete       clientDelete       `cmd:"" help:"Delete an app with its consents, grants and tokens. Asks first on a terminal."`
}

type clientCreate struct {
	Name string `required:"" help:"What people read when they are asked for consent."`
	ID   string `name:"id" help:"The client_id; left out, a new one is made."`
	clientflags.Settings
}

// Run registers the app.
func (c clientCreate) Run(ctx operator, s *server.Server, out printer.Printer) error {
	client := &clients.Client{ID: c.ID, Name: c.Name}
	if err := c.Apply(ctx, s, client, os.Stderr); err != nil {
		return err
	}
	secret, err := s.Clients.Create(ctx, client)
	if err != nil {
		return err
	}
	return printClient(out, s, client, secret)
}

type clientUpdate struct {
	ID   string  `arg:"" name:"client_id" help:"The app to change."`
	Name *string `help:"What people read when they are asked for consent."`
	clientflags.Settings
}

// Run changes the app.
func (c clientUpdate) Run(ctx operator, s *server.Server, out printer.Printer) error {
	client, secret, err := s.Clients.Update(ctx, c.ID, func(client *clients.Client) error {
		if c.Name != nil {
			client.Name = *c.Name
		}
		return c.Apply(ctx, s, client, os.Stderr)
	})
	if errors.Is(err, storage.ErrNotFound) {
		return noClient(c.ID)
	} else if err != nil {
		return err
	}
	return printClient(out, s, client, secret)
}

// printClient prints an app that was just made or changed, with its new secret; empty: it got none.
func printClient(out printer.Printer, s *server.Server, client *clients.Client, secret string) error {
	var more []clients.Member
	if secret != "" {
		more = append(more, clients.Member{Name: "client_secret", Value: secret})
	}
	described, err := client.Describe(more...)
	if err != nil {
		return err
	}
	return out.Print(described, func() {
		out.Line("issuer         %s", s.Provider.Issuer)
		out.Line("client_id      %s", client.ID)
		if secret != "" {
			out.Line("client_secret  %s", secret)
		}
		for _, uri := range client.RedirectURIs {
			out.Line("redirect_uri   %s", uri)
		}
		if secret != "" {
			out.Line("Keep the secret now: it is shown this once.")
		}
	})
}

type clientShow struct {
	ID string `arg:"" name:"client_id" help:"The app."`
}

// Run prints all that the app is registered with.
func (c clientShow) Run(ctx operator, s *server.Server, out printer.Printer) error {
	described, err := s.Apps.Client(ctx, by(ctx), c.ID)
	if errors.Is(err, storage.ErrNotFound) {
		return noClient(c.ID)
	} else if err != nil {
		return err
	}
	return out.Print(described, func() { out.Object(described) })
}

type clientRotateSecret struct {
	ID      string        `arg:"" name:"client_id" help:"The app."`
	KeepOld time.Duration `name:"keep-old" default:"24h" help:"How long the secret that it has now is good besides the new one; 0 ends it now, and so does rotating again. Servers heed that within 5 s."`
}

// Validate bounds how long two secrets are good.
func (c clientRotateSecret) Validate() error {
	if c.KeepOld < 0 || c.KeepOld > clients.MaxKeptSecret {
		return fmt.Errorf("--keep-old must be between 0 and %s", clients.MaxKeptSecret)
	}
	return nil
}

// Run rotates the secret.
func (c clientRotateSecret) Run(ctx operator, s *server.Server, out printer.Printer) error {
	secret, err := s.Apps.RotateSecret(ctx, by(ctx), c.ID, c.KeepOld)
	if errors.Is(err, storage.ErrNotFound) {
		return noClient(c.ID)
	} else if err != nil {
		return err
	}
	return out.Print(secret, func() {
		out.Line("client_id      %s", secret.ClientID)
		out.Line("client_secret  %s", secret.ClientSecret)
		out.Line("Keep the secret now: it is shown this once.")
		if secret.PreviousSecretUntil != nil {
			out.Line("The one before is good until %s.", secret.PreviousSecretUntil.Format(time.RFC1123))
		}
	})
}

type clientList struct{}

// Run lists the apps.
func (clientList) Run(ctx operator, s *server.Server, out printer.Printer) error {
	registered, err := s.Clients.List(ctx)
	if err != nil {
		return err
	}
	described, rows := make([]json.RawMessage, len(registered)), make([][]any, len(registered))
	for i := range registered {
		c := &registered[i]
		if described[i], err = c.Describe(); err != nil {
			return err
		}
		pkce := "optional"
		if s.Provider.RequirePKCE || c.RequirePKCE || c.IsPublic() {
			pkce = "required"
		}
		rows[i] = []any{
			c.ID, c.Name, authMethod(c), pkce, strings.Join(c.GrantTypes, " "), strings.Join(c.RedirectURIs, " "),
		}
	}
	return out.Print(described, func() {
		out.Table([]any{"CLIENT_ID", "NAME", "AUTH METHOD", "PKCE", "GRANT TYPES", "REDIRECT URIS"}, rows)
	})
}

// authMethod is how an app proves who it is, for a table.
func authMethod(c *clients.Client) string {
	if c.AnySecretMethod {
		return clients.AuthBasic + ", " + clients.AuthPost
	}
	return c.AuthMethod
}

type clientDelete struct {
	ID string `arg:"" name:"client_id" help:"The app to delete."`
	confirmation
}

// Run deletes the app.
func (c clientDelete) Run(ctx operator, s *server.Server, out printer.Printer) error {
	if err := c.confirm(true, "This deletes the app %s; nobody is signed in there any more.", c.ID); err != nil {
		return err
	}
	if err := s.Clients.Delete(ctx, c.ID); errors.Is(err, storage.ErrNotFound) {
		return noClient(c.ID)
	} else if err != nil {
		return err
	}
	return out.Print(map[string]string{"client_id": c.ID, "status": "deleted"}, func() { out.Line("Deleted %s.", c.ID) })
}

func noClient(id string) error { return exit.NotFound("there is no app with the client_id %q", id) }
