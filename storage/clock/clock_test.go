package clock_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/clock"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// A machine whose clock is wrong tells the database's time and says so in the log; one that is right to a second tells
// its own.
func TestClock(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.Database) {
		for _, wrong := range []time.Duration{
			0, 500 * time.Millisecond, -500 * time.Millisecond, 90 * time.Second, -90 * time.Second, -24 * time.Hour,
		} {
			t.Run(wrong.String(), func(t *testing.T) {
				machine := func() time.Time { return time.Now().UTC().Add(wrong) }
				var log bytes.Buffer
				shared, err := clock.New(t.Context(), db, machine, slog.New(slog.NewTextHandler(&log, nil)))
				if err != nil {
					t.Fatal(err)
				}
				want := wrong
				if follows := db.Kind == storage.Postgres && wrong.Abs() > time.Second; follows {
					want = 0
				}
				if off := time.Until(shared.Now()) - want; off.Abs() > 400*time.Millisecond {
					t.Errorf("%s off", off)
				}
				if said := strings.Contains(log.String(), "level=WARN"); said != (want != wrong) {
					t.Errorf("the log: %s", &log)
				}
			})
		}
	})
}

// An answer that took long, for a connection had to be made first, does not decide by how much the clocks differ.
func TestClockGoesByTheQuickestAnswer(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.Database) {
		if db.Kind == storage.SQLite {
			return // its time is the machine's
		}
		calls := 0
		machine := func() time.Time {
			calls++
			if calls == 1 {
				return time.Now().UTC().Add(90*time.Second - 4*time.Second)
			}
			return time.Now().UTC().Add(90 * time.Second)
		}
		shared, err := clock.New(t.Context(), db, machine, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		if off := time.Until(shared.Now()); off.Abs() > 400*time.Millisecond {
			t.Errorf("%s off", off)
		}
	})
}
