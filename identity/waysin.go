package identity

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity/refusal"
)

// ErrLastWayIn says that who takes away that way in would have none left.
var ErrLastWayIn = refusal.New("linked.last", "this is the last way in")

// FailureWindow is how long a wrong password, passkey or code counts for those that follow it.
const FailureWindow = 10 * time.Minute

// ErrTooManyAttempts says that there were too many failures in FailureWindow.
var ErrTooManyAttempts = refusal.New("signin.attempts_limit", "too many failed sign-ins")

// otherWayIn tells whether a person can sign in without that account of elsewhere.
func otherWayIn(ctx context.Context, tx bun.Tx, userID, without uuid.UUID, providers []string) (bool, error) {
	exists, err := OwnWayIn(ctx, tx, userID)
	if err != nil || exists || len(providers) == 0 {
		return exists, err
	}
	return tx.NewSelect().Model((*ExternalAccount)(nil)).
		Where("user_id = ? AND id <> ? AND provider IN (?)", userID, without, bun.List(providers)).
		Exists(ctx)
}

// LockWaysIn lets one transaction at a time add, use or take away ways into an account besides the password: the rules
// look at several rows. Rows are locked after it, in the order of users, proofs, sessions.
func (s *Store) LockWaysIn(ctx context.Context, tx bun.Tx, userID uuid.UUID) error {
	return s.Database.Lock(ctx, tx, "ways into "+userID.String())
}

// LockContacts lets one transaction at a time change the addresses and phones of a person: the rules look at several
// rows. Where both are needed, LockWaysIn comes first; rows are locked after either.
func (s *Store) LockContacts(ctx context.Context, tx bun.Tx, userID uuid.UUID) error {
	return s.Database.Lock(ctx, tx, "contact "+userID.String())
}

// OwnWayIn tells whether a person can sign in with what Wicket itself keeps: a password or a passkey.
func OwnWayIn(ctx context.Context, tx bun.Tx, userID uuid.UUID) (bool, error) {
	return tx.NewSelect().Model((*User)(nil)).Where("id = ?", userID).
		Where("(password_hash IS NOT NULL OR EXISTS (SELECT 1 FROM passkeys WHERE user_id = ?))", userID).Exists(ctx)
}
