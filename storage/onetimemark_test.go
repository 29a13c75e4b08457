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

// Of many who set one mark at once, alone or as part of something else, one does.
func TestOneTimeMarkIsSetOnce(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.Database) {
		now := time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)
		mark := func(purpose, value string) *storage.OneTimeMark {
			return storage.NewOneTimeMark(purpose, value, now.Add(time.Minute))
		}
		var first atomic.Int64
		var wg sync.WaitGroup
		for i := range 40 {
			wg.Go(func() {
				set := db.Mark
				if i%2 == 0 {
					set = func(ctx context.Context, m *storage.OneTimeMark) error { return db.Write(ctx, m.Set) }
				}
				switch err := set(t.Context(), mark("answer", "1")); {
				case err == nil:
					first.Add(1)
				case !errors.Is(err, storage.ErrUsedBefore):
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if first.Load() != 1 {
			t.Errorf("of 40 at once %d set the mark", first.Load())
		}
		for _, other := range []*storage.OneTimeMark{mark("answer", "2"), mark("question", "1")} {
			if err := db.Mark(t.Context(), other); err != nil {
				t.Errorf("another value and another purpose: %v", err)
			}
		}

		// It is set only if what it belongs to is done, and kept until its time has come.
		failed := errors.New("no")
		err := db.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
			return errors.Join(mark("answer", "3").Set(ctx, tx), failed)
		})
		if again := db.Mark(t.Context(), mark("answer", "3")); !errors.Is(err, failed) || again != nil {
			t.Errorf("after a transaction that failed: %v, %v", err, again)
		}
		if n, err := storage.ForgetMarks(t.Context(), db, now.Add(2*time.Minute)); err != nil || n != 0 {
			t.Errorf("%d were forgotten too early: %v", n, err)
		}
		if n, err := storage.ForgetMarks(t.Context(), db, now.Add(2*time.Minute+time.Second)); err != nil || n != 4 {
			t.Errorf("%d were forgotten, want 4: %v", n, err)
		}
	})
}
