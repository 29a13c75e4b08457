package storage_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// The write-ahead log grows while somebody reads what was there before, and is cut back after that.
func TestTheLogIsCutBack(t *testing.T) {
	url := storagetest.URL(t, storage.SQLite)
	storagetest.Unrehearsed(t, url)
	db, err := storage.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	reader, err := db.ReaderConn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, err = reader.ExecContext(t.Context(), "BEGIN") // that of the driver would be for writing
	if err == nil {
		err = reader.NewRaw("SELECT count(*) FROM revoked_tokens").Scan(t.Context(), new(int))
	}
	if err != nil {
		t.Fatal(err)
	}
	write := func(i int) {
		t.Helper()
		err := db.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
			return insertRevoked(ctx, tx, fmt.Sprint(i, strings.Repeat("x", 1<<20)))
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	const kept = 8 << 20
	for i := range 12 {
		write(i)
	}
	if size := db.LogSize(); size < kept {
		t.Fatalf("beside a reader the log has %d bytes", size)
	}
	if _, err := reader.ExecContext(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if err := reader.Close(); err != nil {
		t.Fatal(err)
	}
	i := 100
	storagetest.Eventually(t, 10*time.Second, "the log is cut back", func() bool {
		i++
		write(i)
		return db.LogSize() <= kept
	})
}

// A large write-ahead log is told of, once a minute.
func TestALargeLogIsToldOfOnceAMinute(t *testing.T) {
	var out bytes.Buffer
	look, now := storage.WatchedLog(slog.New(slog.NewTextHandler(&out, nil))), time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)
	for _, step := range []struct {
		size   int64
		passes time.Duration
		said   int // lines until then
	}{
		{0, 0, 0}, {8 << 20, time.Minute, 0}, {64<<20 - 1, time.Minute, 0}, {64 << 20, 15 * time.Second, 1},
		{80 << 20, 15 * time.Second, 1}, {80 << 20, 44 * time.Second, 1}, {80 << 20, time.Second, 2},
		{8 << 20, time.Hour, 2}, {1 << 40, time.Second, 3},
	} {
		now = now.Add(step.passes)
		look(step.size, now)
		if n := strings.Count(out.String(), "level=WARN"); n != step.said {
			t.Errorf("%d bytes at %s: %d lines, want %d\n%s", step.size, now, n, step.said, &out)
		}
	}
}

// A backup as docs/upgrading.md recommends it reads a database for as long as it takes, beside a server that writes.
// The log grows by no more than what is written meanwhile, and is cut back when the backup has ended.
func TestTheLogBesideABackup(t *testing.T) {
	url := storagetest.URL(t, storage.SQLite)
	storagetest.Unrehearsed(t, url)
	db, err := storage.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	written := 0
	write := func(size int) {
		t.Helper()
		written++
		err := db.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
			return insertRevoked(ctx, tx, fmt.Sprint(written, strings.Repeat("x", size)))
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for range 64 { // what takes a while to read
		write(1 << 20)
	}
	other, err := sql.Open("sqlite", strings.TrimPrefix(url, "sqlite:"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close() }()
	const kept, each = 8 << 20, 64 << 10
	ended := make(chan error, 1)
	go func() {
		_, err := other.Exec("VACUUM INTO ?", filepath.Join(t.TempDir(), "backup.db"))
		ended <- err
	}()
	largest, beside := int64(0), int64(0)
	for running := true; running; {
		select {
		case err := <-ended:
			if err != nil {
				t.Fatal(err)
			}
			running = false
		default:
			write(each)
			beside++
			largest = max(largest, db.LogSize())
		}
	}
	// A row goes into the table and into an index, with a few pages more.
	if bound := kept + beside*(3*each); largest > bound {
		t.Errorf("beside %d writes of %d bytes the log had %d bytes, more than %d", beside, each, largest, bound)
	}
	t.Logf("beside a backup and %d writes of %d bytes the log had %d bytes", beside, each, largest)
	storagetest.Eventually(t, 10*time.Second, "the log is cut back", func() bool {
		write(each)
		return db.LogSize() <= kept
	})
}
