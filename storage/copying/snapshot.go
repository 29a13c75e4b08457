package copying

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/storage"
)

// newSnapshot is a database as it was at one moment, whatever is written meanwhile.
type snapshot struct {
	bun.Tx
	connection bun.Conn
	kind       storage.Kind
	version    int64
}

func newSnapshot(ctx context.Context, d *storage.Database) (*snapshot, error) {
	connection, err := d.ReaderConn(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the database as it is now: %w", err)
	}
	s := &snapshot{connection: connection, kind: d.Kind}
	options := &sql.TxOptions{ReadOnly: true}
	if d.Kind == storage.Postgres {
		options.Isolation = sql.LevelRepeatableRead
	}
	if s.version, err = s.dataVersion(ctx); err == nil {
		s.Tx, err = connection.BeginTx(ctx, options)
	}
	if err == nil {
		// SQLite and PostgreSQL take the snapshot with the first query.
		if _, err = s.NewSelect().Table("schema_migrations").Limit(1).Exec(ctx); err != nil {
			_ = s.Rollback()
		}
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("read the database as it is now: %w", err), connection.Close())
	}
	return s, nil
}

// end ends it and tells whether somebody has written to the database since it began. Only SQLite can tell.
func (s *snapshot) end(ctx context.Context) (written bool, err error) {
	if err = s.Rollback(); err == nil {
		var version int64
		version, err = s.dataVersion(ctx)
		written = version != s.version
	}
	return written, errors.Join(err, s.connection.Close())
}

// dataVersion changes when another connection writes.
func (s *snapshot) dataVersion(ctx context.Context) (version int64, err error) {
	if s.kind == storage.SQLite {
		err = s.connection.QueryRowContext(ctx, "PRAGMA data_version").Scan(&version)
	}
	return version, err
}
