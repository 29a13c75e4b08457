package audit_test

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
	"github.com/wicket-id/wicket/storage/storagetest"
)

func TestAuditTrailIsAppendOnly(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.Database) {
		ctx := audit.As(t.Context(), audit.Actor{Name: "operator:test", IP: "192.0.2.1"})
		now := time.Now().UTC().Truncate(time.Microsecond)
		err := db.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
			return audit.Record(ctx, tx, now, audit.Change{
				Entity: "thing", EntityID: "1", Action: "created", New: audit.Values{"what?": "a ? mark", "n": 1},
			})
		})
		if err != nil {
			t.Fatal(err)
		}
		var entry audit.Entry
		if err := db.Reader().NewSelect().Model(&entry).Where("entity = 'thing'").Scan(ctx); err != nil {
			t.Fatal(err)
		}
		if !entry.At.Equal(now) || entry.Actor != "operator:test" || entry.IP != "192.0.2.1" ||
			!strings.Contains(string(entry.NewValues), "a ? mark") {
			t.Errorf("the entry came back as %+v", entry)
		}
		for _, statement := range []string{"UPDATE audit_trail SET actor = 'nobody'", "DELETE FROM audit_trail"} {
			err := db.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
				_, err := tx.ExecContext(ctx, statement)
				return err
			})
			if err == nil || !strings.Contains(err.Error(), "append-only") {
				t.Errorf("%s: %v, want a refusal", statement, err)
			}
		}
	})
}

// Many lines are all there, each by itself and in their order.
func TestManyLines(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.Database) {
		changes := make([]audit.Change, 95)
		for i := range changes {
			changes[i] = audit.Change{Entity: "thing", EntityID: strconv.Itoa(i), Action: "ended"}
		}
		err := db.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
			return audit.RecordAll(ctx, tx, time.Now(), changes)
		})
		if err != nil {
			t.Fatal(err)
		}
		var entries []audit.Entry
		err = db.Reader().NewSelect().Model(&entries).Where("entity = 'thing'").Order("id").Scan(t.Context())
		if err != nil || len(entries) != len(changes) {
			t.Fatalf("%d lines, %v", len(entries), err)
		}
		for i, entry := range entries {
			if entry.EntityID != strconv.Itoa(i) || entry.Action != "ended" {
				t.Errorf("line %d is %+v", i, entry)
			}
		}
	})
}

func TestEntryOfNobodyIsTheSystems(t *testing.T) {
	if got := audit.ActorOf(context.Background()).Name; got != "system" {
		t.Errorf("actor %q", got)
	}
}

func TestPartitionsAreMadeAheadAndDroppedWhole(t *testing.T) {
	db := storagetest.Open(t, storage.Postgres)
	now := time.Date(2031, 11, 20, 0, 0, 0, 0, time.UTC)
	for range 2 { // the second time there is nothing to do
		if err := db.PreparePartitions(t.Context(), now); err != nil {
			t.Fatal(err)
		}
	}
	record := func(at time.Time) {
		err := db.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
			return audit.Record(ctx, tx, at, audit.Change{
				Entity: "thing", EntityID: at.Format(time.DateOnly), Action: "created",
			})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, at := range []time.Time{now, now.AddDate(0, 1, 0), now.AddDate(0, 3, 0)} { // across the end of the year
		record(at)
	}
	var stray int
	if err := db.Reader().NewRaw("SELECT count(*) FROM audit_trail_default").
		Scan(t.Context(), &stray); err != nil || stray != 0 {
		t.Errorf("%d rows are in no month (%v)", stray, err)
	}
	// the 20th of January: November and December are over
	dropped, err := db.ForgetBefore(t.Context(), "audit_trail", now.AddDate(0, 2, 0))
	if err != nil || dropped < 2 {
		t.Fatalf("%d partitions dropped, %v", dropped, err)
	}
	entries, err := audit.Entries(t.Context(), db, audit.Filter{Entity: "thing", Limit: 10})
	if err != nil || len(entries) != 1 || !entries[0].At.Equal(now.AddDate(0, 3, 0)) {
		t.Errorf("left are %v, %v", entries, err)
	}
}

func TestAuditTrailIsFilteredByWhatMatters(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.Database) {
		begin := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
		for i, change := range []audit.Change{
			{Entity: "user", EntityID: "1", Action: "created"}, {Entity: "user", EntityID: "1", Action: "disabled"},
			{Entity: "client", EntityID: "a", Action: "created"},
		} {
			err := db.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
				return audit.Record(ctx, tx, begin.AddDate(0, 0, i), change)
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		for name, test := range map[string]struct {
			filter audit.Filter
			want   int
		}{
			"all":       {audit.Filter{Limit: 10}, 3},
			"by entity": {audit.Filter{Entity: "user", Limit: 10}, 2},
			"by action": {audit.Filter{Action: "created", Limit: 10}, 2},
			"by time":   {audit.Filter{Since: begin.AddDate(0, 0, 1), Until: begin.AddDate(0, 0, 2), Limit: 10}, 1},
			"limited":   {audit.Filter{Limit: 1}, 1},
		} {
			entries, err := audit.Entries(t.Context(), db, test.filter)
			if err != nil || len(entries) != test.want {
				t.Errorf("%s: %d entries, want %d (%v)", name, len(entries), test.want, err)
			}
		}
	})
}

// Who acts is a value: what a context is told does not reach the ones from which it was made.
func TestAnActorIsOfOneContext(t *testing.T) {
	outer := audit.As(t.Context(), audit.Actor{Name: "anonymous", IP: "192.0.2.1", RequestID: "r1"})
	inner := audit.AsNamed(outer, "user:1")
	if got := audit.ActorOf(inner); got != (audit.Actor{Name: "user:1", IP: "192.0.2.1", RequestID: "r1"}) {
		t.Errorf("inside: %+v", got)
	}
	if got := audit.ActorOf(outer).Name; got != "anonymous" {
		t.Errorf("outside: %s", got)
	}
}
