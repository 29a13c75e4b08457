package identity

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity/groups"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

// Role is something that a person may do or be, by name. It can be switched off and granted again; the history stays.
type Role struct {
	bun.BaseModel `bun:"table:user_roles,alias:role"`

	ID         uuid.UUID  `bun:"id,pk,type:uuid"`
	UserID     uuid.UUID  `bun:"user_id,type:uuid"`
	RoleName   string     `bun:"role_name"`
	AssignedAt time.Time  `bun:"assigned_at"`
	AssignedBy string     `bun:"assigned_by"`
	IsActive   bool       `bun:"is_active"`
	RevokedAt  *time.Time `bun:"revoked_at"`
	RevokedBy  string     `bun:"revoked_by,nullzero"`
}

// What can be wrong with a role.
var (
	ErrRoleHeld    = errors.New("this person holds the role already")
	ErrRoleNotHeld = errors.New("this person does not hold the role")
)

// newRole is a role that a person gets from who acts, or groups.ErrRoleInvalid.
func newRole(ctx context.Context, userID uuid.UUID, name string, now time.Time) (*Role, error) {
	if !groups.RoleName.MatchString(name) {
		return nil, groups.ErrRoleInvalid
	}
	return &Role{
		ID: storage.NewID(), UserID: userID, RoleName: name, AssignedAt: now, AssignedBy: audit.ActorOf(ctx).Name,
		IsActive: true,
	}, nil
}

// Grant gives a person a role of their own: groups.ErrRoleInvalid, or ErrRoleHeld.
func (s Roles) Grant(ctx context.Context, userID uuid.UUID, name string) error {
	role, err := newRole(ctx, userID, name, s.Now())
	if err != nil {
		return err
	}
	err = s.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		return GrantRole(ctx, tx, role)
	})
	if storage.Violates(err, "role") {
		return ErrRoleHeld
	}
	if err != nil {
		return fmt.Errorf("grant role: %w", err)
	}
	return nil
}

// GrantRole writes a role that a person gets, as part of tx. It returns ErrRoleHeld.
func GrantRole(ctx context.Context, tx bun.Tx, role *Role) error {
	if _, err := tx.NewInsert().Model(role).Returning("NULL").Exec(ctx); err != nil {
		return err
	}
	return audit.Record(ctx, tx, role.AssignedAt, audit.Change{
		Entity: "role", EntityID: role.ID.String(), Action: "granted", UserID: role.UserID,
		New: audit.Values{"role_name": role.RoleName},
	})
}

// Revoke takes a role back, or returns ErrRoleNotHeld.
func (s Roles) Revoke(ctx context.Context, userID uuid.UUID, name string) error {
	now := s.Now()
	err := s.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		return RevokeRole(ctx, tx, now, userID, name, audit.ActorOf(ctx).Name)
	})
	if err != nil && !errors.Is(err, ErrRoleNotHeld) {
		return fmt.Errorf("revoke role: %w", err)
	}
	return err
}

// RevokeRole takes a role back, as part of tx. It returns ErrRoleNotHeld.
func RevokeRole(ctx context.Context, tx bun.Tx, now time.Time, userID uuid.UUID, name, by string) error {
	var id uuid.UUID
	err := tx.NewUpdate().Model((*Role)(nil)).
		Set("is_active = ?", false).
		Set("revoked_at = ?", now).
		Set("revoked_by = ?", by).
		Where("user_id = ? AND role_name = ? AND is_active", userID, name).Returning("id").Scan(ctx, &id)
	if errors.Is(storage.NotFound(err), storage.ErrNotFound) {
		return ErrRoleNotHeld
	} else if err != nil {
		return err
	}
	return audit.Record(ctx, tx, now, audit.Change{
		Entity: "role", EntityID: id.String(), Action: "revoked", UserID: userID, Old: audit.Values{"role_name": name},
	})
}

// List lists the roles of a person's own by name: those they hold, or with history all they ever held. Those of their
// groups are listed by groups.Store.RolesOf.
func (s Roles) List(ctx context.Context, userID uuid.UUID, history bool) ([]Role, error) {
	var roles []Role
	query := s.Database.Reader().NewSelect().Model(&roles).Where("user_id = ?", userID).Order("role_name", "assigned_at")
	if !history {
		query.Where("is_active")
	}
	if err := query.Scan(ctx); err != nil {
		return nil, fmt.Errorf("roles: %w", err)
	}
	return roles, nil
}
