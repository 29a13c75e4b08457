package operation

import (
	"net/http"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// outage is how long PostgreSQL is away: a little longer than it is waited for, or WICKET_TEST_OUTAGE, as in 16s.
func outage(t *testing.T) time.Duration {
	t.Helper()
	said := os.Getenv("WICKET_TEST_OUTAGE")
	if said == "" {
		return 12 * time.Second
	}
	length, err := time.ParseDuration(said)
	if err != nil {
		t.Fatalf("WICKET_TEST_OUTAGE: %v", err)
	}
	return length
}

// PostgreSQL is stopped under requests of people and of apps, for longer than it is waited for. Whoever is not answered
// as if nothing were amiss is told to try again, in bounded time; and once it is back all works as before.
func TestPostgresIsAwayForLong(t *testing.T) {
	length := outage(t)
	line, issuer := harness.NewCommandLine(t, storagetest.URL(t, storage.Postgres))
	line = append(line, "WICKET_LIMITS=off")
	v, server := newVisits(t, line, issuer)
	v.works(t)

	var under sync.WaitGroup
	var mu sync.Mutex
	refused, answered, longest := make(map[int]int), 0, time.Duration(0)
	rightly := []int{http.StatusOK, http.StatusSeeOther, http.StatusBadRequest}
	visit := func(number int) {
		began := time.Now()
		status, later, body, err := v.visit(t.Context(), number)
		took := time.Since(began)
		mu.Lock()
		defer mu.Unlock()
		longest = max(longest, took)
		switch {
		case err == nil && status == rightly[number]:
			answered++
		case err == nil && status == http.StatusServiceUnavailable && later:
			refused[number]++
		default:
			t.Errorf("visit %d: %d, Retry-After %t, %v after %s\n%.500s", number, status, later, err, took, body)
		}
	}
	often := time.NewTicker(250 * time.Millisecond)
	defer often.Stop()
	start := storagetest.StopPostgres(t)
	for stopped := time.Now(); time.Since(stopped) < length; <-often.C {
		for number := range rightly {
			under.Go(func() { visit(number) })
		}
	}
	start()
	under.Wait()
	if longest > 20*time.Second {
		t.Errorf("the last was answered after %s", longest)
	}
	for number := range rightly {
		if refused[number] == 0 {
			t.Errorf("visit %d was not refused once in %s without a database", number, length)
		}
	}
	t.Logf("PostgreSQL was away for %s: %d requests were answered rightly, and %v refused; the longest took %s",
		length, answered, refused, longest)
	storagetest.Eventually(t, 10*time.Second, "the server works again", func() bool {
		status, _, _, err := v.visit(t.Context(), 0)
		return err == nil && status == http.StatusOK
	})
	v.works(t)
	server.Kill()
}
