package signin_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity/identitytest"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// tripCounter notes what a database is sent, one by one; BEGIN and COMMIT are trips, too.
type tripCounter struct {
	mu    sync.Mutex
	trips []string
}

func (*tripCounter) BeforeQuery(ctx context.Context, _ *bun.QueryEvent) context.Context { return ctx }

func (c *tripCounter) AfterQuery(_ context.Context, event *bun.QueryEvent) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.trips = append(c.trips, event.Query)
}

// A sign-in with a password goes to the database no more often than this.
func TestRoundTripsOfASignIn(t *testing.T) {
	t.Parallel()
	url := storagetest.URL(t, storage.Postgres)
	storagetest.Unrehearsed(t, url)
	db, err := storage.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	h, counter := identitytest.New(t, db), new(tripCounter)
	h.Alice(t)
	db.Observe(counter)
	device := identitytest.Laptop
	for _, step := range []struct {
		name string
		want int
	}{{"in a new browser", 6}, {"in a known browser", 8}} {
		counter.trips = nil
		device = known(h.Admitted(t, "alice", device))
		if got := len(counter.trips); got != step.want {
			t.Errorf("%s: %d round trips, want %d:\n%s", step.name, got, step.want, strings.Join(counter.trips, "\n\n"))
		}
	}
}
