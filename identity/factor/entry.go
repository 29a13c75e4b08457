package factor

import (
	"context"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

// Entry is a factor in a list of several kinds.
type Entry struct {
	ID      uuid.UUID `bun:"id,type:uuid"` // of backup codes, which are one entry, that of a code
	Kind    string    `bun:"-"`            // as the audit trail calls it
	Name    string    `bun:"name"`         // what its owner calls it; backup codes have none
	AddedAt time.Time `bun:"created_at"`

	DueAt *time.Time `bun:"removal_due_at"` // when a second factor is removed, unless it is used or kept; nil: it stays
}

// entryKind is a kind of factor, the table where it is and the columns of an Entry.
type entryKind struct {
	name, table string
	model       any
	columns     string
	counts      string // the condition of those that count
}

var (
	passkeyKind     = entryKind{"passkey", "passkeys", (*Passkey)(nil), "id, name, created_at", "TRUE"}
	hardwareKeyKind = entryKind{
		"hardware_key", "hardware_keys", (*HardwareKey)(nil), "id, name, created_at, removal_due_at", "TRUE",
	}
	totpKind = entryKind{
		"totp", "totps", (*TOTP)(nil), "id, name, created_at, removal_due_at", "confirmed_at IS NOT NULL",
	}
	backupCodesKind = entryKind{
		"backup_codes", "backup_codes", (*BackupCode)(nil), "id, '' AS name, created_at, removal_due_at", "TRUE",
	}

	// secondFactors are asked for after another way in. They stand between whoever reads somebody's mail and the account.
	secondFactors = []entryKind{hardwareKeyKind, totpKind, backupCodesKind}
)

// PasskeyEntries lists a person's passkeys, the oldest first.
func PasskeyEntries(ctx context.Context, db bun.IDB, userID uuid.UUID) ([]Entry, error) {
	return passkeyKind.list(ctx, db, func(q *bun.SelectQuery) *bun.SelectQuery { return q.Where("user_id = ?", userID) })
}

// ForeignEntries lists the factors of a person that were neither registered in a session of theirs nor are the one that
// was shown there: passkeys first, the oldest of each kind first.
func ForeignEntries(
	ctx context.Context, db bun.IDB, userID, sessionID uuid.UUID, shown uuid.NullUUID,
) ([]Entry, error) {
	var entries []Entry
	for _, kind := range append([]entryKind{passkeyKind}, secondFactors...) {
		found, err := kind.list(ctx, db, func(q *bun.SelectQuery) *bun.SelectQuery {
			return q.Where("user_id = ? AND id <> ?", userID, shown.UUID).
				Where("(session_id IS NULL OR session_id <> ?)", sessionID)
		})
		if err != nil {
			return nil, err
		}
		entries = append(entries, found...)
	}
	return entries, nil
}

// RemoveEntries removes factors of a person as part of tx: the caller holds LockWaysIn. Entries of other kinds are left
// alone.
func RemoveEntries(ctx context.Context, tx bun.Tx, now time.Time, userID uuid.UUID, entries []Entry) error {
	if len(entries) == 0 {
		return nil
	}
	for _, kind := range append([]entryKind{passkeyKind}, secondFactors...) {
		for _, entry := range entries {
			if entry.Kind != kind.name {
				continue
			}
			query := tx.NewDelete().Model(kind.model).Where("user_id = ?", userID)
			if kind.name != "backup_codes" {
				query.Where("id = ?", entry.ID)
			}
			if _, err := query.Exec(ctx); err != nil {
				return err
			}
			if err := entry.record(ctx, tx, now, userID, "removed", ""); err != nil {
				return err
			}
		}
	}
	return settleFactors(ctx, tx, userID)
}

func (k entryKind) list(
	ctx context.Context, db bun.IDB, which func(*bun.SelectQuery) *bun.SelectQuery,
) ([]Entry, error) {
	return k.read(ctx, which(db.NewSelect().Model(k.model)).ColumnExpr(k.columns).Where(k.counts).Order("created_at"))
}

// read reads the factors that a query returns.
func (k entryKind) read(ctx context.Context, query interface {
	Scan(ctx context.Context, into ...any) error
}) ([]Entry, error) {
	var found []Entry
	if err := query.Scan(ctx, &found); err != nil && storage.NotFound(err) != storage.ErrNotFound {
		return nil, err
	}
	if k.name == "backup_codes" && len(found) > 1 {
		found = found[:1]
	}
	for i := range found {
		found[i].Kind = k.name
	}
	return found, nil
}

// record writes into the audit trail what became of a factor, and why, if there is more to say.
func (e Entry) record(
	ctx context.Context, tx bun.Tx, now time.Time, userID uuid.UUID, action, reason string,
) error {
	entry := audit.Change{Entity: e.Kind, EntityID: e.ID.String(), Action: action, UserID: userID}
	if e.Name != "" {
		entry.Old = audit.Values{"name": e.Name}
	}
	if reason != "" {
		entry.New = audit.Values{"reason": reason}
	}
	return audit.Record(ctx, tx, now, entry)
}

// EntriesValue are entries as a value of a message: a line for each, with its kind and, where that is known, when it
// was added. What they are called is left out, for somebody else may have called them so.
func EntriesValue(entries []Entry) string {
	lines := make([]string, len(entries))
	for i, entry := range entries {
		lines[i] = entry.Kind
		if !entry.AddedAt.IsZero() {
			lines[i] += " " + entry.AddedAt.Format(time.RFC3339)
		}
	}
	return strings.Join(lines, "\n")
}
