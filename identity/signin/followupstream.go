package signin

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/groups"
	"github.com/wicket-id/wicket/storage"
)

// followUpstream makes a person's groups and roles what their provider says, as far as they are its to give: a role is
// taken back only if the same provider gave it, and never one that an operator granted.
func followUpstream(
	ctx context.Context, tx bun.Tx, now time.Time, userID uuid.UUID, external identity.External,
) error {
	err := groups.Sync(ctx, tx, now, userID, groups.SourceOf(external.Provider), external.Groups)
	if err != nil {
		return err
	}
	if len(external.Roles) == 0 {
		return nil
	}
	by := groups.SourceOf(external.Provider)
	var held []identity.Role
	if err := tx.NewSelect().Model(&held).Where("user_id = ? AND is_active", userID).Scan(ctx); err != nil {
		return err
	}
	for name, deserved := range external.Roles {
		at := slices.IndexFunc(held, func(r identity.Role) bool { return r.RoleName == name })
		var err error
		switch {
		case deserved && at < 0:
			err = identity.GrantRole(ctx, tx, &identity.Role{
				ID: storage.NewID(), UserID: userID, RoleName: name, AssignedAt: now, AssignedBy: by, IsActive: true,
			})
		case !deserved && at >= 0 && held[at].AssignedBy == by:
			err = identity.RevokeRole(ctx, tx, now, userID, name, by)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
