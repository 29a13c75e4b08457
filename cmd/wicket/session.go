package main

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/cmd/internal/exit"
	"github.com/wicket-id/wicket/cmd/internal/printer"
	"github.com/wicket-id/wicket/cmd/internal/server"
	"github.com/wicket-id/wicket/manage/people"
	"github.com/wicket-id/wicket/storage"
)

type sessionCommands struct {
	List sessionList `cmd:"" help:"List the devices that a person is signed in on, the one last seen first."`
	End  sessionEnd  `cmd:"" help:"End a session, or all of a person, and with each what apps have of it."`
}

type sessionList struct{ named }

// sessionView is a session as the command prints it.
type sessionView struct {
	people.Session
	Username string `json:"username"`
}

// Run lists them.
func (c sessionList) Run(ctx operator, s *server.Server, out printer.Printer) error {
	user, err := c.find(ctx, s)
	if err != nil {
		return err
	}
	sessions, err := s.People.Sessions(ctx, by(ctx), user.ID)
	if err != nil {
		return err
	}
	views, rows := make([]sessionView, len(sessions)), make([][]any, len(sessions))
	for i, session := range sessions {
		views[i] = sessionView{session, user.Username}
		rows[i] = []any{
			session.ID, session.Device, session.CreatedAt.Format(time.RFC3339),
			session.LastSeenAt.Format(time.RFC3339), session.LastSeenIP, session.ACR,
		}
	}
	return out.Print(views, func() {
		out.Table([]any{"ID", "DEVICE", "SINCE", "LAST SEEN", "FROM", "SIGNED IN BY"}, rows)
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
func (c sessionEnd) Run(ctx operator, s *server.Server, out printer.Printer) error {
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
	return out.Print(result, func() { out.Line("Ended %d sessions of %s (%s).", ended, user.Username, user.ID) })
}

func (c sessionEnd) endOne(ctx context.Context, s *server.Server, out printer.Printer) error {
	ended, err := s.Identity.Sessions().EndByOperator(ctx, *c.ID)
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return err
	}
	if ended == 0 {
		return exit.NotFound("there is no session with the id %s to end", c.ID)
	}
	return out.Print(map[string]any{"id": c.ID, "ended": 1}, func() { out.Line("Ended %s.", c.ID) })
}
