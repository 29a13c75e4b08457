package apps

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/identity/administrators"
	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/storage"
)

// Grant is what an app holds of a person, on one device.
type Grant struct {
	ID         uuid.UUID           `json:"id"`
	ClientID   string              `json:"client_id"`
	UserID     uuid.UUID           `json:"user_id"`
	Username   string              `json:"username"`
	SessionID  uuid.UUID           `json:"session_id"`
	Device     string              `json:"device"`
	Scopes     []string            `json:"scopes"`
	APIs       map[string][]string `json:"apis" doc:"The scopes that are granted at APIs, by the identifier of the API."`
	CreatedAt  time.Time           `json:"created_at"`
	LastUsedAt time.Time           `json:"last_used_at"`
	ExpiresAt  time.Time           `json:"expires_at"`
}

// maxGrants are how many grants are listed at the most, the newest.
const maxGrants = 1000

// GrantsOf lists what apps hold of a person, the newest first. It returns a *manage.ForbiddenError.
func (s *Store) GrantsOf(ctx context.Context, by manage.Caller, userID uuid.UUID) ([]Grant, error) {
	if err := by.Demand(manage.ReadUsers); err != nil {
		return nil, err
	}
	found, err := s.Provider.GrantsInUse(ctx, userID, "", maxGrants)
	if err != nil {
		return nil, err
	}
	grants := make([]Grant, len(found))
	for i, g := range found {
		grants[i] = Grant{
			ID: g.ID, ClientID: g.ClientID, UserID: g.UserID, Username: g.Username, SessionID: g.SessionID,
			Device: g.DeviceLabel, Scopes: g.Scopes, APIs: g.APIs, CreatedAt: g.CreatedAt, LastUsedAt: g.LastUsedAt,
			ExpiresAt: g.ExpiresAt,
		}
	}
	return grants, nil
}

// EndGrant takes from an app what it holds of a person. It returns a *manage.ForbiddenError, a *manage.StepUpError, or
// storage.ErrNotFound where that grant of theirs is not in use.
func (s *Store) EndGrant(ctx context.Context, by manage.Caller, userID, id uuid.UUID) error {
	if err := s.DemandOver(ctx, by, manage.RecoverUsers, administrators.Person(userID)); err != nil {
		return err
	}
	theirs, err := s.Database.Reader().NewSelect().Model((*oidc.Grant)(nil)).
		Where("id = ? AND user_id = ?", id, userID).Exists(ctx)
	if err != nil {
		return err
	}
	ended := false
	if theirs {
		ended, err = s.Provider.EndGrant(ctx, id, oidc.EndedByOperator)
	}
	if err == nil && !ended {
		err = storage.ErrNotFound
	}
	return err
}
