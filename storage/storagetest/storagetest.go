// Package storagetest gives tests a fresh, migrated database of each kind: a SQLite file, and a database on a private
// PostgreSQL server that is started once for each test program on a free loopback port and ends with it.
package storagetest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/wicket-id/wicket/storage"
)

// Each runs test once on SQLite and once on PostgreSQL, as subtests of those names. Where no PostgreSQL is installed
// that subtest is skipped and says so; under `make test` (WICKET_TEST_COMPLETE=1) it fails instead.
func Each(t *testing.T, test func(t *testing.T, db *storage.Database)) {
	t.Helper()
	for _, kind := range []storage.Kind{storage.SQLite, storage.Postgres} {
		t.Run(string(kind), func(t *testing.T) { test(t, Open(t, kind)) })
	}
}

// EachURL is Each for tests that hand the database on to another process: it is migrated and not open.
func EachURL(t *testing.T, test func(t *testing.T, url string)) {
	t.Helper()
	for _, kind := range []storage.Kind{storage.SQLite, storage.Postgres} {
		t.Run(string(kind), func(t *testing.T) { test(t, URL(t, kind)) })
	}
}

// Open returns a fresh, migrated database of that kind, closed when the test ends.
func Open(t testing.TB, kind storage.Kind) *storage.Database {
	t.Helper()
	return open(t, URL(t, kind))
}

func open(t testing.TB, url string) *storage.Database {
	t.Helper()
	db, err := storage.Open(context.Background(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close the database: %v", err)
		}
	})
	return db
}

// OpenOnDisk is Open for SQLite with its file on the disk, where a commit takes the time that it takes an operator.
func OpenOnDisk(t testing.TB) *storage.Database {
	t.Helper()
	return open(t, sqliteURL(t, t.TempDir()))
}

// URL returns the URL of a fresh, migrated database of that kind.
func URL(t testing.TB, kind storage.Kind) string {
	t.Helper()
	if kind == storage.SQLite {
		return sqliteURL(t, sqliteFolder(t))
	}
	server := postgres(t)
	server.template.Do(func() {
		server.create(t, "wicket_template", "template1")
		migrate(t, server.url("wicket_template"))
	})
	return fresh(t, server, "wicket_template")
}

// sqliteURL makes a migrated SQLite database in a folder.
func sqliteURL(t testing.TB, folder string) string {
	t.Helper()
	path := filepath.Join(folder, "wicket.db")
	if err := os.WriteFile(path, migratedFile(t), 0o600); err != nil {
		t.Fatal(err)
	}
	return settled(t, "sqlite:"+path)
}

// sqliteFolder makes a folder for a SQLite database, which waits for the disk with each commit, until the test ends:
// in memory, but on the disk where somebody takes the time.
func sqliteFolder(t testing.TB) string {
	t.Helper()
	if _, timed := t.(*testing.B); timed {
		return t.TempDir()
	}
	folder, err := newFolder(inMemory(), fmt.Sprintf("wicket-sqlite-%d", nextNumber()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(folder); err != nil {
			t.Errorf("remove the database: %v", err)
		}
	})
	return folder
}

var migrated struct {
	sync.Mutex
	file []byte
}

// migratedFile returns a migrated SQLite database. To write it takes a hundredth of the time of the migrations.
func migratedFile(t testing.TB) []byte {
	t.Helper()
	migrated.Lock()
	defer migrated.Unlock()
	if migrated.file == nil {
		path := filepath.Join(t.TempDir(), "template.db")
		migrate(t, "sqlite:"+path)
		file, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		migrated.file = file
	}
	return migrated.file
}

// EmptyPostgres returns the URL of a PostgreSQL database without any table.
func EmptyPostgres(t testing.TB) string {
	t.Helper()
	return fresh(t, postgres(t), "template1")
}

var number atomic.Int64

// nextNumber is another one each time.
func nextNumber() int64 { return number.Add(1) }

func fresh(t testing.TB, server *postgresServer, template string) string {
	t.Helper()
	name := fmt.Sprintf("wicket_%d", nextNumber())
	server.create(t, name, template)
	t.Cleanup(func() { server.drop(t, name) })
	t.Logf("WICKET_TEST_SEED=%d", seed())
	return settled(t, server.url(name))
}

// settled decides whether the transactions of a new database are rehearsed: not where their time is taken.
func settled(t testing.TB, url string) string {
	if _, timed := t.(*testing.B); timed {
		Unrehearsed(t, url)
	}
	return url
}

func migrate(t testing.TB, url string) {
	t.Helper()
	db, err := storage.Open(context.Background(), url)
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.Migrate(context.Background())
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
}
