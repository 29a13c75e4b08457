package storage_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/storagetest"
)

func laterRevoked(ctx context.Context, tx bun.Tx, jti string) error {
	return storage.Later(ctx, tx, tx.NewRaw(
		"INSERT INTO revoked_tokens (jti, expires_at) VALUES (?, ?)", jti, time.Unix(0, 0),
	))
}

// What is left for later is part of its transaction: it is written where that is kept, also by a refusal, in one piece;
// and a fault of it is the transaction's.
func TestLater(t *testing.T) {
	t.Parallel()
	storagetest.Each(t, func(t *testing.T, db *storage.Database) {
		inserts := &statementCounter{word: "INSERT"}
		db.Observe(inserts)
		reason, fault := errors.New("refused"), errors.New("a fault")
		for _, test := range []struct {
			outcome, want error
			kept          int
		}{{nil, nil, 3}, {storage.Refuse(reason), reason, 3}, {fault, fault, 0}} {
			if err := db.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
				for _, key := range []string{"a", "b;", "c'"} {
					if err := laterRevoked(ctx, tx, key); err != nil {
						return err
					}
				}
				if n, err := tx.NewSelect().TableExpr("revoked_tokens").Count(ctx); err != nil || n != 0 {
					t.Errorf("%d rows before the end, %v", n, err)
				}
				return test.outcome
			}); err != test.want {
				t.Errorf("%v, want %v", err, test.want)
			}
			if got := countRevoked(t, db); got != test.kept {
				t.Errorf("%v: %d rows, want %d", test.outcome, got, test.kept)
			}
			if _, err := db.DeleteBatches(t.Context(), "revoked_tokens", "jti", "1 = 1"); err != nil {
				t.Fatal(err)
			}
		}
		if got := inserts.count.Load(); got != 4 { // each transaction is run twice, and the last one fails before
			t.Errorf("%d times it was written", got)
		}
		err := db.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
			return errors.Join(laterRevoked(ctx, tx, "d"), insertRevoked(ctx, tx, "e"), laterRevoked(ctx, tx, "d"))
		})
		if !storage.Violates(err, "jti") && !(err != nil && strings.Contains(err.Error(), "revoked_tokens_pkey")) {
			t.Errorf("twice the same: %v", err)
		}
		if got := countRevoked(t, db); got != 0 {
			t.Errorf("%d rows of a transaction that failed", got)
		}
	})
}
