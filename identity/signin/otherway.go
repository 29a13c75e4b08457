package signin

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/factor"
)

// OtherWay is what signs a person in without their password: a passkey, or an account at a provider. Whoever proves
// anew that an account is theirs, by mail, is shown them all, for somebody else may have added one.
type OtherWay struct {
	ID       uuid.UUID
	Provider string // its id; "" for a passkey
	Name     string // what its owner calls it
	AddedAt  time.Time
}

// otherWays lists those of a person, passkeys first, the oldest of each kind first.
func otherWays(ctx context.Context, s *Store, userID uuid.UUID) ([]OtherWay, error) {
	passkeys, err := s.Factors.Passkeys().List(ctx, userID)
	if err != nil {
		return nil, err
	}
	accounts, err := s.ExternalAccounts().List(ctx, userID)
	if err != nil {
		return nil, err
	}
	var ways []OtherWay
	for _, passkey := range passkeys {
		ways = append(ways, OtherWay{ID: passkey.ID, Name: passkey.Name, AddedAt: passkey.CreatedAt})
	}
	for _, account := range accounts {
		ways = append(ways, OtherWay{
			ID: account.ID, Provider: account.Provider, Name: account.Label, AddedAt: account.CreatedAt,
		})
	}
	return ways, nil
}

// removeWays takes ways in from a person, with the sessions that came by them but for the one to keep: those that
// doomed names, by what is there in the transaction. The caller holds LockWaysIn.
func removeWays(
	ctx context.Context, tx bun.Tx, now time.Time, userID, keep uuid.UUID, doomed func(id uuid.UUID) bool,
) error {
	var accounts []uuid.UUID
	err := tx.NewSelect().Model((*identity.ExternalAccount)(nil)).
		Column("id").
		Where("user_id = ?", userID).Scan(ctx, &accounts)
	if err != nil {
		return err
	}
	for _, id := range accounts {
		if doomed(id) {
			if err := identity.Detach(ctx, tx, now, userID, id, keep); err != nil {
				return err
			}
		}
	}
	return factor.RemovePasskeys(ctx, tx, now, userID, doomed)
}

func oneOf(ids []uuid.UUID) func(uuid.UUID) bool {
	return func(id uuid.UUID) bool { return slices.Contains(ids, id) }
}

func noneOf(ids []uuid.UUID) func(uuid.UUID) bool {
	return func(id uuid.UUID) bool { return !slices.Contains(ids, id) }
}
