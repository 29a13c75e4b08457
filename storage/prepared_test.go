package storage_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// What stands in single quotes becomes an argument, and nothing else does.
func TestParameterize(t *testing.T) {
	t.Parallel()
	for query, want := range map[string][]string{ // the texts of the statements, each followed by its arguments
		`SELECT 1`: {`SELECT 1`},
		`SELECT * FROM t WHERE a = 'x' AND b = ''`:    {`SELECT * FROM t WHERE a = $1 AND b = $2`, `x`, ``},
		`SELECT 'it''s', ''''`:                        {`SELECT $1, $2`, `it's`, `'`},
		`SELECT 'a;b' FROM "t;'" WHERE c = 'd'`:       {`SELECT $1 FROM "t;'" WHERE c = $2`, `a;b`, `d`},
		`SELECT 'a\' , "x""y", 'b'`:                   {`SELECT $1 , "x""y", $2`, `a\`, `b`},
		`INSERT INTO t VALUES ('\x00ff'::bytea, 'é')`: {`INSERT INTO t VALUES ($1::bytea, $2)`, `\x00ff`, `é`},
		`SELECT now() - INTERVAL '1 day', 'x'`:        {`SELECT now() - INTERVAL '1 day', $1`, `x`},
		"UPDATE t SET a = 'b';\nDELETE FROM u;":       {`UPDATE t SET a = $1`, `b`, `DELETE FROM u`},
		`SELECT 'a' -- b`:                             nil,
		`SELECT /* b */ 'a'`:                          nil,
		`SELECT $1`:                                   nil,
		`DO $$ BEGIN 'x' END $$`:                      nil,
		`SELECT E'\n'`:                                nil,
		`SELECT 'open`:                                nil,
		`SELECT "open`:                                nil,
		``:                                            nil,
		`SELECT a IN (` + strings.Repeat(`'',`, 501):  nil,
	} {
		got, ok := storage.Parameterized(query)
		if ok != (want != nil) || ok && !slices.Equal(got, want) {
			t.Errorf("%s\n\tbecomes %q, %t\n\twant %q", query, got, ok, want)
		}
	}
}

// On PostgreSQL what comes again and again is prepared, whatever its arguments are, and so is what is written in one
// trip; what PostgreSQL does not understand with its arguments taken out is asked as it is.
func TestStatementsArePrepared(t *testing.T) {
	t.Parallel()
	db := storagetest.Open(t, storage.Postgres)
	conn, err := db.ReaderConn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	for _, name := range []string{"a", "b", "it's"} {
		var got string
		if err := conn.NewRaw("SELECT upper(?)", name).Scan(t.Context(), &got); err != nil || got != strings.ToUpper(name) {
			t.Errorf("upper(%q) is %q, %v", name, got, err)
		}
	}
	var prepared int
	err = conn.NewRaw("SELECT count(*) FROM pg_prepared_statements WHERE statement = ?", "SELECT upper($1)").
		Scan(t.Context(), &prepared)
	if err != nil || prepared != 1 {
		t.Errorf("prepared %d times, %v", prepared, err)
	}
	for range 3 { // of which type are the arguments?
		var got string
		err := db.Reader().NewRaw("SELECT ? || ?", "a", "b").Scan(t.Context(), &got)
		if err != nil || got != "ab" {
			t.Errorf("alone: %q, %v", got, err)
		}
		got, err = storage.Write(t.Context(), db, func(ctx context.Context, tx bun.Tx) (got string, err error) {
			return got, tx.NewRaw("SELECT coalesce(?, ?)", "c", "d").Scan(ctx, &got)
		})
		if err != nil || got != "c" {
			t.Errorf("in a transaction: %q, %v", got, err)
		}
	}
}

// A table that is altered beside a running server makes no query fail that has been prepared.
func TestPreparedStatementsOutliveAMigration(t *testing.T) {
	t.Parallel()
	db := storagetest.Open(t, storage.Postgres)
	alter := func(statement string) {
		t.Helper()
		err := db.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
			_, err := tx.ExecContext(ctx, statement)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	alter("CREATE TABLE altered (id TEXT PRIMARY KEY)")
	alter("INSERT INTO altered VALUES ('x')")
	read := func() error {
		var rows []map[string]any
		return db.Reader().NewRaw("SELECT * FROM altered WHERE id = ?", "x").Scan(t.Context(), &rows)
	}
	write := func() error {
		return db.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
			var rows []map[string]any
			return tx.NewRaw("SELECT * FROM altered WHERE id = ? FOR UPDATE", "x").Scan(ctx, &rows)
		})
	}
	for range 4 {
		if err := read(); err != nil {
			t.Fatal(err)
		}
		if err := write(); err != nil {
			t.Fatal(err)
		}
	}
	alter("ALTER TABLE altered ADD COLUMN more TEXT")
	for range 4 {
		if err := read(); err != nil {
			t.Errorf("read: %v", err)
		}
		if err := write(); err != nil {
			t.Errorf("write: %v", err)
		}
	}
}
