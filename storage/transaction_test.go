package storage_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/storagetest"
)

func insertRevoked(ctx context.Context, tx bun.Tx, jti string) error {
	_, err := tx.NewRaw("INSERT INTO revoked_tokens (jti, expires_at) VALUES (?, ?)", jti, time.Unix(0, 0)).Exec(ctx)
	return err
}

func TestWriteReturnsWhatTheTransactionFound(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.Database) {
		found, err := storage.Write(t.Context(), db, func(ctx context.Context, tx bun.Tx) (int64, error) {
			if err := insertRevoked(ctx, tx, "a"); err != nil {
				return 0, err
			}
			return tx.NewSelect().TableExpr("revoked_tokens").Count(ctx)
		})
		if err != nil || found != 1 || countRevoked(t, db) != 1 {
			t.Errorf("found %d, %v, and %d are there", found, err, countRevoked(t, db))
		}
		fault := errors.New("a fault")
		found, err = storage.Write(t.Context(), db, func(ctx context.Context, tx bun.Tx) (int64, error) {
			return 7, errors.Join(insertRevoked(ctx, tx, "b"), fault)
		})
		if !errors.Is(err, fault) || found != 0 || countRevoked(t, db) != 1 {
			t.Errorf("a fault: found %d, %v, and %d are there", found, err, countRevoked(t, db))
		}
	})
}

// A refusal is committed, counted, and comes back as it was given.
func TestARefusalKeepsWhatItWrote(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.Database) {
		reason := errors.New("not this time")
		var counted atomic.Int64
		ctx := storage.WithEventCounter(t.Context(), func(string, ...string) { counted.Add(1) })
		found, err := storage.Write(ctx, db, func(ctx context.Context, tx bun.Tx) (string, error) {
			storage.CountEvent(ctx, "refused")
			if err := insertRevoked(ctx, tx, "a"); err != nil {
				return "", err
			}
			return "found", storage.Refuse(reason)
		})
		if err != reason || found != "" || countRevoked(t, db) != 1 || counted.Load() != 1 {
			t.Errorf("found %q, %v; %d are there, counted %d times", found, err, countRevoked(t, db), counted.Load())
		}
		err = db.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
			if err := insertRevoked(ctx, tx, "b"); err != nil {
				return err
			}
			return storage.Refuse(reason)
		})
		if err != reason || countRevoked(t, db) != 2 {
			t.Errorf("without a result: %v; %d are there", err, countRevoked(t, db))
		}
	})
}

// Whichever way the first attempt at a transaction fails, the second one begins anew.
func TestEveryTransactionIsRehearsed(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.Database) {
		const transactions = 100 // on PostgreSQL about ten of them fail to serialize, and two or three are cut off
		var attempts atomic.Int64
		for i := range transactions {
			before, err := storage.Write(t.Context(), db, func(ctx context.Context, tx bun.Tx) (int64, error) {
				attempts.Add(1)
				before, err := tx.NewSelect().TableExpr("revoked_tokens").Count(ctx)
				if err != nil {
					return 0, err
				}
				return before, insertRevoked(ctx, tx, time.Unix(int64(i), 0).String())
			})
			if err != nil || before != int64(i) {
				t.Fatalf("transaction %d found %d, %v", i, before, err)
			}
		}
		if attempts.Load() != 2*transactions || countRevoked(t, db) != transactions {
			t.Errorf("%d attempts, and %d rows", attempts.Load(), countRevoked(t, db))
		}
	})
}

func TestASparedDatabaseIsNotRehearsed(t *testing.T) {
	storagetest.EachURL(t, func(t *testing.T, url string) {
		storagetest.Unrehearsed(t, url)
		db, err := storage.Open(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = db.Close() }()
		attempts := 0
		if err := db.Write(t.Context(), func(context.Context, bun.Tx) error { attempts++; return nil }); err != nil ||
			attempts != 1 {
			t.Errorf("%d attempts, %v", attempts, err)
		}
	})
}
