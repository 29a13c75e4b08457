package refusals_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity/identitytest"
	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/manage/refusals"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
	"github.com/wicket-id/wicket/storage/cache"
)

// counts are what became of refusals.
type counts struct {
	mu sync.Mutex
	of map[string]int
}

// counted returns a context in which refusals are counted.
func counted(t *testing.T) (context.Context, *counts) {
	c := &counts{of: map[string]int{}}
	return storage.WithEventCounter(t.Context(), func(event string, labels ...string) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.of[event+" "+strings.Join(labels, " ")]++
	}), c
}

// from is a request from a network.
func from(ctx context.Context, ip string) context.Context {
	return audit.As(ctx, audit.Actor{Name: "anonymous", IP: ip, RequestID: strings.ToUpper(uuid.NewString())})
}

// written is how many refusals are in the database.
func written(t *testing.T, h *identitytest.Stack) int {
	t.Helper()
	n, err := h.Database.Reader().NewSelect().Model((*refusals.Record)(nil)).Count(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return int(n)
}

// However many are refused, a few are noted: of one network fewer than of one app, and of all a number that the
// database bears. The others are counted.
func TestAStrangerCannotFillTheDatabase(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		recorder := refusals.NewRecorder(h.Database, h.Now, slog.New(slog.DiscardHandler))
		recorder.Allowances = refusals.Allowances{
			Network: cache.Rate{N: 3, Per: time.Minute}, Cause: cache.Rate{N: 5, Per: time.Minute},
			All: cache.Rate{N: 9, Per: time.Minute},
		}
		ctx, count := counted(t)
		note := func(network, times int, client, reason string) {
			for range times {
				recorder.Note(from(ctx, fmt.Sprintf("192.0.2.%d", network)), refusals.Record{
					Place: refusals.AtToken, ClientID: client, Reason: reason,
				})
			}
		}
		for _, step := range []struct {
			what                 string
			network, times, want int
			client, reason       string
		}{
			{"one network, one app", 1, 100, 3, "shop", "a"},
			{"the same network, others", 1, 100, 3, "wiki", "b"},
			{"another network, the same app", 2, 100, 5, "shop", "a"},
			{"a third, another reason", 3, 100, 8, "shop", "b"},
			{"a fourth", 4, 100, 9, "wiki", "b"},
			{"a fifth", 5, 100, 9, "notes", "c"},
		} {
			note(step.network, step.times, step.client, step.reason)
			recorder.Drain(t.Context())
			if n := written(t, h); n != step.want {
				t.Errorf("%s: %d are written, not %d", step.what, n, step.want)
			}
		}
		if count.of["refusals token noted"] != 9 || count.of["refusals token skipped"] != 591 {
			t.Errorf("counted %v", count.of)
		}
		h.Clock = h.Clock.Add(time.Hour)
		note(1, 1, "shop", "a")
		recorder.Drain(t.Context())
		if n := written(t, h); n != 10 {
			t.Errorf("an hour later %d are written", n)
		}
		h.Clock = h.Clock.Add(time.Hour)
		for i := range 30 { // networks of one subscriber
			recorder.Note(from(ctx, fmt.Sprintf("2001:db8:0:%x::1", i%10)), refusals.Record{
				Place: refusals.AtToken, ClientID: "shop", Reason: fmt.Sprint(i),
			})
		}
		recorder.Drain(t.Context())
		if n := written(t, h); n != 16 {
			t.Errorf("of one subscriber %d more are written, not 6", n-10)
		}
	})
}

// A database that does not answer keeps nobody waiting, and what cannot be written is counted.
func TestRefusalsDoNotWaitForTheDatabase(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		recorder := refusals.NewRecorder(h.Database, h.Now, slog.New(slog.DiscardHandler))
		recorder.Allowances = refusals.Allowances{
			Network: cache.Rate{N: 10_000, Per: time.Minute}, Cause: cache.Rate{N: 10_000, Per: time.Minute},
			All: cache.Rate{N: 10_000, Per: time.Minute},
		}
		ctx, count := counted(t)
		held, let, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
		var once sync.Once
		go func() {
			ended <- storage.WriteMuch(t.Context(), h.Database, func(ctx context.Context, tx bun.Tx) (err error) {
				if h.Database.Kind == storage.Postgres {
					_, err = tx.ExecContext(ctx, "LOCK TABLE refusals")
				}
				once.Do(func() { close(held) })
				<-let
				return err
			})
		}()
		<-held
		for range 1000 {
			recorder.Note(from(ctx, "192.0.2.1"), refusals.Record{Place: refusals.AtPAR})
		}
		count.mu.Lock()
		noted, dropped := count.of["refusals par noted"], count.of["refusals par dropped"]
		count.mu.Unlock()
		if noted+dropped != 1000 || dropped < 400 {
			t.Errorf("%d are noted and %d dropped", noted, dropped)
		}
		close(let)
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		recorder.Drain(t.Context())
		if n := written(t, h); n != noted {
			t.Errorf("%d of %d are written", n, noted)
		}
	})
}

// Refusals go after a week, the oldest when there are very many, and those of a person with them.
func TestHowLongRefusalsAreKept(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		alice := h.Alice(t)
		recorder := refusals.NewRecorder(h.Database, h.Now, slog.New(slog.DiscardHandler))
		store := &refusals.Store{Store: &manage.Store{Database: h.Database, Now: h.Now}}
		hers := audit.As(t.Context(), audit.Actor{Name: alice.Actor(), IP: "192.0.2.1", RequestID: "HERS5678XYZ"})
		recorder.Note(from(t.Context(), "192.0.2.2"), refusals.Record{Place: refusals.AtToken})
		h.Clock = h.Clock.Add(4 * 24 * time.Hour)
		recorder.Note(hers, refusals.Record{Place: refusals.AtAccess})
		recorder.Drain(t.Context())
		if theirs, err := recorder.Of(t.Context(), alice.ID, 10); err != nil || len(theirs) != 1 ||
			theirs[0].Reference != "HERS5678" || theirs[0].IP != "192.0.2.1" {
			t.Errorf("of alice: %+v, %v", theirs, err)
		}
		for _, step := range []struct {
			later time.Duration
			want  int
		}{{2 * 24 * time.Hour, 2}, {2 * 24 * time.Hour, 1}, {0, 1}} {
			h.Clock = h.Clock.Add(step.later)
			if _, err := store.Expire(t.Context()); err != nil {
				t.Fatal(err)
			}
			if n := written(t, h); n != step.want {
				t.Errorf("at %v there are %d, not %d", h.Clock, n, step.want)
			}
		}
		h.Exec(t, "DELETE FROM users WHERE id = ?", alice.ID)
		if n := written(t, h); n != 0 {
			t.Errorf("%d outlast their person", n)
		}
		// Who was erased while it was under way is not noted.
		recorder.Note(hers, refusals.Record{Place: refusals.AtAccess})
		recorder.Drain(t.Context())
		if n := written(t, h); n != 0 {
			t.Errorf("%d of a person who is not there", n)
		}
	})
}

func TestTheOldestOfVeryManyGo(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		series, hex := "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50003)", "printf('%08x', i)"
		if h.Database.Kind == storage.Postgres {
			series, hex = "WITH n(i) AS (SELECT generate_series(1, 50003))", "lpad(to_hex(i), 8, '0')"
		}
		id := hex + " || '-0000-7000-8000-000000000000'"
		if h.Database.Kind == storage.Postgres {
			id = "CAST(" + id + " AS UUID)"
		}
		h.Exec(t, series+` INSERT INTO refusals
			(id, reference, at, place, client_id, error, reason, description, expected, got, ip, request_id)
			SELECT `+id+`, 'R', ?, 'token', '', '', '', '', '[]', '[]', '', '' FROM n`, h.Clock)
		store := &refusals.Store{Store: &manage.Store{Database: h.Database, Now: h.Now}}
		if n, err := store.Expire(t.Context()); err != nil || n != 3 || written(t, h) != 50_000 {
			t.Errorf("%d went, %d are left: %v", n, written(t, h), err)
		}
		first := new(refusals.Record)
		if err := h.Database.Reader().NewSelect().Model(first).Order("id").Limit(1).Scan(t.Context()); err != nil ||
			first.ID.String() != "00000004-0000-7000-8000-000000000000" {
			t.Errorf("the oldest that is left is %s: %v", first.ID, err)
		}
	})
}
