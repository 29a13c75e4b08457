package transfer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/signin"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

// ErasureGrace is how long a person who asked to be erased may undo it, by signing in.
const ErasureGrace = 14 * 24 * time.Hour

// RequestErasure schedules that everything about the person who asks for it is deleted, and signs them out
// everywhere. Until then signing in undoes it. It returns when it will be, or the error of a demand.
func (s *Store) RequestErasure(
	ctx context.Context, by *identity.Reauthenticated, demands ...identity.Demand,
) (time.Time, error) {
	now, userID := s.Now(), by.UserID
	due := now.Add(ErasureGrace)
	err := s.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		if err := by.Stands(ctx, tx); err != nil {
			return err
		}
		for _, demand := range demands {
			if err := demand(ctx, tx); err != nil {
				return err
			}
		}
		user := new(identity.User)
		err := tx.NewUpdate().Model(user).Set("erase_at = ?", due).Where("id = ?", userID).Returning("*").Scan(ctx)
		if err != nil {
			return storage.NotFound(err)
		}
		err = audit.Record(ctx, tx, now, audit.Change{
			Entity: "user", EntityID: userID.String(), Action: "erasure_requested", UserID: userID,
			New: audit.Values{"erase_at": due},
		})
		if err != nil {
			return err
		}
		if err := s.TellOwner(
			ctx, tx, now, user, identity.MessageErasure, "", 0, nil, map[string]string{"date": due.Format(time.RFC3339)},
		); err != nil {
			return err
		}
		_, err = s.Sessions().RaiseVersion(ctx, tx, now, userID, identity.EndedByGlobal)
		return err
	})
	if err != nil {
		return time.Time{}, fmt.Errorf("request erasure: %w", err)
	}
	return due, nil
}

// Erase deletes the people whose grace is over, one transaction each, and returns how many. What belongs to a person
// goes with them; the audit trail keeps its lines without saying whose they were, and one more that says that somebody
// was erased.
func (s *Store) Erase(ctx context.Context) (int64, error) {
	now := s.Now()
	var due []uuid.UUID
	err := s.Database.Reader().NewSelect().Model((*identity.User)(nil)).
		Column("id").
		Where("erase_at <= ?", now).
		Limit(batchErased).Scan(ctx, &due)
	if err != nil {
		return 0, fmt.Errorf("find who is to be erased: %w", err)
	}
	var erased int64
	var faults []error
	for _, id := range due {
		err := storage.WriteMuch(ctx, s.Database, func(ctx context.Context, tx bun.Tx) error {
			// who signed in just now: everything stays
			return s.erase(ctx, tx, now, id, func(q *bun.DeleteQuery) *bun.DeleteQuery { return q.Where("erase_at <= ?", now) })
		})
		switch {
		case err == nil:
			erased++
		case !errors.Is(err, storage.ErrNotFound):
			faults = append(faults, fmt.Errorf("erase %s: %w", id, err))
		}
	}
	return erased, errors.Join(faults...)
}

// EraseNow deletes everything about a person at once, as an operator wishes. Their account is switched off first, so
// that apps are told that their sessions end, and none begins meanwhile. It returns storage.ErrNotFound where there is
// nobody, or the error of a demand, and then nothing has changed.
func (s *Store) EraseNow(ctx context.Context, userID uuid.UUID, demands ...identity.Demand) error {
	if err := s.Users().SetActive(ctx, userID, false, demands...); err != nil {
		return err
	}
	now := s.Now()
	err := storage.WriteMuch(ctx, s.Database, func(ctx context.Context, tx bun.Tx) error {
		return s.erase(ctx, tx, now, userID, func(q *bun.DeleteQuery) *bun.DeleteQuery { return q })
	})
	if err != nil {
		return fmt.Errorf("erase %s: %w", userID, err)
	}
	return nil
}

// erase deletes a person whom which selects, or returns storage.ErrNotFound.
func (s *Store) erase(
	ctx context.Context, tx bun.Tx, now time.Time, id uuid.UUID, which func(*bun.DeleteQuery) *bun.DeleteQuery,
) error {
	// The names that were typed are theirs too.
	if _, err := tx.NewDelete().Model((*signin.LoginAttempt)(nil)).Where("user_id = ?", id).Exec(ctx); err != nil {
		return err
	}
	err := storage.OneRow(which(tx.NewDelete().Model((*identity.User)(nil)).Where("id = ?", id)).Exec(ctx))
	if err != nil {
		return err
	}
	return audit.Record(ctx, tx, now, audit.Change{Entity: "user", EntityID: id.String(), Action: "erased"})
}

const batchErased = 1000 // people in one run; the next run is an hour later
