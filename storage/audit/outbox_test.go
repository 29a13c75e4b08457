package audit_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/schema"

	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// listen has somebody listen, or nobody.
func listen(t testing.TB, db *storage.Database, is bool) {
	t.Helper()
	err := db.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO event_feed (id, is_on, last_sequence) VALUES (1, ?, 0)
			ON CONFLICT (id) DO UPDATE SET is_on = EXCLUDED.is_on`, is)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Each line is in the outbox where somebody listens, by whatever way it is written, and none where nobody does.
func TestLinesThatSomebodyListensFor(t *testing.T) {
	t.Parallel()
	storagetest.Each(t, func(t *testing.T, db *storage.Database) {
		ways := map[string]func(ctx context.Context, changes []audit.Change) error{
			"at the end of a transaction": func(ctx context.Context, changes []audit.Change) error {
				return db.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
					if err := audit.Record(ctx, tx, time.Now(), changes[0]); err != nil {
						return err
					}
					return audit.RecordAll(ctx, tx, time.Now(), changes[1:])
				})
			},
			"in one statement with others": func(ctx context.Context, changes []audit.Change) error {
				first, err := audit.RecordStatement(ctx, db.Draft(), time.Now(), changes[0])
				if err != nil {
					return err
				}
				rest, err := audit.RecordStatement(ctx, db.Draft(), time.Now(), changes[1:]...)
				if err != nil {
					return err
				}
				return db.Append(ctx, first, rest)
			},
			"alone": func(ctx context.Context, changes []audit.Change) error {
				all, err := audit.RecordStatement(ctx, db.Draft(), time.Now(), changes...)
				if err != nil {
					return err
				}
				return db.Append(ctx, all)
			},
			"with a claim": func(ctx context.Context, changes []audit.Change) error {
				all, err := audit.RecordStatement(ctx, db.Draft(), time.Now(), changes...)
				if err != nil {
					return err
				}
				claim := db.Draft().NewUpdate().Table("event_feed").Set("last_sequence = last_sequence + 1").Where("id = 1")
				claimed, err := db.Claim(ctx, []*bun.UpdateQuery{claim}, schema.QueryAppender(all))
				if err == nil && !claimed {
					return fmt.Errorf("it was not claimed")
				}
				return err
			},
		}
		for way, write := range ways {
			for _, listens := range []bool{false, true} {
				listen(t, db, listens)
				changes := make([]audit.Change, 5)
				for i := range changes {
					changes[i] = audit.Change{Entity: "thing", EntityID: fmt.Sprintf("%s %t %d", way, listens, i), Action: "changed"}
				}
				if err := write(t.Context(), changes); err != nil {
					t.Fatalf("%s: %v", way, err)
				}
				var waiting []string
				err := db.Reader().NewRaw(`SELECT entity_id FROM event_outbox JOIN audit_trail ON id = entry_id AND at = entry_at
					WHERE entity_id LIKE ? ORDER BY id`, fmt.Sprintf("%s %t%%", way, listens)).Scan(t.Context(), &waiting)
				if err != nil {
					t.Fatal(err)
				}
				slices.Sort(waiting)
				if !listens && len(waiting) > 0 || listens && (len(waiting) != 5 || waiting[4] != changes[4].EntityID) {
					t.Errorf("%s, somebody listens: %t: these wait: %q", way, listens, waiting)
				}
			}
		}
	})
}

// What it costs that somebody may listen, beside a line alone.
func BenchmarkRecord(b *testing.B) {
	for _, kind := range []storage.Kind{storage.SQLite, storage.Postgres} {
		db := storagetest.Open(b, kind)
		change := audit.Change{Entity: "thing", EntityID: "1", Action: "changed", New: audit.Values{"name": "a name"}}
		for _, way := range []string{"a line alone", "nobody listens", "somebody listens"} {
			b.Run(fmt.Sprintf("%s/%s", kind, way), func(b *testing.B) {
				listen(b, db, way == "somebody listens")
				for b.Loop() {
					err := db.Write(b.Context(), func(ctx context.Context, tx bun.Tx) error {
						if way != "a line alone" {
							return audit.Record(ctx, tx, time.Now(), change)
						}
						entry := &audit.Entry{
							At: time.Now(), Entity: "thing", EntityID: "1", Action: "changed", NewValues: []byte(`{"name":"a name"}`),
						}
						return storage.Later(ctx, tx, tx.NewInsert().Model(entry).ExcludeColumn("id").Returning("NULL"))
					})
					if err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
