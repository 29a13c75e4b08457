package storage

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// ErrNotFound says that no row answers the description. Callers wrap it with what was looked for.
var ErrNotFound = errors.New("not found")

// NotFound turns the driver's "no rows" into ErrNotFound and leaves every other error as it is.
func NotFound(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNotFound
	}
	return err
}

// Violates tells whether err is the violation of a uniqueness rule, and whether that rule is about column: on both
// products the message names the index or the columns, and our indexes are named after their columns.
func Violates(err error, column string) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code == "23505" && strings.Contains(pg.ConstraintName, column)
	}
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		unique := lite.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE || lite.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY
		return unique && strings.Contains(lite.Error(), column)
	}
	return false
}

// Unavailable tells whether err says that the database could not be asked, or not in time: it is away, has no
// connection or no lock to give, or the time that the caller had was over. It may be asked again a little later.
func Unavailable(err error) bool {
	var said *pgconn.PgError
	if errors.As(err, &said) && said.Code == "57014" { // query_canceled
		return true
	}
	return passes(err) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded)
}

// isBusy tells whether another process holds the lock of an SQLite database for longer than is waited for.
func isBusy(err error) bool {
	var lite *sqlite.Error
	return errors.As(err, &lite) && lite.Code()&primaryCode == sqlite3.SQLITE_BUSY
}

const primaryCode = 0xff // of one of SQLite's codes; the rest says more
