package copying

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/storage"
)

// newStream reads a table row by row, in the order of its keys.
type stream struct {
	table *table
	rows  *sql.Rows
	row   row // nil after the last one
	key   row
}

// newStream begins to read; the first row is there when it returns.
func newStream(ctx context.Context, d *storage.Database, on bun.IDB, t *table) (*stream, error) {
	rows, err := t.all(d, on).Rows(ctx)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", t.name, err)
	}
	s := &stream{table: t, rows: rows}
	if err := s.next(); err != nil {
		_ = rows.Close()
		return nil, err
	}
	return s, nil
}

func (s *stream) next() error {
	if !s.rows.Next() {
		s.row = nil
		if err := s.rows.Err(); err != nil {
			return fmt.Errorf("read %s: %w", s.table.name, err)
		}
		return nil
	}
	read, into := make(row, len(s.table.columns)), make([]any, len(s.table.columns))
	for i := range read {
		into[i] = &read[i]
	}
	if err := s.rows.Scan(into...); err != nil {
		return fmt.Errorf("read %s: %w", s.table.name, err)
	}
	raw := fmt.Sprint(read[s.table.position(s.table.key[0])])
	for i, column := range s.table.columns {
		var err error
		if read[i], err = canonical(column.kind, read[i]); err != nil {
			return fmt.Errorf("read %s %s: %s: %w", s.table.name, raw, column.name, err)
		}
	}
	key, before := s.table.keyOf(read), s.key
	for i, value := range key {
		if value == nil {
			return fmt.Errorf("read %s: a row without its %s", s.table.name, s.table.key[i])
		}
	}
	if before != nil && compareKeys(before, key) >= 0 {
		return errors.New("read " + s.table.nameOf(read) + ": the database does not list rows in the order of their keys")
	}
	s.row, s.key = read, key
	return nil
}
