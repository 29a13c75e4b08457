package cache_test

import (
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wicket-id/wicket/storage/cache"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// openMemory is a replica's memory in that Redis.
func openMemory(t testing.TB, url string) *cache.Redis {
	t.Helper()
	return openMemoryBy(t, url, time.Now, discard)
}

// openMemoryBy is openMemory by that clock and with that log.
func openMemoryBy(t testing.TB, url string, now func() time.Time, log *slog.Logger) *cache.Redis {
	t.Helper()
	options, err := cache.ParseRedis(url)
	if err != nil {
		t.Fatal(err)
	}
	m := cache.NewRedis(t.Context(), options, t.Name(), now, log)
	m.Patience = 5 * time.Second // this machine may be busy, which is not what is tested
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return m
}

var discard = slog.New(slog.DiscardHandler)

// eachMemory runs test on every production implementation.
func eachMemory(t *testing.T, test func(t *testing.T, m cache.Cache)) {
	t.Run("local", func(t *testing.T) { test(t, cache.NewLocal(time.Now)) })
	t.Run("redis", func(t *testing.T) {
		m := openMemory(t, storagetest.Redis(t).URL())
		test(t, m)
		if state := m.State(); state.Away || state.Failed > 0 || state.Asked == 0 {
			t.Errorf("Redis was not asked all the time: %+v", state)
		}
	})
	t.Run("redis that is away", func(t *testing.T) {
		server := storagetest.Redis(t)
		server.Kill()
		m := openMemory(t, server.URL())
		test(t, m)
		if state := m.State(); !state.Away || state.Asked != 0 {
			t.Errorf("Redis is not away: %+v", state)
		}
	})
}

// Both implementations, and the one with Redis away, answer alike.
func TestMemoriesAnswerAlike(t *testing.T) {
	eachMemory(t, func(t *testing.T, m cache.Cache) {
		ctx := t.Context()
		count := func(key string, window time.Duration, want int64) {
			t.Helper()
			if got := m.Count(ctx, key, window); got != want {
				t.Errorf("count of %s: %d, want %d", key, got, want)
			}
		}
		peek := func(key string, want int64) {
			t.Helper()
			if got := m.Peek(ctx, key); got != want {
				t.Errorf("peek at %s: %d, want %d", key, got, want)
			}
		}
		peek("a", 0)
		count("a", time.Minute, 1)
		count("a", time.Minute, 2)
		count("b", time.Minute, 1)
		peek("a", 2)
		m.Uncount(ctx, "a")
		peek("a", 1)
		m.Uncount(ctx, "a")
		m.Uncount(ctx, "a") // there is none left to take back
		m.Uncount(ctx, "nothing of that name")
		peek("a", 0)
		peek("nothing of that name", 0)
		count("a", time.Minute, 1)
		m.Forget(ctx, "a")
		peek("a", 0)
		count("a", time.Minute, 1)
		count("\x00\xffbytes", time.Minute, 1)

		count("short", 40*time.Millisecond, 1)
		storagetest.Eventually(t, 5*time.Second, "a counter ends with its window", func() bool {
			return m.Peek(ctx, "short") == 0
		})
		count("short", time.Minute, 1)
		count("long", 5*time.Second, 1)
		began := time.Now()
		storagetest.Eventually(t, 5*time.Second, "a window is not prolonged by counting", func() bool {
			return m.Count(ctx, "brief", 60*time.Millisecond) == 1 && time.Since(began) > 60*time.Millisecond
		})
		peek("long", 1)

		rate := cache.Rate{N: 3, Per: 600 * time.Millisecond}
		began = time.Now()
		for range 3 {
			if wait := m.Take(ctx, "allowance", rate); wait != 0 {
				t.Errorf("within the allowance: wait %s", wait)
			}
		}
		if wait := m.Take(ctx, "allowance", rate); time.Since(began) < 100*time.Millisecond &&
			(wait < 50*time.Millisecond || wait > 200*time.Millisecond) {
			t.Errorf("one more than the allowance has to wait for %s, want up to 200 ms", wait)
		}
		if wait := m.Take(ctx, "another allowance", rate); wait != 0 {
			t.Errorf("another's allowance: wait %s", wait)
		}
		storagetest.Eventually(t, 5*time.Second, "one comes back", func() bool {
			return m.Take(ctx, "allowance", rate) == 0
		})
		if took := time.Since(began); took < 190*time.Millisecond {
			t.Errorf("one came back after %s, want 200 ms", took)
		}
	})
}

// Of many at once, each is counted, and exactly the allowance is spent.
func TestMemoriesUnderParallelUse(t *testing.T) {
	eachMemory(t, func(t *testing.T, m cache.Cache) {
		const n = 200
		rate := cache.Rate{N: 37, Per: time.Hour}
		var spent atomic.Int64
		var seen sync.Map
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				for range n / 20 {
					if _, twice := seen.LoadOrStore(m.Count(t.Context(), "k", time.Minute), true); twice {
						t.Error("the same count twice")
					}
					if m.Take(t.Context(), "allowance", rate) == 0 {
						spent.Add(1)
					}
				}
			})
		}
		wg.Wait()
		if counted := m.Peek(t.Context(), "k"); counted != n || spent.Load() != rate.N {
			t.Errorf("counted %d, want %d; %d were spent, want %d", counted, n, spent.Load(), rate.N)
		}
	})
}

// Requests from ever more addresses do not push out what is still needed: an allowance that has come back takes no
// room.
func TestFloodOfAddressesForgetsNoCounters(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	m := cache.NewLocal(func() time.Time { return now })
	for i := range 100 {
		m.Count(t.Context(), fmt.Sprint("failures ", i), time.Hour)
	}
	for i := range 500_000 {
		now = now.Add(10 * time.Microsecond)
		m.Take(t.Context(), fmt.Sprint("address ", i), cache.Rate{N: 6000, Per: time.Minute})
	}
	for i := range 100 {
		if m.Peek(t.Context(), fmt.Sprint("failures ", i)) != 1 {
			t.Fatalf("counter %d is forgotten", i)
		}
	}
}

// What was spent comes back evenly, and never more than the whole allowance.
func TestAllowanceComesBackEvenly(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	m := cache.NewLocal(func() time.Time { return now })
	rate := cache.Rate{N: 60, Per: time.Minute}
	spend := func() (n int) {
		for m.Take(t.Context(), "k", rate) == 0 {
			n++
		}
		return n
	}
	for _, step := range []struct {
		pass time.Duration
		want int
	}{{0, 60}, {time.Second, 1}, {999 * time.Millisecond, 0}, {time.Millisecond, 1}, {10 * time.Second, 10}, {time.Hour, 60}, {30 * time.Second, 30}} {
		now = now.Add(step.pass)
		if got := spend(); got != step.want {
			t.Errorf("after %s more: %d, want %d", step.pass, got, step.want)
		}
	}
	if wait := m.Take(t.Context(), "k", rate); wait != time.Second {
		t.Errorf("the next one comes in %s, want 1s", wait)
	}
	for _, odd := range []cache.Rate{
		{N: 7, Per: time.Second}, {N: 4, Per: 10 * time.Microsecond}, {N: 290_000, Per: time.Minute},
	} {
		n := int64(0)
		for m.Take(t.Context(), fmt.Sprint(odd), odd) == 0 {
			n++
		}
		if n != odd.N {
			t.Errorf("%+v lets %d through at once", odd, n)
		}
	}
}

func TestMemoryCountsWithinAWindow(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	memory := cache.NewLocal(func() time.Time { return now })
	for want := int64(1); want <= 3; want++ {
		if got := memory.Count(t.Context(), "k", time.Minute); got != want {
			t.Fatalf("count %d, want %d", got, want)
		}
	}
	now = now.Add(time.Minute)
	if got := memory.Count(t.Context(), "k", time.Minute); got != 1 {
		t.Errorf("after the window the counter is %d, want 1", got)
	}
}
