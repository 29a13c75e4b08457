package factor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

// DisownedKept is how long a second factor stays that an owner disowns. Whoever has it may sign in with it meanwhile,
// or keep it.
const DisownedKept = 24 * time.Hour

// notDue is the condition of a second factor, for the time of now, that is not to be removed, or not yet. One whose
// time has come counts for nothing, though it is there until the next run of RemoveDisowned.
const notDue = "(removal_due_at IS NULL OR removal_due_at > ?)"

// Disown takes from a person what was added since then, with the proof by which they say that something was not them.
// Passkeys go at once, for they let in whoever added them and keep nobody out who reads the mail, and with them the one
// by which the disowned session came.
//
// Second factors are marked to be removed, and returned as waiting, whichever session has registered them. It may be
// the owner who has registered one on a new computer, and somebody else who reads their mail: then the link must not
// open the account, and nothing in the database tells this from a thief whose factor it is, and an owner who follows
// the link. The owner of a stolen account loses a day by it and no more: every session has ended, and without the
// password, a passkey or a linked account nobody comes as far as to be asked for the factor, but by the mail.
//
// What waits already keeps its date. removed are the numbers of what went, by table.
func Disown(
	ctx context.Context, tx bun.Tx, now, since time.Time, proof *identity.Proof,
) (removed map[string]int64, waiting []Entry, err error) {
	removed = make(map[string]int64)
	due := now.Add(DisownedKept)
	remove := func(table string, query *bun.DeleteQuery) error {
		result, err := query.Where("user_id = ?", proof.UserID).Exec(ctx)
		if err == nil {
			removed[table], err = result.RowsAffected()
		}
		return err
	}
	passkeys := tx.NewDelete().Model((*Passkey)(nil)).
		Where("(created_at >= ? OR id IN (SELECT factor_id FROM sessions WHERE id = ?))", since, proof.SessionID)
	if err := remove("passkeys", passkeys); err != nil {
		return nil, nil, err
	}
	unconfirmed := tx.NewDelete().Model((*TOTP)(nil)).Where("created_at >= ? AND confirmed_at IS NULL", since)
	if err := remove("totps", unconfirmed); err != nil {
		return nil, nil, err
	}
	for _, second := range secondFactors {
		_, err := tx.NewUpdate().Model(second.model).Set("removal_due_at = ?", due).
			Where("user_id = ? AND removal_due_at IS NULL", proof.UserID).
			Where("(created_at >= ? OR kept_at >= ?)", since, since).Exec(ctx)
		if err != nil {
			return nil, nil, err
		}
	}
	if err := settleFactors(ctx, tx, proof.UserID); err != nil { // which may take the backup codes
		return nil, nil, err
	}
	for _, second := range secondFactors {
		found, err := second.list(ctx, tx, func(q *bun.SelectQuery) *bun.SelectQuery {
			return q.Where("user_id = ? AND removal_due_at > ?", proof.UserID, now)
		})
		if err != nil {
			return nil, nil, err
		}
		waiting = append(waiting, found...)
	}
	return removed, waiting, nil
}

// Keep keeps what waits to be removed of a person's second factors: they have shown one that counts. It returns
// identity.ErrSessionEnded.
func (s *Store) Keep(ctx context.Context, by *identity.Reauthenticated) error {
	now := s.Now()
	err := s.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		if err := s.LockWaysIn(ctx, tx, by.UserID); err != nil {
			return err
		}
		if err := by.Stands(ctx, tx); err != nil {
			return err
		}
		return s.keep(ctx, tx, now, by.User, &by.ID, uuid.Nil, secondFactors...)
	})
	if err != nil && !errors.Is(err, identity.ErrSessionEnded) {
		return fmt.Errorf("keep second factors: %w", err)
	}
	return err
}

// keep calls off that second factors of a person are removed, all of some kinds, or one by its id; in is the session in
// which they want it, nil where they have shown the factor. It may be somebody else who keeps theirs: all addresses are
// told, and a link takes it back, as it takes back what was added. Where none waits it does nothing.
func (s *Store) keep(
	ctx context.Context, tx bun.Tx, now time.Time, user *identity.User, in *uuid.UUID, id uuid.UUID, kinds ...entryKind,
) error {
	var kept []Entry
	for _, kind := range kinds {
		query := tx.NewUpdate().Model(kind.model).Set("removal_due_at = NULL").Set("kept_at = ?", now).
			Where("user_id = ? AND removal_due_at > ?", user.ID, now)
		if id != uuid.Nil {
			query.Where("id = ?", id)
		}
		found, err := kind.read(ctx, query.Returning(kind.columns))
		if err != nil {
			return err
		}
		kept = append(kept, found...)
	}
	if len(kept) == 0 {
		return nil
	}
	for _, factor := range kept {
		if err := factor.record(ctx, tx, now, user.ID, "kept", ""); err != nil {
			return err
		}
	}
	actor := audit.ActorOf(ctx)
	values := identity.OriginOf(identity.Device{UserAgent: actor.UserAgent, IP: actor.IP})
	values["factors"] = EntriesValue(kept)
	return s.TellOwner(
		ctx, tx, now, user, identity.MessageFactorsKept, identity.ProofNotMe, identity.NotMeProofLifetime, in, values,
	)
}

// RemoveDisowned removes the second factors that have waited long enough and were neither used nor kept, in one
// transaction for each person, and tells them. It returns how many rows of each table went.
func (s *Store) RemoveDisowned(ctx context.Context) (map[string]int64, error) {
	now, removed := s.Now(), make(map[string]int64)
	people := make(map[uuid.UUID]bool)
	for _, second := range secondFactors {
		var due []uuid.UUID
		err := s.Database.Reader().NewSelect().Model(second.model).ColumnExpr("DISTINCT user_id").
			Where("removal_due_at <= ?", now).Limit(batchOfDisowned).Scan(ctx, &due)
		if err != nil {
			return nil, fmt.Errorf("find disowned factors: %w", err)
		}
		for _, id := range due {
			people[id] = true
		}
	}
	var faults []error
	for id := range people {
		gone, err := s.removeDueOf(ctx, now, id)
		if err != nil && !errors.Is(err, storage.ErrNotFound) { // erased meanwhile
			faults = append(faults, fmt.Errorf("remove disowned factors of %s: %w", id, err))
		}
		for _, factor := range gone {
			removed[factor.Kind]++
		}
	}
	for _, second := range secondFactors { // by table, as in the log
		if n, ok := removed[second.name]; ok {
			delete(removed, second.name)
			removed[second.table] = n
		}
	}
	return removed, errors.Join(faults...)
}

const batchOfDisowned = 1000 // people in one run; the next run is an hour later

// RemoveDue removes those second factors of one person, and tells whether there were any.
func (s *Store) RemoveDue(ctx context.Context, userID uuid.UUID) (bool, error) {
	now := s.Now()
	for _, second := range secondFactors { // asked beforehand, so that a reset does not write for nothing
		due, err := s.Database.Reader().NewSelect().Model(second.model).
			Where("user_id = ? AND removal_due_at <= ?", userID, now).Exists(ctx)
		if err != nil {
			return false, fmt.Errorf("find disowned factors: %w", err)
		}
		if !due {
			continue
		}
		removed, err := s.removeDueOf(ctx, now, userID)
		if err != nil {
			return false, fmt.Errorf("remove disowned factors: %w", err)
		}
		return len(removed) > 0, nil
	}
	return false, nil
}

func (s *Store) removeDueOf(ctx context.Context, now time.Time, userID uuid.UUID) ([]Entry, error) {
	user, err := s.Users().ByID(ctx, userID)
	if err != nil {
		return nil, err
	}
	return storage.Write(ctx, s.Database, func(ctx context.Context, tx bun.Tx) ([]Entry, error) {
		if err := s.LockWaysIn(ctx, tx, userID); err != nil {
			return nil, err
		}
		var removed []Entry
		for _, second := range secondFactors {
			gone, err := second.read(ctx, tx.NewDelete().Model(second.model).
				Where("user_id = ? AND removal_due_at <= ?", userID, now).Returning(second.columns))
			if err != nil {
				return nil, err
			}
			removed = append(removed, gone...)
		}
		if len(removed) == 0 { // used or kept meanwhile, or removed by another run
			return nil, nil
		}
		if err := settleFactors(ctx, tx, userID); err != nil {
			return nil, err
		}
		for _, factor := range removed {
			if err := factor.record(ctx, tx, now, userID, "removed", "disowned"); err != nil {
				return nil, err
			}
		}
		values := map[string]string{"factors": EntriesValue(removed)}
		return removed, s.TellOwner(ctx, tx, now, user, identity.MessageDisownedRemoved, "", 0, nil, values)
	})
}
