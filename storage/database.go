package storage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"
	"github.com/uptrace/bun/dialect/sqlitedialect"

	"github.com/wicket-id/wicket/storage/internal/rehearsal"
)

// Kind names a database product.
type Kind string

// The databases that Wicket runs on.
const (
	SQLite   Kind = "sqlite"
	Postgres Kind = "postgres"
)

// Database is an open database. SQLite has one writer and several readers, so the two are kept apart for both products:
// a query outside a transaction cannot write by accident.
type Database struct {
	Kind      Kind
	path      string // of SQLite's file
	reader    *bun.DB
	writer    *bun.DB
	standby   *bun.DB       // nil: there is none
	connector *connector    // PostgreSQL's
	groups    *groupCommits // SQLite's
	failed    atomic.Pointer[failedWrite]
	rehearse  rehearsal.Hook // nil but in tests
}

// Open opens the database that rawURL names: "sqlite:PATH" (the file and its folder are made where they are missing) or
// "postgres://USER:PASSWORD@HOST/NAME". It does not migrate. The errors say what to write instead and never repeat a
// password.
func Open(ctx context.Context, rawURL string) (*Database, error) {
	if err := CheckURL(rawURL); err != nil {
		return nil, fmt.Errorf("the database URL: %w", err)
	}
	var db *Database
	var err error
	if path, isFile := strings.CutPrefix(rawURL, "sqlite:"); isFile {
		db, err = openSQLite(strings.TrimPrefix(path, "//"))
	} else {
		db, err = openPostgres(rawURL)
	}
	if err != nil {
		return nil, err
	}
	if rehearsal.For != nil {
		db.rehearse = rehearsal.For(rawURL)
	}
	if err := db.Ping(ctx); err != nil {
		_ = db.Close()
		return nil, fmt.Errorf("reach the %s database: %w", db.Kind, err)
	}
	return db, nil
}

func openSQLite(path string) (*Database, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of the database: %w", err)
	}
	// The file is made here, so that nobody but its owner may read it whatever the umask is.
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	if err := file.Close(); err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	open := func(connections int, extra ...string) (*bun.DB, error) {
		// synchronous=FULL: what was answered with success survives a power cut.
		pragmas := append(
			[]string{
				"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)",
				fmt.Sprintf("journal_size_limit(%d)", logKept),
			}, extra...,
		)
		dsn := url.URL{
			Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(),
			RawQuery: url.Values{"_pragma": pragmas, "_txlock": {"immediate"}}.Encode(),
		}
		connector, err := newSQLiteConnector(dsn.String())
		if err != nil {
			return nil, fmt.Errorf("open the database: %w", err)
		}
		db := sql.OpenDB(connector)
		db.SetMaxOpenConns(connections)
		db.SetMaxIdleConns(connections)
		return bun.NewDB(db, sqlitedialect.New(), laterColumns), nil
	}
	// A savepoint keeps the pages as they were before: in memory, for a file would cost a write for each.
	writer, err := open(1, "temp_store(MEMORY)")
	if err != nil {
		return nil, err
	}
	reader, err := open(max(4, runtime.NumCPU()), "query_only(1)")
	if err != nil {
		return nil, err
	}
	return &Database{Kind: SQLite, path: path, reader: reader, writer: writer, groups: newGroupCommits()}, nil
}

// laterColumns lets this version go on beside the next one, whose migrations have added columns: a query of all
// columns of a table finds them too.
var laterColumns = bun.WithDiscardUnknownColumns()

// logKept is how large the file of SQLite's write-ahead log may stay, in bytes, once nobody reads any more what was
// there before its writes.
const logKept = 8 << 20

func openPostgres(rawURL string) (*Database, error) {
	config, size, timeout, err := parsePostgres(rawURL)
	if err != nil {
		return nil, err
	}
	connector := newConnector(config, timeout)
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	db.SetConnMaxIdleTime(5 * time.Minute)
	handle := bun.NewDB(db, pgdialect.New(), laterColumns)
	return &Database{Kind: Postgres, reader: handle, writer: handle, connector: connector}, nil
}

// Adopt opens the next connections to PostgreSQL as another URL says, with another password for instance; those that
// are open stay. SQLite's file cannot be another. The errors are Open's.
func (d *Database) Adopt(rawURL string) error {
	if d.Kind == SQLite {
		return nil
	}
	config, _, _, err := parsePostgres(rawURL)
	if err == nil {
		d.connector.config.Store(config)
	}
	return err
}

// ReaderConn takes one connection out of the pool of Reader, for queries that belong together. Close gives it back.
func (d *Database) ReaderConn(ctx context.Context) (bun.Conn, error) { return d.reader.Conn(ctx) }

// Reader runs queries that change nothing. What Write committed is seen at once.
func (d *Database) Reader() bun.IDB { return d.reader }

// Lock makes transactions that name the same lock run one after the other, in all processes, until tx ends. On SQLite
// every writing transaction does so anyway.
func (d *Database) Lock(ctx context.Context, tx bun.Tx, name string) error {
	if d.Kind == SQLite {
		return nil
	}
	_, err := tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock(hashtextextended(?, ?))", name, lockSpace)
	return err
}

// lockSpace keeps our advisory locks apart from those of other programs in the same database.
const lockSpace = 0x5769636b6574 // "Wicket"

// Ping asks the database for a sign of life.
func (d *Database) Ping(ctx context.Context) error {
	return d.reader.PingContext(ctx)
}

// Observe calls hook around every query from now on, for traces and for tests that count.
func (d *Database) Observe(hook bun.QueryHook) {
	d.reader = d.reader.WithQueryHook(hook)
	if d.standby != nil {
		d.standby = d.standby.WithQueryHook(hook)
	}
	if d.Kind == Postgres {
		d.writer = d.reader
	} else {
		d.writer = d.writer.WithQueryHook(hook)
	}
}

// Close waits for running queries and closes the database.
func (d *Database) Close() error {
	if d.standby != nil {
		return errors.Join(d.standby.Close(), d.writer.Close())
	}
	if d.Kind == Postgres {
		return d.writer.Close()
	}
	return errors.Join(d.reader.Close(), d.writer.Close())
}
