package main

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/cmd/internal/exit"
	"github.com/wicket-id/wicket/cmd/internal/printer"
	"github.com/wicket-id/wicket/cmd/internal/server"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/storage"
)

type grantCommands struct {
	List   grantList   `cmd:"" help:"List what apps hold of people: which app, on which device, since when."`
	Revoke grantRevoke `cmd:"" help:"Take away what an app holds: one grant, or all of one person with what they have allowed the app."`
}

type grantList struct {
	User   string `arg:"" optional:"" help:"Only of this person: a username, a verified e-mail address or phone number, or an id."`
	Client string `help:"Only of the app with this client_id."`
	Limit  int    `default:"100" help:"How many to list at the most, the newest first."`
}

// grantView is a grant as the commands print it.
type grantView struct {
	ID         uuid.UUID `json:"id"`
	UserID     uuid.UUID `json:"user_id"`
	Username   string    `json:"username"`
	ClientID   string    `json:"client_id"`
	Scope      string    `json:"scope"`
	SessionID  uuid.UUID `json:"session_id"`
	Device     string    `json:"device"`
	CreatedAt  time.Time `json:"created_at"`
	LastUsedAt time.Time `json:"last_used_at"`
	ExpiresAt  time.Time `json:"expires_at"`
}

// Validate refuses to list all.
func (c grantList) Validate() error {
	if c.User == "" && c.Client == "" {
		return errors.New("name a person, or an app with --client")
	}
	return nil
}

// Run lists the grants that stand.
func (c grantList) Run(ctx operator, s *server.Server, out printer.Printer) error {
	var userID uuid.UUID
	if c.User != "" {
		user, err := named{User: c.User}.find(ctx, s)
		if err != nil {
			return err
		}
		userID = user.ID
	}
	if c.Client != "" {
		if err := clientExists(ctx, s, c.Client); err != nil {
			return err
		}
	}
	grants, err := s.Provider.GrantsInUse(ctx, userID, c.Client, c.Limit)
	if err != nil {
		return err
	}
	views, rows := make([]grantView, len(grants)), make([][]any, len(grants))
	for i, g := range grants {
		views[i] = grantView{
			g.ID, g.UserID, g.Username, g.ClientID, strings.Join(g.Scopes, " "), g.SessionID, g.DeviceLabel, g.CreatedAt,
			g.LastUsedAt, g.ExpiresAt,
		}
		rows[i] = []any{
			g.ID, g.Username, g.ClientID, g.DeviceLabel, g.CreatedAt.Format(time.RFC3339), g.LastUsedAt.Format(time.RFC3339),
			views[i].Scope,
		}
	}
	return out.Print(views, func() {
		out.Table([]any{"ID", "USERNAME", "CLIENT_ID", "DEVICE", "SINCE", "LAST USED", "SCOPE"}, rows)
	})
}

type grantRevoke struct {
	ID     *uuid.UUID `arg:"" optional:"" help:"The id of a grant."`
	User   string     `help:"Instead of an id: the person; with --client. What they have allowed the app is withdrawn too, so that it has to ask again."`
	Client string     `help:"The client_id of the app; with --user."`
}

// Validate refuses what names no grant, or two.
func (c grantRevoke) Validate() error {
	if (c.ID == nil) == (c.User == "") || (c.User == "") != (c.Client == "") {
		return errors.New("name either the id of a grant, or --user and --client")
	}
	return nil
}

// Run takes it away.
func (c grantRevoke) Run(ctx operator, s *server.Server, out printer.Printer) error {
	if c.ID != nil {
		return c.revokeOne(ctx, s, out)
	}
	user, err := named{User: c.User}.find(ctx, s)
	if err != nil {
		return err
	}
	if err := s.Authorize.RevokeAccess(ctx, user.ID, c.Client); errors.Is(err, storage.ErrNotFound) {
		return exit.NotFound("the app %q holds nothing of %s (%s)", c.Client, user.Username, user.ID)
	} else if err != nil {
		return err
	}
	result := map[string]string{"user_id": user.ID.String(), "client_id": c.Client, "status": "revoked"}
	return out.Print(result, func() {
		out.Line("The app %s can no longer use the account of %s (%s).", c.Client, user.Username, user.ID)
	})
}

func (c grantRevoke) revokeOne(ctx context.Context, s *server.Server, out printer.Printer) error {
	ended, err := s.Provider.EndGrant(ctx, *c.ID, oidc.EndedByOperator)
	if err != nil {
		return err
	}
	if !ended {
		return exit.NotFound("there is no grant with the id %s to end", c.ID)
	}
	return out.Print(map[string]any{"id": c.ID, "status": "revoked"}, func() { out.Line("Revoked %s.", c.ID) })
}

func clientExists(ctx context.Context, s *server.Server, clientID string) error {
	_, err := s.Clients.ByID(ctx, clientID)
	if errors.Is(err, storage.ErrNotFound) {
		return exit.NotFound("there is no app with the client_id %q", clientID)
	}
	return err
}
