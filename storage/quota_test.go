package storage_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// Of many who take of one quota at once, as many get something as it holds, and a transaction that fails takes nothing.
func TestQuotas(t *testing.T) {
	t.Parallel()
	storagetest.Each(t, func(t *testing.T, db *storage.Database) {
		now := time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)
		narrow := storage.Quota{Hash: []byte("narrow"), Most: 5, Per: time.Hour}
		wide := storage.Quota{Hash: []byte("wide"), Most: 7, Per: 2 * time.Hour}
		exhausted := errors.New("exhausted")
		take := func(now time.Time, quotas ...storage.Quota) error {
			return db.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
				for _, quota := range quotas {
					if within, err := quota.Take(ctx, tx, now); err != nil || !within {
						return errors.Join(err, exhausted)
					}
				}
				return nil
			})
		}
		var within atomic.Int64
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				switch err := take(now, narrow, wide); {
				case err == nil:
					within.Add(1)
				case err.Error() != exhausted.Error():
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if within.Load() != narrow.Most {
			t.Errorf("%d were within a quota of %d", within.Load(), narrow.Most)
		}
		for i, want := range []error{nil, nil, exhausted} { // what was refused took nothing of the wide one
			if err := take(now, wide); (err != nil) != (want != nil) {
				t.Errorf("take %d of the wide one: %v", i+1, err)
			}
		}
		if err := take(now.Add(time.Hour-time.Microsecond), narrow); err == nil {
			t.Error("it begins anew too early")
		}
		if err := take(now, storage.Quota{Hash: []byte("none"), Per: time.Hour}); err == nil {
			t.Error("something was taken of nothing")
		}
		later := now.Add(time.Hour)
		if err := take(later, narrow); err != nil {
			t.Errorf("when its time is over: %v", err)
		}
		if n, err := storage.ForgetQuotas(t.Context(), db, later.Add(time.Hour+time.Second)); err != nil || n != 2 {
			t.Errorf("%d were forgotten: %v", n, err)
		}
	})
}
