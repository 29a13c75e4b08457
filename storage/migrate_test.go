package storage_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/rivermigrate"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// Somebody reads users and sessions for seconds, as a backup does, while the schema of both changes beside a server of
// the version before: nobody there waits for a second, and the change is made when the reader has gone.
func TestAMigrationWaitsForAReader(t *testing.T) {
	url := storagetest.URL(t, storage.Postgres)
	reader, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = reader.Close() }()
	reading, err := reader.Begin()
	if err == nil {
		_, err = reading.Exec("LOCK TABLE users, sessions IN ACCESS SHARE MODE") // which a SELECT takes
	}
	if err != nil {
		t.Fatal(err)
	}
	load := newSchemaLoad(t, url)
	migrator, err := storage.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = migrator.Close() }()
	ended := make(chan error, 1)
	go func() {
		ended <- migrator.Alter(t.Context(),
			"ALTER TABLE users ADD COLUMN added TEXT; ALTER TABLE sessions ADD COLUMN added TEXT")
	}()
	const held = 3 * time.Second
	began := time.Now()
	storagetest.Eventually(t, 2*held, "somebody reads for a while", func() bool { return time.Since(began) > held })
	select {
	case err := <-ended:
		t.Fatalf("the migration ended before the reader: %v", err)
	default:
	}
	if err := reading.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Errorf("the migration: %v", err)
	}
	load.end(t, 50)
}

// migrationsBesideLoad is how many there are: fifteen, or WICKET_TEST_MIGRATIONS (make test-migrations).
func migrationsBesideLoad(t *testing.T) int {
	t.Helper()
	said := os.Getenv("WICKET_TEST_MIGRATIONS")
	if said == "" {
		return 15
	}
	n, err := strconv.Atoi(said)
	if err != nil || n < 1 {
		t.Fatal("WICKET_TEST_MIGRATIONS must be a number of migrations")
	}
	return n
}

// Migrations beside load, and beside somebody who reads the same tables for a while again and again. Each takes the
// locks of several tables in another order than the load does: none of them fails, and nobody waits for long.
func TestMigrationsBesideLoad(t *testing.T) {
	migrations := migrationsBesideLoad(t)
	url := storagetest.URL(t, storage.Postgres)
	load := newSchemaLoad(t, url)
	migrator, err := storage.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = migrator.Close() }()
	const held = 150 * time.Millisecond
	reads := load.readForLong(t, url, held)
	began := time.Now()
	for i := range migrations {
		script := ""
		for _, table := range []string{"sessions", "revoked_tokens", "users", "clients"} {
			script += fmt.Sprintf("ALTER TABLE %s ADD COLUMN added_%d TEXT;", table, i)
		}
		if err := migrator.Alter(t.Context(), script); err != nil {
			t.Errorf("migration %d: %v", i, err)
		}
	}
	took := time.Since(began)
	load.end(t, 50)
	if reads.Load() == 0 {
		t.Error("nobody read for long beside them")
	}
	t.Logf("%d migrations in %s, beside %d reads that took %s each", migrations, took, reads.Load(), held)
}

// The queue's own steps wait for a lock no longer than ours: who reads its tables does not wait behind them.
func TestMigrationsOfTheQueueBesideAReader(t *testing.T) {
	t.Parallel()
	url := storagetest.URL(t, storage.Postgres)
	db, err := storage.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	raw, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = raw.Close() }()
	migrator, err := rivermigrate.New(riverdatabasesql.New(raw), nil)
	if err != nil {
		t.Fatal(err)
	}
	undone, err := migrator.Migrate(t.Context(), rivermigrate.DirectionDown, &rivermigrate.MigrateOpts{MaxSteps: 2})
	if err != nil || len(undone.Versions) != 2 {
		t.Fatalf("%v, %v", undone, err)
	}
	count := func(of interface {
		QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	}) error {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		return of.QueryRowContext(ctx, "SELECT count(*) FROM river_job").Scan(new(int))
	}
	backup, err := raw.BeginTx(t.Context(), nil)
	if err == nil {
		err = count(backup)
	}
	if err != nil {
		t.Fatal(err)
	}
	migrated := make(chan error, 1)
	go func() {
		_, err := db.Migrate(t.Context())
		migrated <- err
	}()
	waits := func() (n int, err error) {
		err = raw.QueryRowContext(
			t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
		).Scan(&n)
		return n, err
	}
	for range 3 {
		storagetest.Eventually(t, 30*time.Second, "a step waits for a lock", func() bool {
			n, err := waits()
			return err == nil && n > 0
		})
		began := time.Now()
		if err := count(raw); err != nil || time.Since(began) > time.Second {
			t.Fatalf("a reader waits for %s: %v", time.Since(began), err)
		}
	}
	if err := backup.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := <-migrated; err != nil {
		t.Error(err)
	}
	if existing, err := migrator.ExistingVersions(t.Context()); err != nil ||
		existing[len(existing)-1].Version != undone.Versions[0].Version {
		t.Errorf("then %v, %v", existing, err)
	}
}

// schemaLoad reads and writes as the requests of a server do.
type schemaLoad struct {
	db      *storage.Database
	over    atomic.Bool
	workers sync.WaitGroup
	done    atomic.Int64
	slowest atomic.Int64
}

func newSchemaLoad(t *testing.T, url string) *schemaLoad {
	t.Helper()
	storagetest.Unrehearsed(t, url)
	db, err := storage.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	l := &schemaLoad{db: db}
	often := time.NewTicker(time.Millisecond)
	t.Cleanup(often.Stop)
	timed := func(what string, do func() error) {
		began := time.Now()
		if err := do(); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		l.done.Add(1)
		for took := int64(time.Since(began)); ; {
			before := l.slowest.Load()
			if took <= before || l.slowest.CompareAndSwap(before, took) {
				return
			}
		}
	}
	for range 2 {
		l.workers.Go(func() {
			for !l.over.Load() {
				<-often.C
				timed("a read", func() error {
					var n int
					return db.Reader().NewRaw("SELECT count(*) FROM users LEFT JOIN sessions ON sessions.user_id = users.id").
						Scan(t.Context(), &n)
				})
			}
		})
		l.workers.Go(func() {
			for !l.over.Load() {
				<-often.C
				timed("a write", func() error {
					return db.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
						for _, table := range []string{"users", "clients", "revoked_tokens", "sessions"} {
							if _, err := tx.NewRaw("DELETE FROM ? WHERE FALSE", bun.Ident(table)).Exec(ctx); err != nil {
								return err
							}
						}
						return nil
					})
				})
			}
		})
	}
	return l
}

// readForLong has somebody read for that long, and leave for as long, again and again. It returns how often they have.
func (l *schemaLoad) readForLong(t *testing.T, url string, held time.Duration) *atomic.Int64 {
	t.Helper()
	reader, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = reader.Close() })
	reads, turns := new(atomic.Int64), time.NewTicker(held)
	t.Cleanup(turns.Stop)
	l.workers.Go(func() {
		for !l.over.Load() {
			reading, err := reader.Begin()
			if err == nil {
				_, err = reading.Exec("LOCK TABLE users, sessions IN ACCESS SHARE MODE") // which a SELECT takes
			}
			if err == nil {
				<-turns.C
				err = reading.Rollback()
				reads.Add(1)
			}
			if err != nil {
				t.Errorf("who reads for long: %v", err)
				return
			}
			<-turns.C
		}
	})
	return reads
}

// end stops the load, of which there must have been some, and which must not have waited.
func (l *schemaLoad) end(t *testing.T, least int64) {
	t.Helper()
	l.over.Store(true)
	l.workers.Wait()
	if err := l.db.Close(); err != nil {
		t.Error(err)
	}
	if slowest := time.Duration(l.slowest.Load()); slowest > time.Second {
		t.Errorf("somebody waited for %s", slowest)
	}
	if done := l.done.Load(); done < least {
		t.Errorf("there was hardly any load: %d", done)
	}
	t.Logf("%d reads and writes, the slowest of which took %s", l.done.Load(), time.Duration(l.slowest.Load()))
}
