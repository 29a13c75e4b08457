package apps

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/identity/refusal"
	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/oidc/logout"
)

// LogoutDelivery is that one app was told that one session has ended, or is to be told.
type LogoutDelivery struct {
	ID          uuid.UUID
	ClientID    string
	UserID      uuid.UUID
	SessionID   uuid.UUID
	State       string // one of those of package logout
	Attempts    int
	LastError   string
	CreatedAt   time.Time
	NextAt      *time.Time // when the next attempt is due
	DeliveredAt *time.Time
}

// LogoutFilter chooses deliveries. What is empty does not matter.
type LogoutFilter struct{ ClientID, State string }

// ErrNotFailed says that a delivery was not given up.
var ErrNotFailed = refusal.New("logout_delivery.not_failed", "this delivery was not given up, so there is nothing to send again")

// logoutKey is by what deliveries are sorted.
type logoutKey struct {
	At time.Time
	ID uuid.UUID
}

// LogoutDeliveries lists which apps were told that sessions have ended, the newest first, in parts: those of apps that
// were deleted, too. It returns a *manage.ForbiddenError or manage.ErrCursor.
func (s *Store) LogoutDeliveries(
	ctx context.Context, by manage.Caller, filter LogoutFilter, part manage.Part,
) (page manage.Page[LogoutDelivery], err error) {
	for _, permission := range []manage.Permission{manage.ReadClients, manage.ReadUsers} {
		if err := by.Demand(permission); err != nil {
			return page, err
		}
	}
	var rows []logout.Delivery
	query := s.Database.Late().NewSelect().Model(&rows).Order("created_at DESC", "id DESC").Limit(int64(part.Size() + 1))
	var after logoutKey
	if follows, err := s.After(part, "logout deliveries", filter, &after); err != nil {
		return page, err
	} else if follows {
		query.Where("(created_at, id) < (?, ?)", after.At, after.ID)
	}
	if filter.ClientID != "" {
		query.Where("client_id = ?", filter.ClientID)
	}
	if filter.State != "" {
		query.Where("state = ?", filter.State)
	}
	if err := query.Scan(ctx); err != nil {
		return page, fmt.Errorf("list logout deliveries: %w", err)
	}
	views := make([]LogoutDelivery, len(rows))
	for i := range rows {
		d := &rows[i]
		views[i] = LogoutDelivery{
			ID: d.ID, ClientID: d.ClientID, UserID: d.UserID, SessionID: d.SessionID, State: d.State, Attempts: d.Attempts,
			LastError: d.LastError, CreatedAt: d.CreatedAt, DeliveredAt: d.DeliveredAt,
		}
		if d.State == logout.DeliveryPending {
			views[i].NextAt = &d.NextAt
		}
	}
	return manage.NewPage(s.Store, part, "logout deliveries", filter, views, func(d *LogoutDelivery) any {
		return logoutKey{d.CreatedAt, d.ID}
	})
}

// ResendLogout has a delivery that was given up sent again, as often as a new one. It returns a *manage.ForbiddenError,
// storage.ErrNotFound or ErrNotFailed.
func (s *Store) ResendLogout(ctx context.Context, by manage.Caller, id uuid.UUID) error {
	if err := by.Demand(manage.WriteClients); err != nil {
		return err
	}
	err := s.Logout.Resend(ctx, id)
	if errors.Is(err, logout.ErrNotFailed) {
		return ErrNotFailed
	}
	return err
}
