package people

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/manage"
)

// Role is a role of a person, of which apps are told.
type Role struct {
	Role       string     `json:"role"`
	IsActive   bool       `json:"is_active"`
	AssignedAt time.Time  `json:"assigned_at"`
	AssignedBy string     `json:"assigned_by"`
	RevokedAt  *time.Time `json:"revoked_at"`
	RevokedBy  string     `json:"revoked_by,omitempty"`
	Group      string     `json:"group,omitempty" doc:"The group by which they hold it, if it is not their own."`
}

// Roles lists a person's roles, their own by name and then those of their groups; with history also those that were
// taken back. It returns a
// *manage.ForbiddenError or storage.ErrNotFound.
func (s *Store) Roles(ctx context.Context, by manage.Caller, userID uuid.UUID, history bool) ([]Role, error) {
	if err := s.demandToRead(ctx, by, userID); err != nil {
		return nil, err
	}
	held, err := s.SignIns.Roles().List(ctx, userID, history)
	if err != nil {
		return nil, err
	}
	byGroups, err := s.SignIns.Groups().RolesOf(ctx, userID)
	if err != nil {
		return nil, err
	}
	views := make([]Role, 0, len(held)+len(byGroups))
	for _, role := range held {
		views = append(views, Role{
			role.RoleName, role.IsActive, role.AssignedAt, role.AssignedBy, role.RevokedAt, role.RevokedBy, "",
		})
	}
	for _, role := range byGroups {
		views = append(views, Role{
			Role: role.RoleName, IsActive: true, AssignedAt: role.GrantedAt, AssignedBy: role.GrantedBy, Group: role.Group.Slug,
		})
	}
	return views, nil
}

// GrantRole sees to it that a person holds a role. It returns a *manage.ForbiddenError, storage.ErrNotFound or
// groups.ErrRoleInvalid.
func (s *Store) GrantRole(ctx context.Context, by manage.Caller, userID uuid.UUID, name string) error {
	if err := s.demandToChange(ctx, by, userID); err != nil {
		return err
	}
	if err := s.SignIns.Roles().Grant(ctx, userID, name); !errors.Is(err, identity.ErrRoleHeld) {
		return err
	}
	return nil
}

// RevokeRole takes a role back. It returns a *manage.ForbiddenError, storage.ErrNotFound, or identity.ErrRoleNotHeld.
func (s *Store) RevokeRole(ctx context.Context, by manage.Caller, userID uuid.UUID, name string) error {
	if err := s.demandToChange(ctx, by, userID); err != nil {
		return err
	}
	return s.SignIns.Roles().Revoke(ctx, userID, name)
}

// demandToChange returns an error where the caller may not change a person, or there is none.
func (s *Store) demandToChange(ctx context.Context, by manage.Caller, userID uuid.UUID) error {
	if err := s.demandOver(ctx, by, manage.WriteUsers, userID); err != nil {
		return err
	}
	_, err := s.SignIns.Users().ByID(ctx, userID)
	return err
}
