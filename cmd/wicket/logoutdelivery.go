package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/cmd/internal/exit"
	"github.com/wicket-id/wicket/cmd/internal/printer"
	"github.com/wicket-id/wicket/cmd/internal/server"
	"github.com/wicket-id/wicket/oidc/logout"
	"github.com/wicket-id/wicket/storage"
)

type logoutCommands struct {
	List   logoutDeliveryList   `cmd:"" help:"List which apps were told, or are to be told, that a session has ended, the newest first. Kept for 30 days."`
	Resend logoutDeliveryResend `cmd:"" help:"Tell an app again that was given up."`
}

type logoutDeliveryList struct {
	Client string `help:"Only to the app with this client_id."`
	Failed bool   `help:"Only those that were given up."`
	Limit  int    `default:"100" help:"How many to list at the most, the newest first."`
}

// logoutDeliveryView is a delivery as the command prints it.
type logoutDeliveryView struct {
	ID          uuid.UUID  `json:"id"`
	ClientID    string     `json:"client_id"`
	UserID      uuid.UUID  `json:"user_id"`
	SessionID   uuid.UUID  `json:"session_id"`
	State       string     `json:"state"`
	Attempts    int        `json:"attempts"`
	LastError   string     `json:"last_error,omitempty"`
	CreatedAt   time.Time  `json:"created_at"`
	NextAt      *time.Time `json:"next_at,omitempty"`
	DeliveredAt *time.Time `json:"delivered_at,omitempty"`
}

func viewLogoutDelivery(d *logout.Delivery) logoutDeliveryView {
	view := logoutDeliveryView{
		ID: d.ID, ClientID: d.ClientID, UserID: d.UserID, SessionID: d.SessionID, State: d.State, Attempts: d.Attempts,
		LastError: d.LastError, CreatedAt: d.CreatedAt, DeliveredAt: d.DeliveredAt,
	}
	if d.State == logout.DeliveryPending {
		view.NextAt = &d.NextAt
	}
	return view
}

// Run lists them.
func (c logoutDeliveryList) Run(ctx operator, s *server.Server, out printer.Printer) error {
	deliveries, err := s.Logout.Deliveries(ctx, c.Client, c.Failed, c.Limit) // of an app that was deleted, too
	if err != nil {
		return err
	}
	views, rows := make([]logoutDeliveryView, len(deliveries)), make([][]any, len(deliveries))
	for i := range deliveries {
		d := &deliveries[i]
		views[i] = viewLogoutDelivery(d)
		rows[i] = []any{d.ID, d.ClientID, d.UserID, d.CreatedAt.Format(time.RFC3339), d.State, d.Attempts, d.LastError}
	}
	return out.Print(views, func() {
		out.Table([]any{"ID", "CLIENT_ID", "USER", "SINCE", "STATE", "ATTEMPTS", "LAST ERROR"}, rows)
	})
}

type logoutDeliveryResend struct {
	ID uuid.UUID `arg:"" help:"The id of a delivery, as list prints it."`
}

// Run has it sent by the running server.
func (c logoutDeliveryResend) Run(ctx operator, s *server.Server, out printer.Printer) error {
	switch err := s.Logout.Resend(ctx, c.ID); {
	case errors.Is(err, storage.ErrNotFound):
		return exit.NotFound("there is no delivery with the id %s", c.ID)
	case errors.Is(err, logout.ErrNotFailed):
		return fmt.Errorf("the delivery %s was not given up, so there is nothing to send again", c.ID)
	case err != nil:
		return err
	}
	result := map[string]string{"id": c.ID.String(), "state": logout.DeliveryPending}
	return out.Print(result, func() { out.Line("The running server sends %s again.", c.ID) })
}
