package storage_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/storagetest"
)

func TestMigrateFromManyProcessesAtOnce(t *testing.T) {
	for kind, url := range map[storage.Kind]func(t *testing.T) string{
		storage.SQLite:   func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "wicket.db") },
		storage.Postgres: func(t *testing.T) string { return storagetest.EmptyPostgres(t) },
	} {
		t.Run(string(kind), func(t *testing.T) {
			url := url(t)
			var wg sync.WaitGroup
			applied := make(chan int, 8)
			for range 8 {
				wg.Go(func() {
					db, err := storage.Open(t.Context(), url)
					if err != nil {
						t.Error(err)
						return
					}
					defer func() { _ = db.Close() }()
					steps, err := db.Migrate(t.Context())
					if err != nil {
						t.Error(err)
					}
					applied <- len(steps)
				})
			}
			wg.Wait()
			close(applied)
			migrated := 0
			for n := range applied {
				if n > 0 {
					migrated++
				}
			}
			if migrated != 1 {
				t.Errorf("%d of 8 migrated, want exactly one", migrated)
			}
			db, err := storage.Open(t.Context(), url)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = db.Close() }()
			if pending, err := db.Pending(t.Context()); err != nil || len(pending) != 0 {
				t.Errorf("pending after migrating: %v, %v", pending, err)
			}
		})
	}
}

func TestAppendRunsEveryStatementOrNone(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.Database) {
		insert := func(jti string) *bun.RawQuery {
			return db.Draft().NewRaw("INSERT INTO revoked_tokens (jti, expires_at) VALUES (?, ?)", jti, time.Now())
		}
		if err := db.Append(t.Context(), insert("a"), insert("b?")); err != nil || countRevoked(t, db) != 2 {
			t.Fatalf("append: %v, %d rows", err, countRevoked(t, db))
		}
		if err := db.Append(t.Context(), insert("c"), insert("a")); err == nil || countRevoked(t, db) != 2 {
			t.Fatalf("with a violation: %v, %d rows", err, countRevoked(t, db))
		} else if !storage.Violates(err, "revoked_tokens") {
			t.Errorf("Violates does not know %v", err)
		}
	})
}

func TestClaimIsMadeOnce(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.Database) {
		insert := func(jti string) *bun.RawQuery {
			return db.Draft().NewRaw("INSERT INTO revoked_tokens (jti, expires_at) VALUES (?, ?)", jti, time.Unix(0, 0).UTC())
		}
		if err := db.Append(t.Context(), insert("claimed")); err != nil {
			t.Fatal(err)
		}
		claim := func(then string) (bool, error) {
			update := db.Draft().NewUpdate().Table("revoked_tokens").Set("expires_at = ?", time.Unix(1, 0).UTC()).
				Where("jti = 'claimed' AND expires_at = ?", time.Unix(0, 0).UTC())
			return db.Claim(t.Context(), []*bun.UpdateQuery{update}, insert(then))
		}
		if claimed, err := claim("claimed"); claimed || err == nil { // what follows fails, so the claim is not made
			t.Fatalf("a claim whose consequence fails: %v, %v", claimed, err)
		}
		var wg sync.WaitGroup
		claims := make(chan bool, 20)
		for i := range 20 {
			wg.Go(func() {
				claimed, err := claim(fmt.Sprint("then ", i))
				if err != nil {
					t.Error(err)
				}
				claims <- claimed
			})
		}
		wg.Wait()
		close(claims)
		won := 0
		for claimed := range claims {
			if claimed {
				won++
			}
		}
		if rows := countRevoked(t, db); won != 1 || rows != 2 {
			t.Errorf("%d of 20 claims were made, and %d rows are there, want 1 and 2", won, rows)
		}
	})
}

// Of two claims the first is not made where the second is not.
func TestClaimsAreMadeTogether(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.Database) {
		insert := func(jti string) *bun.RawQuery {
			return db.Draft().NewRaw("INSERT INTO revoked_tokens (jti, expires_at) VALUES (?, ?)", jti, time.Unix(0, 0).UTC())
		}
		claim := func(jti string) *bun.UpdateQuery {
			return db.Draft().NewUpdate().Table("revoked_tokens").Set("expires_at = ?", time.Unix(1, 0).UTC()).
				Where("jti = ? AND expires_at = ?", jti, time.Unix(0, 0).UTC())
		}
		if err := db.Append(t.Context(), insert("a"), insert("b")); err != nil {
			t.Fatal(err)
		}
		for _, try := range []struct {
			claims []*bun.UpdateQuery
			want   bool
		}{
			{[]*bun.UpdateQuery{claim("a"), claim("missing")}, false},
			{[]*bun.UpdateQuery{claim("missing"), claim("a")}, false},
			{[]*bun.UpdateQuery{claim("a"), claim("b")}, true},
			{[]*bun.UpdateQuery{claim("a")}, false},
			{nil, true},
		} {
			before := countRevoked(t, db)
			claimed, err := db.Claim(t.Context(), try.claims, insert(fmt.Sprint("then ", before)))
			if written := countRevoked(t, db) > before; err != nil || claimed != try.want || written != try.want {
				t.Errorf("%d claims: %v, written %v, %v, want %v", len(try.claims), claimed, written, err, try.want)
			}
		}
	})
}

func countRevoked(t *testing.T, db *storage.Database) (n int) {
	t.Helper()
	if err := db.Reader().NewRaw("SELECT count(*) FROM revoked_tokens").Scan(t.Context(), &n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestFaultInTransactionLeavesNothing(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.Database) {
		fault := errors.New("fault")
		err := db.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
			if err := insertRevoked(ctx, tx, "a"); err != nil {
				return err
			}
			return fault
		})
		if !errors.Is(err, fault) {
			t.Fatalf("Write returned %v", err)
		}
		if n := countRevoked(t, db); n != 0 {
			t.Errorf("%d rows were kept", n)
		}
	})
}

func TestOpenSaysWhatToWrite(t *testing.T) {
	for url, want := range map[string]string{
		"":                                  "must begin with",
		"mysql://x":                         "must begin with",
		"sqlite::memory:":                   "is not the path of a file",
		"sqlite:///dev/null/deep/wicket.db": "not a directory",
		"sqlite:/":                          "cannot be read and written",
		"sqlite:":                           "needs the path",
		"postgres://u:hunter2@h:no/x":       "not a valid PostgreSQL URL",
		"postgres://h/x?pool_max_conns=3":   "at least 4",
		"postgres://u:hunter2@h/x?sslmode=verify-full&sslrootcert=/none.pem": "open /none.pem",
		"postgres://h/x?statement_timeout=9":                                 "duration such as 10s",
	} {
		_, err := storage.Open(t.Context(), url)
		if checked := storage.CheckURL(url); checked == nil || err != nil && !strings.Contains(err.Error(), checked.Error()) {
			t.Errorf("CheckURL(%q): %v", url, checked)
		}
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("Open(%q): %v, want %q", url, err, want)
		}
	}
}

// How to get in may change under a running server.
func TestAdoptedURLIsForTheNextConnections(t *testing.T) {
	url := storagetest.URL(t, storage.Postgres)
	db, err := storage.Open(t.Context(), url+"?pool_max_conns=4")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	user := func() (name string) {
		t.Helper()
		if err := db.Reader().NewRaw("SELECT current_user").Scan(t.Context(), &name); err != nil {
			t.Fatal(err)
		}
		return name
	}
	role := "adopted_" + strings.ToLower(rand.Text())
	err = db.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewRaw("CREATE ROLE ? LOGIN SUPERUSER", bun.Ident(role)).Exec(ctx)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Adopt(strings.Replace(url, "postgres@", role+"@", 1)); err != nil || user() != "postgres" {
		t.Errorf("%v, or the open connection was left", err)
	}
	storagetest.TerminateConnections(t, url)
	if got := user(); got != role {
		t.Errorf("the next connection is %s's", got)
	}
	if err := db.Adopt("postgres://%zz"); err == nil || user() != role {
		t.Errorf("a wrong URL: %v", err)
	}
}

func TestSQLiteFileIsPrivate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "deep", "wicket.db")
	db, err := storage.Open(t.Context(), "sqlite:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestOldRowsGoInBatches(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.Database) {
		const old, young = 2500, 3
		err := db.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
			for i := range old + young {
				at := time.Unix(0, 0)
				if i >= old {
					at = time.Unix(1_000_000, 0)
				}
				if _, err := tx.NewRaw(
					"INSERT INTO revoked_tokens (jti, expires_at) VALUES (?, ?)", fmt.Sprint(i), at.UTC(),
				).Exec(ctx); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		deleted, err := db.DeleteBatches(t.Context(), "revoked_tokens", "jti", "expires_at < ?", time.Unix(1000, 0).UTC())
		if err != nil || deleted != old || countRevoked(t, db) != young {
			t.Errorf("%d deleted, %d left, %v", deleted, countRevoked(t, db), err)
		}
	})
}

// What happens in a transaction is counted if it is kept, and not if it is not.
func TestTallyFollowsTheTransaction(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.Database) {
		var counted []string
		ctx := storage.WithEventCounter(t.Context(), func(event string, labels ...string) {
			counted = append(counted, event+" "+strings.Join(labels, " "))
		})
		fault := errors.New("a fault")
		for _, end := range []error{nil, fault} {
			err := db.Write(ctx, func(ctx context.Context, _ bun.Tx) error {
				storage.CountEvent(ctx, "happened", fmt.Sprint(end))
				if len(counted) > 0 && end == nil {
					t.Error("counted before it is kept")
				}
				return end
			})
			if !errors.Is(err, end) {
				t.Fatal(err)
			}
		}
		storage.CountEvent(ctx, "outside")
		storage.CountEvent(t.Context(), "where nobody counts")
		if got := strings.Join(counted, ", "); got != "happened <nil>, outside " {
			t.Errorf("counted: %s", got)
		}
	})
}
