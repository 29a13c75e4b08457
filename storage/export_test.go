package storage

import (
	"context"
	"log/slog"
	"time"

	"github.com/uptrace/bun"
)

// Alter is a migration of that script by itself.
func (d *Database) Alter(ctx context.Context, script string) error {
	_, err := alter(ctx, d, "migrate", func(ctx context.Context, tx bun.Tx) (none struct{}, err error) {
		_, err = tx.Tx.ExecContext(ctx, script)
		return none, err
	})
	return err
}

// Parameterized is parameterize for PostgreSQL ('$') or SQLite ('?'), each text followed by its arguments.
func Parameterized(query string, argument byte) (flat []any, ok bool) {
	statements, ok := parameterize(query, argument)
	for _, s := range statements {
		flat = append(append(flat, s.text), s.args...)
	}
	return flat, ok
}

// Waiting returns how many want to write to SQLite.
func (d *Database) Waiting() int64 { return d.groups.waiting.Load() }

// WatchedLog returns what is done when the write-ahead log is looked at.
func WatchedLog(log *slog.Logger) func(size int64, now time.Time) {
	watch := new(logWatch)
	return func(size int64, now time.Time) { watch.look(size, now, log) }
}

// HurryUp sets how long a transaction on SQLite may take.
func (d *Database) HurryUp(patience time.Duration) { d.groups.patience = patience }
