package audit

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/schema"

	"github.com/wicket-id/wicket/storage"
)

// Entry is one line of the audit trail: what changed, from what to what, and who did it. Values never
// hold a secret, not even its hash.
type Entry struct {
	bun.BaseModel `bun:"table:audit_trail,alias:entry"`

	ID        int64           `bun:"id,pk,autoincrement"`
	At        time.Time       `bun:"at"`
	Entity    string          `bun:"entity"`    // what kind of thing: "user", "session", "client"
	EntityID  string          `bun:"entity_id"` // which one
	Action    string          `bun:"action"`    // a verb in the past: "created", "ended", "refused"
	OldValues json.RawMessage `bun:"old_values,type:jsonb,nullzero"`
	NewValues json.RawMessage `bun:"new_values,type:jsonb,nullzero"`
	UserID    uuid.NullUUID   `bun:"user_id,type:uuid"` // whose account it is about; empty once that person is erased
	Actor     string          `bun:"actor"`
	Via       string          `bun:"via"`
	IP        string          `bun:"ip"`
	UserAgent string          `bun:"user_agent"`
	SessionID string          `bun:"session_id"`
	RequestID string          `bun:"request_id"`
}

// Values are old or new values of an entry, by column.
type Values map[string]any

// Change describes what a verb did.
type Change struct {
	Entity   string
	EntityID string
	Action   string
	UserID   uuid.UUID // the person concerned, or uuid.Nil
	Old, New Values
}

// Record writes change into the audit trail as part of tx, at its end: no record, no change. Who did it comes from ctx.
func Record(ctx context.Context, tx bun.Tx, at time.Time, change Change) error {
	statement, err := RecordStatement(ctx, tx, at, change)
	if err != nil {
		return err
	}
	if err := storage.Later(ctx, tx, statement); err != nil {
		return fmt.Errorf("record in the audit trail: %w", err)
	}
	return nil
}

// linesAtOnce is how many lines one statement writes: as many as can be prepared.
const linesAtOnce = 40

// RecordAll is Record for changes that may be many.
func RecordAll(ctx context.Context, tx bun.Tx, at time.Time, changes []Change) error {
	for batch := range slices.Chunk(changes, linesAtOnce) {
		statement, err := RecordStatement(ctx, tx, at, batch...)
		if err != nil {
			return err
		}
		if err := storage.Later(ctx, tx, statement); err != nil {
			return fmt.Errorf("record in the audit trail: %w", err)
		}
	}
	return nil
}

// RecordStatement is Record's statement, to be run by storage's Append or Claim with others. The lines of several
// changes are in the order of these, which they would not be in statements of their own.
func RecordStatement(ctx context.Context, tx bun.IDB, at time.Time, changes ...Change) (schema.QueryAppender, error) {
	entries := make([]*Entry, len(changes))
	for i, change := range changes {
		entry, err := newEntry(ctx, at, change)
		if err != nil {
			return nil, err
		}
		entries[i] = entry
	}
	if watched, ok := ctx.Value(watchKey{}).(*[]Change); ok {
		*watched = append(*watched, changes...)
	}
	return recording{tx.NewInsert().Model(&entries).ExcludeColumn("id"), len(entries)}, nil
}

// Watch returns a context and what was recorded in it until then. Call it within the transaction: one that runs again
// begins anew.
func Watch(ctx context.Context) (watching context.Context, recorded func() []Change) {
	changes := new([]Change)
	return context.WithValue(ctx, watchKey{}, changes), func() []Change { return *changes }
}

type watchKey struct{}

func newEntry(ctx context.Context, at time.Time, change Change) (*Entry, error) {
	actor := ActorOf(ctx)
	entry := &Entry{
		At: at, Entity: change.Entity, EntityID: change.EntityID, Action: change.Action,
		UserID: uuid.NullUUID{UUID: change.UserID, Valid: change.UserID != uuid.Nil},
		Actor:  actor.Name, Via: actor.Via, IP: actor.IP, UserAgent: actor.UserAgent, SessionID: actor.SessionID, RequestID: actor.RequestID,
	}
	for _, side := range []struct {
		from Values
		to   *json.RawMessage
	}{{change.Old, &entry.OldValues}, {change.New, &entry.NewValues}} {
		if side.from == nil {
			continue
		}
		encoded, err := json.Marshal(side.from)
		if err != nil {
			return nil, fmt.Errorf("record in the audit trail: %w", err)
		}
		*side.to = encoded
	}
	return entry, nil
}

// Filter chooses lines of the audit trail; what is zero does not matter.
type Filter struct {
	UserID       uuid.UUID
	Entity       string
	Action       string
	Since, Until time.Time
	Limit        int
}

// Entries lists lines of the audit trail, the newest first.
func Entries(ctx context.Context, d *storage.Database, filter Filter) ([]Entry, error) {
	var entries []Entry
	query := d.Late().NewSelect().Model(&entries).Order("at DESC", "id DESC").Limit(int64(filter.Limit))
	if filter.UserID != uuid.Nil {
		query.Where("user_id = ?", filter.UserID)
	}
	if filter.Entity != "" {
		query.Where("entity = ?", filter.Entity)
	}
	if filter.Action != "" {
		query.Where("action = ?", filter.Action)
	}
	if !filter.Since.IsZero() {
		query.Where("at >= ?", filter.Since)
	}
	if !filter.Until.IsZero() {
		query.Where("at < ?", filter.Until)
	}
	if err := query.Scan(ctx); err != nil {
		return nil, fmt.Errorf("read the audit trail: %w", err)
	}
	return entries, nil
}
