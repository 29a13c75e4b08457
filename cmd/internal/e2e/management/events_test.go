package management

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/identity/administrators"
	"github.com/wicket-id/wicket/manage/events"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// withFeed runs a test against servers whose feed is on.
func withFeed(t *testing.T, test func(t *testing.T, h *harness.Server, c caller)) {
	t.Helper()
	storagetest.EachURL(t, func(t *testing.T, databaseURL string) {
		storagetest.Unrehearsed(t, databaseURL)
		h := harness.Start(t, databaseURL, func(c *harness.Config) { c.EventFeed = true })
		c := keyFor(t, h, administrators.Auditor)
		if got := c.must(t, http.StatusConflict, http.MethodGet, "/api/v1/events", nil); got.code() != "event.off" {
			t.Errorf("before it is on: %s", got.Text)
		}
		h.TellEvents(t)
		storagetest.Eventually(t, time.Minute, "the feed is on", func() bool {
			return c.call(t, http.MethodGet, "/api/v1/events", nil).Status == http.StatusOK
		})
		test(t, h, c)
	})
}

// feed reads the feed after a number.
func (c caller) feed(t *testing.T, after int64, query string) (page events.Feed) {
	t.Helper()
	got := c.must(t, http.StatusOK, http.MethodGet, fmt.Sprintf("/api/v1/events?after=%d%s", after, query), nil)
	if err := json.Unmarshal([]byte(got.Text), &page); err != nil {
		t.Fatal(err)
	}
	return page
}

// change records a change in a transaction of its own.
func change(t *testing.T, h *harness.Server, id string) {
	t.Helper()
	err := h.Database.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
		return audit.Record(ctx, tx, h.Manage.Now(), audit.Change{Entity: "client", EntityID: id, Action: "changed"})
	})
	if err != nil {
		t.Error(err)
	}
}

func TestFeedOfEvents(t *testing.T) {
	t.Parallel()
	withFeed(t, func(t *testing.T, h *harness.Server, c caller) {
		begin := c.feed(t, 0, "").After
		for i := range 5 {
			change(t, h, fmt.Sprint(i))
		}
		register(t, h, "bob")
		var all []events.Event
		storagetest.Eventually(t, time.Minute, "all events are there", func() bool {
			all = c.feed(t, begin, "&limit=200").Items
			return slices.ContainsFunc(all, func(e events.Event) bool { return e.Type == "user.created" })
		})
		for i, event := range all {
			if event.Sequence != begin+int64(i)+1 || event.Data.Old != nil || event.Data.New != nil {
				t.Errorf("event %d is %+v", i, event)
			}
		}
		// In parts, and of some types.
		var parts []events.Event
		for page := (events.Feed{After: begin, More: true}); page.More; parts = append(parts, page.Items...) {
			if page = c.feed(t, page.After, "&limit=2"); len(page.Items) > 2 {
				t.Errorf("a part of %d", len(page.Items))
			}
		}
		if len(parts) != len(all) {
			t.Errorf("%d events in parts, %d at once", len(parts), len(all))
		}
		some := c.feed(t, begin, "&type=user.*,client.changed&values=true")
		made := some.Items[len(some.Items)-1]
		if len(some.Items) != 6 || made.Type != "user.created" || made.Data.New == nil {
			t.Errorf("of some types: %+v", some)
		}
		if none := c.feed(t, begin, "&type=api.deleted"); len(none.Items) != 0 || none.After < all[len(all)-1].Sequence {
			t.Errorf("of a type that there is none of: %+v", none)
		}
		c.must(t, http.StatusUnprocessableEntity, http.MethodGet, "/api/v1/events?type=user.invented", nil)
		// What is kept no longer is not left out in silence.
		h.SQL(t, "DELETE FROM events WHERE sequence <= ?", all[2].Sequence)
		if rest := c.feed(t, all[2].Sequence, ""); rest.Items[0].Sequence != all[3].Sequence {
			t.Errorf("the rest begins with %+v", rest.Items[0])
		}
		for _, after := range []int64{all[1].Sequence, all[len(all)-1].Sequence + 1000} {
			got := c.must(t, http.StatusConflict, http.MethodGet, fmt.Sprintf("/api/v1/events?after=%d", after), nil)
			if got.code() != "event.gone" {
				t.Errorf("after %d: %s", after, got.Text)
			}
		}
		if first := c.feed(t, 0, ""); first.Items[0].Sequence != all[3].Sequence {
			t.Errorf("the beginning is %+v", first.Items[0])
		}
	})
}

// Whoever follows the feed misses nothing of what many write at once, and sees nothing twice, though two replicas give
// the numbers.
func TestFeedMissesNothing(t *testing.T) {
	t.Parallel()
	withFeed(t, func(t *testing.T, h *harness.Server, c caller) {
		if h.Database.Kind == storage.Postgres {
			h.Replica(t).TellEvents(t)
		}
		begin := c.feed(t, 0, "").After
		const writers, each = 8, 25
		var running sync.WaitGroup
		for writer := range writers {
			running.Go(func() {
				for i := range each {
					change(t, h, fmt.Sprintf("%d-%d", writer, i))
				}
			})
		}
		seen, after := map[string]int{}, begin
		storagetest.Eventually(t, 2*time.Minute, "all events are read", func() bool {
			page := c.feed(t, after, "&type=client.changed&limit=7")
			for _, event := range page.Items {
				if event.Sequence <= after {
					t.Errorf("number %d after %d", event.Sequence, after)
				}
				after = event.Sequence
				seen[event.Data.ID]++
			}
			after = page.After
			return len(seen) >= writers*each
		})
		running.Wait()
		for id, times := range seen {
			if times != 1 {
				t.Errorf("%s is read %d times", id, times)
			}
		}
		var numbers struct{ Count, Highest, Lowest int64 }
		err := h.Database.Reader().NewRaw(
			"SELECT count(*) AS count, max(sequence) AS highest, min(sequence) AS lowest FROM events",
		).Scan(t.Context(), &numbers)
		if err != nil || numbers.Highest-numbers.Lowest+1 != numbers.Count {
			t.Errorf("numbers are left out: %+v, %v", numbers, err)
		}
	})
}

// A transaction that began earlier and commits later than another has the higher number, and is not missed by who has
// read the other's. SQLite has one writer.
func TestFeedShowsWhatCommitsLate(t *testing.T) {
	t.Parallel()
	databaseURL := storagetest.URL(t, storage.Postgres)
	storagetest.Unrehearsed(t, databaseURL)
	h := harness.Start(t, databaseURL, func(c *harness.Config) { c.EventFeed = true })
	h.TellEvents(t)
	c := keyFor(t, h, administrators.Auditor)
	storagetest.Eventually(t, time.Minute, "the feed is on", func() bool {
		return c.call(t, http.MethodGet, "/api/v1/events", nil).Status == http.StatusOK
	})
	written, commit, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- h.Database.Write(context.Background(), func(ctx context.Context, tx bun.Tx) error {
			statement, err := audit.RecordStatement(ctx, tx, h.Manage.Now(), audit.Change{
				Entity: "client", EntityID: "late", Action: "changed",
			})
			if err == nil {
				_, err = tx.ExecContext(ctx, "?", statement) // it has its id now
			}
			close(written)
			<-commit
			return err
		})
	}()
	<-written
	change(t, h, "early")
	read := func(after int64, id string) (found events.Event) {
		storagetest.Eventually(t, time.Minute, "the event of "+id, func() bool {
			items := c.feed(t, after, "&type=client.changed").Items
			if len(items) > 0 {
				found = items[0]
			}
			return len(items) > 0
		})
		if found.Data.ID != id {
			t.Errorf("after %d comes %+v, want %s", after, found, id)
		}
		return found
	}
	early := read(0, "early")
	close(commit)
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	read(early.Sequence, "late")
	var ids []string
	err := h.Database.Reader().NewSelect().Table("audit_trail").Column("entity_id").Where("entity = 'client'").
		Order("id").Scan(t.Context(), &ids)
	if err != nil || !slices.Equal(ids, []string{"late", "early"}) {
		t.Errorf("the lines were to have ids in the other order: %v, %v", ids, err)
	}
}

// Where nobody listens nothing is written but the audit trail, and what happened before is not told later.
func TestNothingIsKeptWhereNobodyListens(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		h.TellEvents(t)
		c := keyFor(t, h, administrators.Owner)
		change(t, h, "unheard")
		for _, table := range []string{"event_outbox", "events", "event_feed"} {
			if n, err := h.Database.Reader().NewSelect().Table(table).Count(t.Context()); err != nil || n != 0 {
				t.Errorf("%s has %d rows, %v", table, n, err)
			}
		}
		made := c.must(t, http.StatusCreated, http.MethodPut, hook,
			map[string]any{"url": "https://hook.example/", "types": []string{"user.erased"}}, "If-None-Match", "*")
		change(t, h, "heard")
		storagetest.Eventually(t, time.Minute, "it has a number", func() bool {
			n, err := h.Database.Reader().NewSelect().Table("events").Where("type = 'client.changed'").Count(t.Context())
			return err == nil && n == 1
		})
		c.must(t, http.StatusOK, http.MethodPut, hook, map[string]any{
			"url": "https://hook.example/", "types": []string{"user.erased"}, "disabled": true,
		}, "If-Match", made.Header.Get("ETag"))
		change(t, h, "unheard again")
		if n, err := h.Database.Reader().NewSelect().Table("event_outbox").
			Where("entry_id = (SELECT max(id) FROM audit_trail)").Count(t.Context()); err != nil || n != 0 {
			t.Errorf("%d lines wait though nobody listens, %v", n, err)
		}
	})
}

// Events go when they are kept no longer, with what was noted of telling them.
func TestEventsExpire(t *testing.T) {
	t.Parallel()
	withFeed(t, func(t *testing.T, h *harness.Server, c caller) {
		h.Events.Kept = 30 * 24 * time.Hour
		change(t, h, "old")
		storagetest.Eventually(t, time.Minute, "it has a number", func() bool {
			return len(c.feed(t, 0, "&type=client.changed").Items) == 1
		})
		if dropped, err := h.Webhooks.Expire(t.Context()); err != nil || dropped["events"] != 0 {
			t.Errorf("%v, %v", dropped, err)
		}
		h.SQL(t, "UPDATE events SET at = ?", h.Manage.Now().Add(-31*24*time.Hour))
		if dropped, err := h.Webhooks.Expire(t.Context()); err != nil || dropped["events"] == 0 {
			t.Errorf("%v, %v", dropped, err)
		}
	})
}
