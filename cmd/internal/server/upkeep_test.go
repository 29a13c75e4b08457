package server

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/riverqueue/river"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// The audit trail is kept for ever unless the operator says for how long.
func TestUpkeepForgetsTheAuditTrailWhereToldTo(t *testing.T) {
	storagetest.EachURL(t, func(t *testing.T, databaseURL string) {
		s := newTestServer(t, databaseURL)
		if _, err := s.Identity.Users().Create(t.Context(), identity.NewUser{Username: "alice"}); err != nil {
			t.Fatal(err)
		}
		old := identity.Clock().AddDate(0, -4, 0)
		if s.Database.Kind == storage.Postgres {
			if err := s.Database.PreparePartitions(t.Context(), old); err != nil {
				t.Fatal(err)
			}
		}
		err := s.Database.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
			_, err := tx.ExecContext(ctx, "INSERT INTO audit_trail "+
				"(at, entity, entity_id, action, actor, ip, user_agent, session_id, request_id) "+
				"VALUES (?, 'thing', '1', 'aged', '', '', '', '', '')", old)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			kept time.Duration
			want int
		}{{0, 1}, {200 * 24 * time.Hour, 1}, {60 * 24 * time.Hour, 0}} {
			worker := &upkeepWorker{server: s, auditTrailKept: c.kept, log: slog.New(slog.DiscardHandler)}
			if err := worker.Work(t.Context(), &river.Job[upkeep]{}); err != nil {
				t.Fatal(err)
			}
			entries, err := audit.Entries(t.Context(), s.Database, audit.Filter{Action: "aged", Limit: 10})
			if err != nil || len(entries) != c.want {
				t.Errorf("kept for %v: %d entries of four months ago, want %d (%v)", c.kept, len(entries), c.want, err)
			}
		}
		entries, err := audit.Entries(t.Context(), s.Database, audit.Filter{Entity: "user", Action: "created", Limit: 10})
		if err != nil || len(entries) != 1 {
			t.Errorf("what is younger: %d entries, %v", len(entries), err)
		}
	})
}
