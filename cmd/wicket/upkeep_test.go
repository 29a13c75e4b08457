package main

import (
	"log/slog"
	"testing"
	"time"

	"github.com/riverqueue/river"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

// The ledger is kept for ever unless the operator says for how long.
func TestUpkeepForgetsTheLedgerWhereToldTo(t *testing.T) {
	inEachHouse(t, func(t *testing.T, h *openHouse) {
		old := identity.Clock().AddDate(0, -4, 0)
		if h.database.Kind == storage.Postgres {
			if err := h.database.PreparePartitions(t.Context(), old); err != nil {
				t.Fatal(err)
			}
		}
		h.sql(t, "INSERT INTO audit_trail (at, entity, entity_id, action, actor, ip, user_agent, session_id, request_id) VALUES (?, 'thing', '1', 'aged', '', '', '', '', '')", old)
		for _, c := range []struct {
			kept time.Duration
			want int
		}{{0, 1}, {200 * 24 * time.Hour, 1}, {60 * 24 * time.Hour, 0}} {
			worker := &upkeepWorker{house: h.house, ledgerKept: c.kept, log: slog.New(slog.DiscardHandler)}
			if err := worker.Work(t.Context(), &river.Job[upkeep]{}); err != nil {
				t.Fatal(err)
			}
			entries, err := audit.Entries(t.Context(), h.database, audit.Filter{Action: "aged", Limit: 10})
			if err != nil || len(entries) != c.want {
				t.Errorf("kept for %v: %d entries of four months ago, want %d (%v)", c.kept, len(entries), c.want, err)
			}
		}
		if entries, err := audit.Entries(t.Context(), h.database, audit.Filter{Entity: "user", Action: "created", Limit: 10}); err != nil || len(entries) != 1 {
			t.Errorf("what is younger: %d entries, %v", len(entries), err)
		}
	})
}
