package factor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

// DisownedKept is how long a second factor stays that an owner disowns, but that the session which they disown has not
// registered. Its owner may sign in with it meanwhile, or keep it.
const DisownedKept = 24 * time.Hour

// Disowned is a second factor that is removed later, or was.
type Disowned struct {
	ID      uuid.UUID `bun:"id,type:uuid"` // of backup codes that of one
	Kind    string    `bun:"-"`            // as the audit trail calls it
	Name    string    `bun:"name"`         // what its owner calls it; backup codes have none
	AddedAt time.Time `bun:"created_at"`
}

// secondFactors are the tables of what is asked for after another way in, by kind. They stand between whoever reads
// somebody's mail and the account.
var secondFactors = []struct {
	kind, table string
	model       any
	columns     string // of a Disowned
}{
	{"hardware_key", "hardware_keys", (*HardwareKey)(nil), "id, name, created_at"},
	{"totp", "totps", (*TOTP)(nil), "id, name, created_at"},
	{"backup_codes", "backup_codes", (*BackupCode)(nil), "id, '' AS name, created_at"},
}

// Disown takes from a person what was added since they were sent the link with that proof, by which they say that
// something was not them. Passkeys go at once, for they let in whoever added them and keep nobody out who reads the
// mail; so do second factors that the disowned session has registered. Other second factors may be the owner's own, and
// then the link must not open the account to whoever reads their mail: those are marked to be removed, and returned as
// waiting. removed are the numbers of what went, by table.
func Disown(
	ctx context.Context, tx bun.Tx, now time.Time, proof *identity.Proof,
) (removed map[string]int64, waiting []Disowned, err error) {
	removed = make(map[string]int64)
	due := now.Add(DisownedKept)
	remove := func(table string, query *bun.DeleteQuery) error {
		result, err := query.Where("user_id = ? AND created_at >= ?", proof.UserID, proof.CreatedAt).Exec(ctx)
		if err == nil {
			removed[table], err = result.RowsAffected()
		}
		return err
	}
	if err := remove("passkeys", tx.NewDelete().Model((*Passkey)(nil))); err != nil {
		return nil, nil, err
	}
	for _, second := range secondFactors {
		theirs := tx.NewDelete().Model(second.model)
		if second.kind == "totp" {
			theirs.Where("(session_id = ? OR confirmed_at IS NULL)", proof.SessionID)
		} else {
			theirs.Where("session_id = ?", proof.SessionID)
		}
		if err := remove(second.table, theirs); err != nil {
			return nil, nil, err
		}
		_, err := tx.NewUpdate().Model(second.model).Set("removal_due_at = ?", due).
			Where("user_id = ? AND created_at >= ? AND removal_due_at IS NULL", proof.UserID, proof.CreatedAt).Exec(ctx)
		if err != nil {
			return nil, nil, err
		}
	}
	if err := settleFactors(ctx, tx, proof.UserID); err != nil { // which may take the backup codes
		return nil, nil, err
	}
	for _, second := range secondFactors {
		found, err := disowned(ctx, second.kind, tx.NewSelect().Model(second.model).ColumnExpr(second.columns).
			Where("user_id = ? AND removal_due_at = ?", proof.UserID, due).Order("created_at"))
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
		for _, second := range secondFactors {
			kept, err := disowned(ctx, second.kind, tx.NewUpdate().Model(second.model).Set("removal_due_at = NULL").
				Where("user_id = ? AND removal_due_at IS NOT NULL", by.UserID).Returning(second.columns))
			if err != nil {
				return err
			}
			for _, factor := range kept {
				if err := factor.record(ctx, tx, now, by.UserID, "kept"); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil && !errors.Is(err, identity.ErrSessionEnded) {
		return fmt.Errorf("keep second factors: %w", err)
	}
	return err
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
		gone, err := s.removeDisownedOf(ctx, now, id)
		if err != nil && !errors.Is(err, storage.ErrNotFound) { // erased meanwhile
			faults = append(faults, fmt.Errorf("remove disowned factors of %s: %w", id, err))
		}
		for _, factor := range gone {
			removed[factor.Kind]++
		}
	}
	for _, second := range secondFactors { // by table, as in the log
		if n, ok := removed[second.kind]; ok {
			delete(removed, second.kind)
			removed[second.table] = n
		}
	}
	return removed, errors.Join(faults...)
}

const batchOfDisowned = 1000 // people in one run; the next run is an hour later

func (s *Store) removeDisownedOf(ctx context.Context, now time.Time, userID uuid.UUID) ([]Disowned, error) {
	user, err := s.Users().ByID(ctx, userID)
	if err != nil {
		return nil, err
	}
	return storage.Write(ctx, s.Database, func(ctx context.Context, tx bun.Tx) ([]Disowned, error) {
		if err := s.LockWaysIn(ctx, tx, userID); err != nil {
			return nil, err
		}
		var removed []Disowned
		for _, second := range secondFactors {
			gone, err := disowned(ctx, second.kind, tx.NewDelete().Model(second.model).
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
			if err := factor.record(ctx, tx, now, userID, "removed"); err != nil {
				return nil, err
			}
		}
		values := map[string]string{"factors": FactorsValue(removed)}
		return removed, s.TellOwner(ctx, tx, now, user, identity.MessageDisownedRemoved, "", 0, nil, values)
	})
}

// record writes into the audit trail what became of a factor that waited to be removed.
func (d Disowned) record(ctx context.Context, tx bun.Tx, now time.Time, userID uuid.UUID, action string) error {
	entry := audit.Change{
		Entity: d.Kind, EntityID: d.ID.String(), Action: action, UserID: userID, New: audit.Values{"reason": "disowned"},
	}
	if d.Name != "" {
		entry.Old = audit.Values{"name": d.Name}
	}
	return audit.Record(ctx, tx, now, entry)
}

// FactorsValue are factors as a value of a message: a line for each, with its kind and when it was added. What they are
// called is left out, for somebody else may have called them so.
func FactorsValue(factors []Disowned) string {
	lines := make([]string, len(factors))
	for i, factor := range factors {
		lines[i] = factor.Kind + " " + factor.AddedAt.Format(time.RFC3339)
	}
	return strings.Join(lines, "\n")
}

// disowned reads the factors of one kind that a query returns; backup codes are one.
func disowned(ctx context.Context, kind string, query interface {
	Scan(ctx context.Context, into ...any) error
}) ([]Disowned, error) {
	var found []Disowned
	if err := query.Scan(ctx, &found); err != nil && storage.NotFound(err) != storage.ErrNotFound {
		return nil, err
	}
	if kind == "backup_codes" && len(found) > 1 {
		found = found[:1]
	}
	for i := range found {
		found[i].Kind = kind
	}
	return found, nil
}
