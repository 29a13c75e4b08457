package signin

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/storage/audit"
)

// undoErasure takes back a person's request to be erased, where there is one, as part of tx: who signs in or chooses
// another password wants the account. It is recorded, and the owner is told, for it may be somebody else who has come.
func (s *Store) undoErasure(
	ctx context.Context, tx bun.Tx, now time.Time, user *identity.User, device identity.Device,
) error {
	result, err := tx.NewUpdate().Model((*identity.User)(nil)).
		Set("erase_at = NULL").
		Where("id = ? AND erase_at IS NOT NULL", user.ID).Exec(ctx)
	if err != nil {
		return err
	}
	if undone, err := result.RowsAffected(); err != nil || undone == 0 {
		return err
	}
	if err := audit.Record(ctx, tx, now, audit.Change{
		Entity: "user", EntityID: user.ID.String(), Action: "erasure_cancelled", UserID: user.ID,
		Old: audit.Values{"erase_at": user.EraseAt},
	}); err != nil {
		return err
	}
	return s.TellOwner(
		ctx, tx, now, user, identity.MessageErasureCancelled, identity.ProofNotMe, identity.NotMeProofLifetime, nil,
		identity.OriginOf(device),
	)
}
