package main

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/cmd/internal/exit"
	"github.com/wicket-id/wicket/cmd/internal/server"
	"github.com/wicket-id/wicket/storage"
)

type sessionCommands struct {
	List sessionList `cmd:"" help:"List the devices that a person is signed in on, the one last seen first."`
	End  sessionEnd  `cmd:"" help:"End a session, or all of a person, and with each what apps have of it."`
}

type sessionList struct{ named }

// sessionView is a session as the command prints it.
type sessionView struct {
	ID         uuid.UUID `json:"id"`
	UserID     uuid.UUID `json:"user_id"`
	Username   string    `json:"username"`
	Device     string    `json:"device"`
	IP         string    `json:"ip"`
	LastSeenIP string    `json:"last_seen_ip"`
	LastSeenAt time.Time `json:"last_seen_at"`
	CreatedAt  time.Time `json:"created_at"`
	AuthTime   time.Time `json:"auth_time"`
	ExpiresAt  time.Time `json:"expires_at"`
	AMR        []string  `json:"amr"`
	ACR        string    `json:"acr"`
}

// Run lists them.
func (c sessionList) Run(ctx operator, s *server.Server, out printer) error {
	user, err := c.find(ctx, s)
	if err != nil {
		return err
	}
	sessions, err := s.Identity.Sessions().List(ctx, user.ID)
	if err != nil {
		return err
	}
	views, rows := make([]sessionView, len(sessions)), make([][]any, len(sessions))
	for i, session := range sessions {
		views[i] = sessionView{
			session.ID, session.UserID, session.User.Username, session.DeviceLabel, session.IP, session.LastSeenIP,
			session.LastSeenAt, session.CreatedAt, session.AuthTime, session.ExpiresAt, session.AMR, session.ACR,
		}
		rows[i] = []any{
			session.ID, session.DeviceLabel, session.CreatedAt.Format(time.RFC3339),
			session.LastSeenAt.Format(time.RFC3339), session.LastSeenIP, session.ACR,
		}
	}
	return out.print(views, func() {
		out.table([]any{"ID", "DEVICE", "SINCE", "LAST SEEN", "FROM", "SIGNED IN BY"}, rows)
	})
}

type sessionEnd struct {
	ID   *uuid.UUID `arg:"" optional:"" help:"The id of a session."`
	User string     `help:"Instead of an id: all sessions of this person. To void everything of theirs, see wicket user logout."`
}

// Validate refuses what names nothing, or two things.
func (c sessionEnd) Validate() error {
	if (c.ID == nil) == (c.User == "") {
		return errors.New("name either the id of a session, or a person with --user")
	}
	return nil
}

// Run ends the sessions.
func (c sessionEnd) Run(ctx operator, s *server.Server, out printer) error {
	if c.ID != nil {
		return c.endOne(ctx, s, out)
	}
	user, err := named{User: c.User}.find(ctx, s)
	if err != nil {
		return err
	}
	ended, err := s.Identity.Sessions().EndAllByOperator(ctx, user.ID)
	if err != nil {
		return err
	}
	result := map[string]any{"user_id": user.ID, "ended": ended}
	return out.print(result, func() { out.line("Ended %d sessions of %s (%s).", ended, user.Username, user.ID) })
}

func (c sessionEnd) endOne(ctx context.Context, s *server.Server, out printer) error {
	ended, err := s.Identity.Sessions().EndByOperator(ctx, *c.ID)
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return err
	}
	if ended == 0 {
		return exit.NotFound("there is no session with the id %s to end", c.ID)
	}
	return out.print(map[string]any{"id": c.ID, "ended": 1}, func() { out.line("Ended %s.", c.ID) })
}
