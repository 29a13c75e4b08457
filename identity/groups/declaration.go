package groups

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity/declared"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

// Declaration is a group as a configuration file wants it to be. Who is in it is not for a file to say.
type Declaration struct {
	Slug  string
	Name  string   // left out: the slug
	Roles []string // that everybody in it holds
}

// Check says what is wrong with a declaration, and fills in what it leaves out. It returns ErrSlugInvalid,
// ErrNameInvalid or ErrRoleInvalid.
func (d *Declaration) Check() error {
	if d.Name = strings.TrimSpace(d.Name); d.Name == "" {
		d.Name = d.Slug
	}
	if err := errors.Join(CheckSlug(d.Slug), checkName(d.Name)); err != nil {
		return err
	}
	for _, role := range d.Roles {
		if !RoleName.MatchString(role) {
			return ErrRoleInvalid
		}
	}
	d.Roles = slices.Compact(slices.Sorted(slices.Values(d.Roles)))
	return nil
}

// Declare makes a group as a file declares it, as part of tx: it is made where it is missing, and what differs is
// changed. The declaration was checked; source is what the file calls itself. It returns declared.ErrDeclared where
// another file declares the group.
func Declare(ctx context.Context, tx bun.Tx, now time.Time, source string, d Declaration) error {
	group, err := find(ctx, tx, d.Slug)
	if errors.Is(err, storage.ErrNotFound) {
		if group, err = newGroup(ctx, d.Slug, d.Name, SourceDeclared, now); err != nil {
			return err
		}
		group.DeclaredBy = source
		if _, err := tx.NewInsert().Model(group).Returning("NULL").Exec(ctx); err != nil {
			return err
		}
		if err := recordCreated(ctx, tx, now, group); err != nil {
			return err
		}
	} else if err != nil {
		return err
	} else if err := adopt(ctx, tx, now, source, d.Name, group); err != nil {
		return err
	}
	return syncRoles(ctx, tx, now, group, d.Roles)
}

// adopt makes a group that there is already be declared by a file, and have that name.
func adopt(ctx context.Context, tx bun.Tx, now time.Time, source, name string, group *Group) error {
	if group.DeclaredBy != source {
		if err := declared.Check(group.DeclaredBy); err != nil {
			return err
		}
	}
	was, shall := audit.Values{}, audit.Values{}
	if group.Name != name {
		was["name"], shall["name"] = group.Name, name
	}
	if group.DeclaredBy != source {
		was["declared_by"], shall["declared_by"] = group.DeclaredBy, source
	}
	if len(shall) == 0 {
		return nil
	}
	if err := storage.OneRow(tx.NewUpdate().Model(group).
		Set("name = ?", name).Set("declared_by = ?", source).
		Set("modified_at = ?", now).Set("modified_by = ?", audit.ActorOf(ctx).Name).
		WherePK().Exec(ctx)); err != nil {
		return err
	}
	return audit.Record(ctx, tx, now, audit.Change{
		Entity: "group", EntityID: group.ID.String(), Action: "changed", Old: was, New: shall,
	})
}

// syncRoles makes the roles of a group those of a list.
func syncRoles(ctx context.Context, tx bun.Tx, now time.Time, group *Group, roles []string) error {
	var held []string
	if err := tx.NewSelect().Model((*Role)(nil)).Column("role_name").Where("group_id = ?", group.ID).
		Order("role_name").Scan(ctx, &held); err != nil {
		return err
	}
	for _, role := range held {
		if !slices.Contains(roles, role) {
			if err := revokeRole(ctx, tx, now, group, role); err != nil {
				return err
			}
		}
	}
	for _, role := range roles {
		if !slices.Contains(held, role) {
			if err := grantRole(ctx, tx, now, group, role); err != nil {
				return err
			}
		}
	}
	return nil
}

// Row is a group as package declared knows it. It returns storage.ErrNotFound.
func Row(ctx context.Context, db bun.IDB, slug string) (declared.Row, error) {
	group, err := find(ctx, db, slug)
	if err != nil {
		return declared.Row{}, fmt.Errorf("group %q: %w", slug, err)
	}
	return declared.Row{
		Table: "groups", Key: "slug", ID: slug, Entity: "group", EntityID: group.ID.String(),
	}, nil
}

// RemoveDeclared removes a group that a file declares no more, as part of tx, as Delete does.
func RemoveDeclared(ctx context.Context, tx bun.Tx, now time.Time, source, slug string) error {
	group, err := find(ctx, tx, slug)
	if err != nil {
		return err
	}
	if group.DeclaredBy != source {
		return storage.ErrNotFound
	}
	if err := freeOfDeclaredApps(ctx, tx, group, source); err != nil {
		return fmt.Errorf("group %q is for an app of another file: %w", slug, err)
	}
	return remove(ctx, tx, now, group)
}
