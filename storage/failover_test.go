package storage_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// Connections are ended and the server restarted under load: every read is answered whose connections were not ended
// twice, and every transaction that was answered with success was done once. What broke in its commit may be an error,
// and is rare.
func TestPostgresFailsUnderLoad(t *testing.T) {
	url := storagetest.URL(t, storage.Postgres)
	db, err := storage.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var done atomic.Bool
	var reads, kept, appended, claimed, unsure, number, rounds atomic.Int64
	var load sync.WaitGroup
	insert := func(id int64) string { return fmt.Sprintf("%06d", id) }
	for range 4 {
		load.Go(func() { // reads
			for !done.Load() {
				var n int
				before := rounds.Load()
				// On a busy machine a read takes long: two pooled connections end under it, and then its own, new one.
				if err := db.Reader().NewRaw("SELECT count(*) FROM revoked_tokens").Scan(t.Context(), &n); err != nil &&
					(rounds.Load() < before+2 || !errors.Is(err, driver.ErrBadConn)) {
					t.Errorf("a read: %v", err)
				}
				reads.Add(1)
			}
		})
		load.Go(func() { // transactions, scripts and claims
			for !done.Load() {
				id := insert(number.Add(1))
				err := db.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
					if _, err := tx.NewRaw(
						"INSERT INTO revoked_tokens (jti, expires_at) VALUES (?, ?)", id, time.Unix(0, 0),
					).Exec(ctx); err != nil {
						return err
					}
					_, err := tx.NewRaw("UPDATE revoked_tokens SET expires_at = ? WHERE jti = ?", time.Unix(1, 0), id).Exec(ctx)
					return err
				})
				if err != nil {
					unsure.Add(1)
					t.Logf("a transaction: %v", err)
					continue
				}
				kept.Add(1)
				other := insert(number.Add(1))
				if err := db.Append(
					t.Context(),
					db.Draft().NewRaw("INSERT INTO revoked_tokens (jti, expires_at) VALUES (?, ?)", other, time.Unix(0, 0)),
				); err != nil {
					unsure.Add(1)
					t.Logf("a script: %v", err)
					continue
				}
				appended.Add(1)
				claim := db.Draft().NewUpdate().
					Table("revoked_tokens").
					Set("expires_at = ?", time.Unix(2, 0)).
					Where("jti = ? AND expires_at = ?", other, time.Unix(0, 0))
				switch made, err := db.Claim(t.Context(), []*bun.UpdateQuery{claim}); {
				case err != nil:
					unsure.Add(1)
					t.Logf("a claim: %v", err)
				case !made:
					t.Error("a claim that nobody else makes was made before")
				default:
					claimed.Add(1)
				}
			}
		})
	}
	progress := func(what string) {
		t.Helper()
		before, began := kept.Load(), time.Now()
		storagetest.Eventually(t, 30*time.Second, "there is load", func() bool { return kept.Load() > before+50 })
		t.Logf("%s: 50 transactions in %s", what, time.Since(began).Round(time.Millisecond))
	}
	progress("at rest")
	ended := 0
	for range 10 {
		rounds.Add(1)
		ended += storagetest.TerminateConnections(t, url)
		progress("connections ended")
	}
	start := storagetest.StopPostgres(t)
	stopped := time.Now()
	storagetest.Eventually(t, 5*time.Second, "the outage lasts", func() bool { return time.Since(stopped) > time.Second })
	start()
	progress("restarted")
	done.Store(true)
	load.Wait()
	t.Logf(
		"%d connections ended; %d reads, %d transactions, %d scripts, %d claims, %d of which nobody knows", ended,
		reads.Load(), kept.Load(), appended.Load(), claimed.Load(), unsure.Load(),
	)
	if ended < 20 {
		t.Error("hardly any connections were ended")
	}
	if limit := (kept.Load() + appended.Load()) / 20; unsure.Load() > limit {
		t.Errorf("%d failed, more than %d", unsure.Load(), limit)
	}
	for expiry, want := range map[int64]int64{1: kept.Load(), 2: claimed.Load()} {
		var rows int64
		if err := db.Reader().NewRaw("SELECT count(*) FROM revoked_tokens WHERE expires_at = ?", time.Unix(expiry, 0)).
			Scan(t.Context(), &rows); err != nil {
			t.Fatal(err)
		}
		if rows < want || rows > want+unsure.Load() {
			t.Errorf("%d were answered with success, and %d are in the database", want, rows)
		}
	}
}

// A commit that waits for a standby is done already. Where the connection is ended just then nobody knows whether the
// standby has it, and it must not be made again.
func TestACommitThatWaitsForAStandbyIsNotMadeAgain(t *testing.T) {
	t.Parallel()
	pair := storagetest.NewPostgresPair(t)
	db, err := storage.Open(t.Context(), pair.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if err := db.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.ExecContext(ctx, "CREATE TABLE attempts (way text)") // without a key that would refuse a second one
		return err
	}); err != nil {
		t.Fatal(err)
	}
	pair.LoseStandby(t)
	insert := func(way string) *bun.RawQuery { return db.Draft().NewRaw("INSERT INTO attempts VALUES (?)", way) }
	for way, do := range map[string]func(way string) error{
		"write": func(way string) error {
			return db.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
				_, err := tx.NewRaw("INSERT INTO attempts VALUES (?)", way).Exec(ctx)
				return err
			})
		},
		"append": func(way string) error { return db.Append(t.Context(), insert(way)) },
		"append several": func(way string) error {
			return db.Append(t.Context(), insert(way), db.Draft().NewRaw("DELETE FROM attempts WHERE way = ?", "nothing"))
		},
		"unprepared": func(way string) error { // the dollar: it goes as it is
			return db.Append(t.Context(), insert(way), db.Draft().NewRaw("DELETE FROM attempts WHERE way = $$nothing$$"))
		},
		"mark": func(way string) error {
			return db.Mark(t.Context(), storage.NewOneTimeMark("test", way, time.Now().Add(time.Hour)))
		},
	} {
		t.Run(way, func(t *testing.T) {
			ended := make(chan error, 1)
			go func() { ended <- do(way) }()
			if n := pair.EndCommits(t); n != 1 {
				t.Errorf("%d commits waited", n)
			}
			select {
			case err := <-ended:
				if err == nil || errors.Is(err, storage.ErrUsedBefore) {
					t.Errorf("it was answered with %v", err)
				}
				t.Log(err)
			case <-time.After(15 * time.Second):
				t.Fatal("it is made again")
			}
			var rows int
			err := db.Reader().NewRaw("SELECT count(*) FROM attempts WHERE way = ?", way).Scan(t.Context(), &rows)
			if err != nil || rows != 1 && way != "mark" {
				t.Errorf("%d rows, %v", rows, err)
			}
		})
	}
}

// A server that was demoted to a replica refuses to write; the connection to it is left, and the transaction made
// again.
func TestDemotedServerIsLeft(t *testing.T) {
	url := storagetest.URL(t, storage.Postgres)
	db, err := storage.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	tries := 0
	err = db.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
		if tries++; tries == 1 {
			if _, err := tx.ExecContext(ctx, "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"); err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, "SET TRANSACTION READ ONLY"); err != nil {
				return err
			}
		}
		_, err := tx.NewRaw("INSERT INTO revoked_tokens (jti, expires_at) VALUES ('x', ?)", time.Unix(0, 0)).Exec(ctx)
		return err
	})
	if err != nil || tries != 2 {
		t.Errorf("after %d tries: %v", tries, err)
	}
}

// A server that never was there is said to be missing at once; one that stays away is waited for once, not by
// everybody.
func TestOutagesAreWaitedForWithinABudget(t *testing.T) {
	began := time.Now()
	_, err := storage.Open(t.Context(), fmt.Sprintf("postgres://nobody:s3cret@127.0.0.1:%d/x", storagetest.Port(t)))
	if err == nil || time.Since(began) > 2*time.Second || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("a wrong URL: %v after %s", err, time.Since(began))
	}
	db := storagetest.Open(t, storage.Postgres)
	if err := db.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	start := storagetest.StopPostgres(t)
	defer start()
	read := func() error {
		var n int
		return db.Reader().NewRaw("SELECT count(*) FROM revoked_tokens").Scan(t.Context(), &n)
	}
	began = time.Now()
	var wg sync.WaitGroup
	for range 100 { // more than there are connections
		wg.Go(func() {
			if err := read(); err == nil {
				t.Error("read from a server that is away")
			}
		})
	}
	wg.Wait()
	if took := time.Since(began); took < 9*time.Second || took > 14*time.Second {
		t.Errorf("a hundred waited for %s, want 10s", took)
	}
	began = time.Now()
	if err := read(); err == nil || time.Since(began) > time.Second {
		t.Errorf("later ones wait for %s: %v", time.Since(began), err)
	}
}

// A query of a request ends, though its caller cannot end it, and is cancelled on the server; the connection after it
// is a new one.
func TestQueriesHaveAnEnd(t *testing.T) {
	url := storagetest.URL(t, storage.Postgres)
	db, err := storage.Open(t.Context(), url+"?statement_timeout=200ms&application_name=bounded")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	began := time.Now()
	if _, err := db.Reader().QueryContext(
		context.Background(), "SELECT pg_sleep(60)",
	); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("after %s: %v", time.Since(began), err)
	}
	if took := time.Since(began); took < 200*time.Millisecond || took > 10*time.Second {
		t.Errorf("it took %s", took)
	}
	observer, err := storage.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = observer.Close() }()
	storagetest.Eventually(t, 10*time.Second, "the server does it no more", func() bool {
		n, err := observer.Reader().NewSelect().
			TableExpr("pg_stat_activity").
			Where("application_name = 'bounded' AND state = 'active'").Count(t.Context())
		return err == nil && n == 0
	})
	// The time of one query does not run on into the next, nor does it hold for who can end theirs.
	for range 3 {
		if _, err := db.Reader().ExecContext(context.Background(), "SELECT pg_sleep(0.11)"); err != nil {
			t.Error(err)
		}
	}
	if _, err := db.Reader().ExecContext(t.Context(), "SELECT pg_sleep(0.3)"); err != nil {
		t.Error(err)
	}
}
