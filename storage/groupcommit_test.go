package storage_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// statementCounter counts the statements that begin with a word.
type statementCounter struct {
	word  string
	count atomic.Int64
}

func (c *statementCounter) BeforeQuery(ctx context.Context, event *bun.QueryEvent) context.Context {
	if strings.HasPrefix(event.Query, c.word) {
		c.count.Add(1)
	}
	return ctx
}

func (c *statementCounter) AfterQuery(context.Context, *bun.QueryEvent) {}

// Transactions that wait for each other share a commit. Each keeps what it wrote, or nothing if it fails, whatever the
// others do, and is answered when all can see it.
func TestTransactionsShareACommit(t *testing.T) {
	t.Parallel()
	storagetest.Each(t, func(t *testing.T, db *storage.Database) {
		if db.Kind == storage.SQLite { // in memory few would wait
			db = storagetest.OpenOnDisk(t)
		}
		commits := &statementCounter{word: "COMMIT"}
		db.Observe(commits)
		const writers, each = 32, 10
		fault, reason := errors.New("a fault"), errors.New("refused")
		var group sync.WaitGroup
		for writer := range writers {
			group.Go(func() {
				for i := range each {
					key := fmt.Sprintf("%d %d", writer, i)
					want := []error{nil, nil, reason, fault}[i%4]
					err := db.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
						if err := insertRevoked(ctx, tx, key); err != nil {
							return err
						}
						if want == reason {
							return storage.Refuse(reason)
						}
						return want
					})
					if !errors.Is(err, want) {
						t.Errorf("%s: %v, want %v", key, err, want)
					}
					there, err := db.Reader().NewSelect().TableExpr("revoked_tokens").Where("jti = ?", key).
						Count(t.Context())
					if kept := map[bool]int{true: 0, false: 1}[want == fault]; err != nil || there != int64(kept) {
						t.Errorf("%s: %d are there, %v; want %d", key, there, err, kept)
					}
				}
			})
		}
		group.Wait()
		if got := commits.count.Load(); db.Kind == storage.SQLite && got > writers*each/2 {
			t.Errorf("%d commits for %d transactions", got, writers*each)
		}
	})
}

// A transaction that panics takes nobody with it, and neither does one that gives up waiting.
func TestOneOfTheGroupPanics(t *testing.T) {
	t.Parallel()
	storagetest.Each(t, func(t *testing.T, db *storage.Database) {
		started, goes := make(chan struct{}), make(chan struct{})
		var once sync.Once
		var group sync.WaitGroup
		group.Go(func() {
			err := db.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
				once.Do(func() { close(started) })
				<-goes
				return insertRevoked(ctx, tx, "first")
			})
			if err != nil {
				t.Errorf("the first: %v", err)
			}
		})
		<-started
		ctx, cancel := context.WithCancel(t.Context())
		for range 5 {
			group.Go(func() {
				defer func() {
					if recover() == nil {
						t.Error("a panic got lost")
					}
				}()
				_ = db.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
					if err := insertRevoked(ctx, tx, "panics"); err != nil {
						return err
					}
					panic("in a transaction")
				})
			})
			group.Go(func() {
				err := db.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
					_, err := tx.ExecContext(ctx, "SELECT 1")
					return err
				})
				if err != nil && !errors.Is(err, context.Canceled) {
					t.Errorf("gives up: %v", err)
				}
			})
		}
		cancel()
		close(goes)
		group.Wait()
		if err := db.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
			return insertRevoked(ctx, tx, "last")
		}); err != nil {
			t.Error(err)
		}
		if got := countRevoked(t, db); got != 2 {
			t.Errorf("%d rows, want 2", got)
		}
	})
}

// held begins a transaction that inserts a row, and ends it when release is called. What it says comes from done.
func held(t *testing.T, db *storage.Database, key string) (release func(), done chan error) {
	t.Helper()
	started, goes, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	var once sync.Once
	go func() {
		done <- db.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
			once.Do(func() { close(started) })
			<-goes
			return insertRevoked(ctx, tx, key)
		})
	}()
	<-started
	return func() { close(goes) }, done
}

// awaitWaiting returns when that many want to write.
func awaitWaiting(t *testing.T, db *storage.Database, n int64) {
	t.Helper()
	for db.Waiting() < n {
		if t.Context().Err() != nil {
			t.Fatal("they do not wait")
		}
		runtime.Gosched()
	}
}

// SQLite undoes the whole transaction when a write in it is interrupted. Those who shared it run again.
func TestOneOfTheGroupIsInterrupted(t *testing.T) {
	t.Parallel()
	db := unrehearsed(t)
	release, first := held(t, db, "first")
	others := make(chan error)
	for i := range int64(4) {
		go func() {
			others <- db.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
				return insertRevoked(ctx, tx, fmt.Sprint("beside ", i))
			})
		}()
		awaitWaiting(t, db, i+1)
	}
	db.HurryUp(500 * time.Millisecond)
	go func() {
		awaitWaiting(t, db, 5)
		release()
	}()
	err := db.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO revoked_tokens (jti, expires_at)
			WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT 'endless ' || i, 0 FROM n`)
		return err
	})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the one that never ends: %v", err)
	}
	if err := <-first; err != nil {
		t.Errorf("the first: %v", err)
	}
	for range 4 {
		if err := <-others; err != nil {
			t.Errorf("beside it: %v", err)
		}
	}
	if got := countRevoked(t, db); got != 5 {
		t.Errorf("%d rows, want 5", got)
	}
}

// Whoever gives up waiting, whenever that is, leaves nobody without an answer.
func TestTheLastOfTheGroupGivesUp(t *testing.T) {
	t.Parallel()
	storagetest.EachURL(t, func(t *testing.T, url string) {
		storagetest.Unrehearsed(t, url)
		db, err := storage.Open(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = db.Close() }()
		for i := range 100 {
			release, first := held(t, db, fmt.Sprint(i))
			ctx, cancel := context.WithCancel(t.Context())
			second := make(chan error, 1)
			go func() {
				second <- db.Write(ctx, func(ctx context.Context, tx bun.Tx) error { return nil })
			}()
			if db.Kind == storage.SQLite {
				awaitWaiting(t, db, 1)
			}
			go cancel()
			release()
			if err := <-first; err != nil {
				t.Fatalf("%d: %v", i, err)
			}
			if err := <-second; err != nil && !errors.Is(err, context.Canceled) {
				t.Fatalf("%d gives up: %v", i, err)
			}
		}
	})
}

// Whoever waits in vain for another process that writes is told that the time was over.
func TestAnotherProcessWrites(t *testing.T) {
	t.Parallel()
	url := storagetest.URL(t, storage.SQLite)
	open := func() *storage.Database {
		db, err := storage.Open(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		return db
	}
	db := open()
	release, first := held(t, open(), "first")
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	err := db.Write(ctx, func(ctx context.Context, tx bun.Tx) error { return insertRevoked(ctx, tx, "second") })
	if !errors.Is(err, context.DeadlineExceeded) || !storage.Unavailable(err) {
		t.Errorf("in vain: %v", err)
	}
	release()
	if err := <-first; err != nil {
		t.Error(err)
	}
	if err := db.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
		return insertRevoked(ctx, tx, "third")
	}); err != nil || countRevoked(t, db) != 2 {
		t.Errorf("afterwards: %v, and %d rows", err, countRevoked(t, db))
	}
}

// unrehearsed opens a database on SQLite whose transactions run once.
func unrehearsed(t *testing.T) *storage.Database {
	t.Helper()
	url := storagetest.URL(t, storage.SQLite)
	storagetest.Unrehearsed(t, url)
	db, err := storage.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// The time of a caller that is over in the middle of its transaction costs nobody anything: it is brought to its end.
func TestNobodysTimeUndoesTheGroup(t *testing.T) {
	t.Parallel()
	db := unrehearsed(t)
	release, first := held(t, db, "first")
	caller, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	second := make(chan error, 1)
	go func() {
		second <- db.Write(caller, func(ctx context.Context, tx bun.Tx) error {
			for i := 0; caller.Err() == nil; i++ {
				if err := insertRevoked(ctx, tx, fmt.Sprint("second ", i)); err != nil {
					return err
				}
			}
			return insertRevoked(ctx, tx, "afterwards")
		})
	}()
	awaitWaiting(t, db, 1)
	release()
	for _, done := range []chan error{first, second} {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// What writes much waits for its turn like others, shares with nobody and is undone by itself.
func TestWriteMuch(t *testing.T) {
	t.Parallel()
	storagetest.Each(t, func(t *testing.T, db *storage.Database) {
		fault := errors.New("a fault")
		var group sync.WaitGroup
		for i := range 40 {
			want := map[bool]error{true: fault, false: nil}[i%4 == 0]
			write := db.Write
			if i%4 < 2 {
				write = func(ctx context.Context, do func(context.Context, bun.Tx) error) error {
					return storage.WriteMuch(ctx, db, do)
				}
			}
			group.Go(func() {
				err := write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
					return errors.Join(insertRevoked(ctx, tx, fmt.Sprint(i)), want)
				})
				if !errors.Is(err, want) {
					t.Errorf("%d: %v, want %v", i, err, want)
				}
			})
		}
		group.Wait()
		if got := countRevoked(t, db); got != 30 {
			t.Errorf("%d rows, want 30", got)
		}
		var file int
		err := db.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
			if db.Kind != storage.SQLite {
				return nil
			}
			if err := tx.NewRaw("PRAGMA temp_store").Scan(ctx, &file); err != nil || file != 2 {
				t.Errorf("temp_store is %d afterwards, %v", file, err)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
}
