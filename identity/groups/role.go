package groups

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity/declared"
	"github.com/wicket-id/wicket/identity/refusal"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

// Role is a role that everybody in a group holds.
type Role struct {
	bun.BaseModel `bun:"table:group_roles,alias:role"`

	GroupID   uuid.UUID `bun:"group_id,pk,type:uuid"`
	RoleName  string    `bun:"role_name,pk"`
	GrantedAt time.Time `bun:"granted_at"`
	GrantedBy string    `bun:"granted_by"`

	Group *Group `bun:"rel:belongs-to,join:group_id=id"`
}

// What can be wrong with a role.
var (
	ErrRoleInvalid = refusal.New("role.invalid", "a role name has 1 to 100 letters, digits or . _ : / -")
	ErrRoleHeld    = errors.New("the group has the role already")
	ErrRoleNotHeld = errors.New("the group does not have the role")
)

// RoleName is the form of the name of a role, be it a person's or a group's.
var RoleName = regexp.MustCompile(`^[A-Za-z0-9._:/-]{1,100}$`)

// HeldRoles selects, as role_name, the roles that a person holds, each once: their own, and those of their groups. It
// has a place for the column of the person's id twice.
const HeldRoles = `SELECT role_name FROM user_roles WHERE user_id = ? AND is_active
	UNION SELECT group_roles.role_name FROM group_members
	JOIN group_roles ON group_roles.group_id = group_members.group_id
	WHERE group_members.user_id = ? AND group_members.is_active`

// GrantRole gives a role to a group, and so to everybody in it. It returns ErrRoleInvalid, storage.ErrNotFound,
// ErrRoleHeld or declared.ErrDeclared.
func (s Store) GrantRole(ctx context.Context, slug, name string) error {
	if !RoleName.MatchString(name) {
		return ErrRoleInvalid
	}
	now := s.Now()
	err := s.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		group, err := find(ctx, tx, slug)
		if err == nil {
			err = declared.Check(group.DeclaredBy)
		}
		if err != nil {
			return err
		}
		return grantRole(ctx, tx, now, group, name)
	})
	if storage.Violates(err, "group_roles") {
		return ErrRoleHeld
	} else if err != nil {
		return fmt.Errorf("grant role to group: %w", err)
	}
	return nil
}

func grantRole(ctx context.Context, tx bun.Tx, now time.Time, group *Group, name string) error {
	role := &Role{GroupID: group.ID, RoleName: name, GrantedAt: now, GrantedBy: audit.ActorOf(ctx).Name}
	if _, err := tx.NewInsert().Model(role).Returning("NULL").Exec(ctx); err != nil {
		return err
	}
	return audit.Record(ctx, tx, now, audit.Change{
		Entity: "group_role", EntityID: group.ID.String(), Action: "granted",
		New: audit.Values{"group": group.Slug, "role_name": name},
	})
}

// RevokeRole takes a role back from a group: who does not hold it otherwise holds it no more. It returns
// storage.ErrNotFound where there is no such group, ErrRoleNotHeld or declared.ErrDeclared.
func (s Store) RevokeRole(ctx context.Context, slug, name string) error {
	now := s.Now()
	err := s.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		group, err := find(ctx, tx, slug)
		if err == nil {
			err = declared.Check(group.DeclaredBy)
		}
		if err != nil {
			return err
		}
		return revokeRole(ctx, tx, now, group, name)
	})
	if err != nil && !errors.Is(err, ErrRoleNotHeld) {
		return fmt.Errorf("revoke role of group: %w", err)
	}
	return err
}

func revokeRole(ctx context.Context, tx bun.Tx, now time.Time, group *Group, name string) error {
	err := storage.OneRow(tx.NewDelete().Model((*Role)(nil)).
		Where("group_id = ? AND role_name = ?", group.ID, name).Exec(ctx))
	if errors.Is(err, storage.ErrNotFound) {
		return ErrRoleNotHeld
	} else if err != nil {
		return err
	}
	return audit.Record(ctx, tx, now, audit.Change{
		Entity: "group_role", EntityID: group.ID.String(), Action: "revoked",
		Old: audit.Values{"group": group.Slug, "role_name": name},
	})
}

// Roles lists the roles of a group by name.
func (s Store) Roles(ctx context.Context, groupID uuid.UUID) ([]Role, error) {
	return s.roles(ctx, func(q *bun.SelectQuery) *bun.SelectQuery { return q.Where("role.group_id = ?", groupID) })
}

// RolesOf lists the roles that a person holds by their groups, with those: a role once for each group that has it.
func (s Store) RolesOf(ctx context.Context, userID uuid.UUID) ([]Role, error) {
	return s.roles(ctx, func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where("role.group_id IN (SELECT group_id FROM group_members WHERE user_id = ? AND is_active)", userID)
	})
}

func (s Store) roles(
	ctx context.Context, which func(*bun.SelectQuery) *bun.SelectQuery,
) ([]Role, error) {
	var roles []Role
	query := s.Database.Reader().NewSelect().Model(&roles).Relation("Group").Order("role.role_name", "group.slug")
	if err := which(query).Scan(ctx); err != nil {
		return nil, fmt.Errorf("roles of groups: %w", err)
	}
	return roles, nil
}
