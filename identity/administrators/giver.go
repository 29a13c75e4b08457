package administrators

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/storage"
)

// Gives tells whether who holds these roles may give one: owners give any, administrators those below their own.
func Gives(held []string, role string) bool {
	return slices.Contains(held, Owner) ||
		slices.Contains(held, Administrator) && slices.Index(Names, role) > slices.Index(Names, Administrator)
}

// StillGives tells whether who gave a role by something that lasts, a key or an invitation, could give it now: what
// they made is good no longer than that. giver is their name in the audit trail; operators, who have the server's own
// machine, always could.
func StillGives(ctx context.Context, db bun.IDB, now time.Time, giver, role string) (bool, error) {
	gives, err := stillGives(ctx, db, now, giver, role)
	if err != nil {
		return false, fmt.Errorf("whether %s still gives %s: %w", giver, role, err)
	}
	return gives, nil
}

func stillGives(ctx context.Context, db bun.IDB, now time.Time, giver, role string) (bool, error) {
	kind, name, _ := strings.Cut(giver, ":")
	id, err := uuid.Parse(name)
	switch {
	case kind == "client":
		held, err := roles(ctx, db, now, Client(name))
		return Gives(held, role), err
	case kind != "user" && kind != "api-key":
		return true, nil
	case err != nil:
		return false, nil
	case kind == "user":
		active, err := db.NewSelect().Table("users").Where("id = ? AND is_active", id).Exists(ctx)
		if err != nil || !active {
			return false, err
		}
		held, err := roles(ctx, db, now, Person(id))
		return Gives(held, role), err
	}
	var maker string
	err = db.NewSelect().Table("api_keys").Column("created_by").
		Where("id = ? AND revoked_at IS NULL AND expires_at > ?", id, now).Scan(ctx, &maker)
	if errors.Is(storage.NotFound(err), storage.ErrNotFound) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	held, err := roles(ctx, db, now, Key(id))
	if err != nil || !Gives(held, role) {
		return false, err
	}
	for _, own := range held { // a key is good as long as who made it could make it
		if gives, err := stillGives(ctx, db, now, maker, own); err != nil || !gives {
			return false, err
		}
	}
	return true, nil
}

// roles are those that a holder holds at a time.
func roles(ctx context.Context, db bun.IDB, now time.Time, holder Holder) (held []string, err error) {
	err = db.NewSelect().Model((*Role)(nil)).Column("role").
		Where("revoked_at IS NULL AND (ends_at IS NULL OR ends_at > ?)", now).
		ApplyQueryBuilder(holder.where).Scan(ctx, &held)
	return held, err
}
