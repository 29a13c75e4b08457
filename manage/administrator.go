package manage

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/identity/administrators"
)

// Administrator is an administrative role of a person, an app or a key.
type Administrator struct {
	ID        uuid.UUID  `json:"id"`
	Role      string     `json:"role" enum:"owner,administrator,user-manager,app-manager,support,auditor"`
	UserID    *uuid.UUID `json:"user_id,omitempty"`
	ClientID  string     `json:"client_id,omitempty" doc:"An app that acts by itself (client_credentials)."`
	APIKeyID  *uuid.UUID `json:"api_key_id,omitempty"`
	Name      string     `json:"name" doc:"What people know the holder by."`
	GrantedAt time.Time  `json:"granted_at"`
	GrantedBy string     `json:"granted_by"`
	EndsAt    *time.Time `json:"ends_at" doc:"Null: until it is revoked."`
}

// List lists the administrative roles that are held now, the mightiest first. It returns a *ForbiddenError.
func (s *Store) List(ctx context.Context, by Caller) ([]Administrator, error) {
	if err := by.Demand(ReadAdmins); err != nil {
		return nil, err
	}
	granted, err := s.Administrators.List(ctx)
	if err != nil {
		return nil, err
	}
	views := make([]Administrator, len(granted))
	for i, role := range granted {
		views[i] = Administrator{
			ID: role.ID, Role: role.Role.Name, ClientID: role.ClientID, Name: role.Username + role.ClientName + role.KeyName,
			GrantedAt: role.GrantedAt, GrantedBy: role.GrantedBy, EndsAt: role.EndsAt,
		}
		if role.UserID.Valid {
			views[i].UserID = &role.UserID.UUID
		}
		if role.APIKeyID.Valid {
			views[i].APIKeyID = &role.APIKeyID.UUID
		}
	}
	return views, nil
}

// Grant gives an administrative role, for good or until ends. It returns what Caller.DemandToGrant and
// administrators.Store.Grant do.
func (s *Store) Grant(
	ctx context.Context, by Caller, holder administrators.Holder, role string, ends *time.Time,
) error {
	if err := by.DemandToGrant(role); err != nil {
		return err
	}
	if by.outlasts(ends) {
		return administrators.ErrOutlasts
	}
	_, err := s.Administrators.Grant(ctx, holder, role, ends)
	return err
}

// Revoke takes an administrative role back. It returns what Caller.DemandToGrant and administrators.Store.Revoke do.
func (s *Store) Revoke(ctx context.Context, by Caller, holder administrators.Holder, role string) error {
	if err := by.DemandToGrant(role); err != nil {
		return err
	}
	return s.Administrators.Revoke(ctx, holder, role)
}

// HeldBy lists the administrative roles of a person. It returns a *ForbiddenError.
func (s *Store) HeldBy(ctx context.Context, by Caller, userID uuid.UUID) ([]Administrator, error) {
	all, err := s.List(ctx, by)
	return slices.DeleteFunc(all, func(a Administrator) bool { return a.UserID == nil || *a.UserID != userID }), err
}
