package storage

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/uptrace/bun"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// CheckSoundness reads through an embedded database and says what is damaged there, if anything is. PostgreSQL looks
// after its own files.
func (d *Database) CheckSoundness(ctx context.Context) error {
	if d.Kind != SQLite {
		return nil
	}
	var found string
	if err := d.reader.NewRaw("PRAGMA quick_check(1)").Scan(ctx, &found); err != nil {
		return fmt.Errorf("the database file is damaged: %w", err)
	}
	if found != "ok" {
		return fmt.Errorf("the database file is damaged: %s", found)
	}
	return nil
}

// failedWrite is a transaction that failed because nothing could be written.
type failedWrite struct {
	err error
	at  time.Time
}

// noteFailure remembers a transaction that failed because the database is damaged or cannot be written to.
func noteFailure(d *Database, err error) {
	var lite *sqlite.Error
	var said *pgconn.PgError
	unsound := false
	switch {
	case errors.As(err, &lite):
		unsound = slices.Contains([]int{
			sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_CORRUPT,
			sqlite3.SQLITE_NOTADB,
		}, lite.Code()&primaryCode)
	case errors.As(err, &said): // disk_full, io_error, data_corrupted, index_corrupted
		unsound = slices.Contains([]string{readOnly, "53100", "58030", "XX001", "XX002"}, said.Code)
	}
	if unsound {
		d.failed.Store(&failedWrite{err, time.Now()})
	}
}

// WriteProbe tells whether something can be written. It tries that now and then, whoever asks how often.
type WriteProbe struct {
	database *Database

	mu      sync.Mutex
	err     error
	late    int // how often in a row the answer did not come in time
	triedAt time.Time
}

const (
	probedEvery       = 15 * time.Second
	probedEveryFailed = time.Second
	probePatience     = 2 * time.Second
	maxLate           = 3
)

// NewWriteProbe returns one that has not tried yet.
func NewWriteProbe(d *Database) *WriteProbe {
	return &WriteProbe{database: d, err: errors.New("nothing was written yet")}
}

// Check returns why nothing can be written, or nil. A transaction that failed lately says so by itself: a disk may have
// room for what is tried here, and for no more. The first question, and then one in a quarter of a minute, waits for
// the answer of the database; meanwhile the others are told what was so before.
func (p *WriteProbe) Check(ctx context.Context) error {
	if failed := p.database.failed.Load(); failed != nil && time.Since(failed.at) < probedEvery {
		return failed.err
	}
	p.mu.Lock()
	every := probedEvery
	if p.err != nil {
		every = probedEveryFailed
	}
	if time.Since(p.triedAt) < every {
		defer p.mu.Unlock()
		return p.err
	}
	p.triedAt = time.Now()
	p.mu.Unlock()
	// Whoever asks may hang up; the answer is for all.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), probePatience)
	defer cancel()
	// A row that is there in any case is written as it is: that changes nothing, and has to reach the disk all the same.
	err := p.database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE schema_migrations SET name = name WHERE version = 1")
		return err
	})
	p.mu.Lock()
	defer p.mu.Unlock()
	// Once it may be that others write so much that it was not this one's turn. A disk that hangs lets nobody have a turn.
	late := errors.Is(err, context.DeadlineExceeded) || isBusy(err)
	if late {
		p.late++
	} else {
		p.late = 0
	}
	if !late || p.late > maxLate {
		p.err = err
	}
	return p.err
}
