package storage_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/storagetest"
)

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

// alone opens a database whose one connection serves what comes one after the other, and returns how often a statement
// was planned that is prepared there; -1 where none is.
func alone(t *testing.T) (db *storage.Database, plans func(statement string) int) {
	t.Helper()
	url := storagetest.URL(t, storage.Postgres)
	storagetest.Unrehearsed(t, url)
	db, err := storage.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db, func(statement string) int {
		t.Helper()
		plans := -1
		err := db.Reader().NewRaw("SELECT coalesce(max(generic_plans + custom_plans), -1) FROM pg_prepared_statements "+
			"WHERE statement = '"+statement+"' AND $$asked as it is$$ <> ''").Scan(t.Context(), &plans)
		if err != nil {
			t.Fatal(err)
		}
		return plans
	}
}

func run(t *testing.T, db *storage.Database, statement string) {
	t.Helper()
	if err := db.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.ExecContext(ctx, statement)
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

// A pooler that forgets what was prepared, or remembers what others prepared, is noticed, though the connection looked
// like one to a server. What was asked is asked again, and nothing is prepared from then on.
func TestAPoolerIsNoticedLate(t *testing.T) {
	t.Parallel()
	const upper = "SELECT upper($1)"
	name := func(prefix, statement string) string { // as pgx calls it
		digest := sha256.Sum256([]byte(statement))
		return prefix + hex.EncodeToString(digest[:24])
	}
	insert := func(db *storage.Database, jti string) *bun.RawQuery {
		return db.Draft().NewRaw("INSERT INTO revoked_tokens (jti, expires_at) VALUES (?, ?)", jti, time.Unix(0, 0))
	}
	for pooler, spoil := range map[string]string{
		"forgets": "DEALLOCATE ALL",
		"remembers": "PREPARE " + name("stmtcache_", upper) + " AS SELECT 1; PREPARE " +
			name("stmt_", "INSERT INTO revoked_tokens (jti, expires_at) VALUES ($1, $2)") + " AS SELECT 1",
	} {
		for way, do := range map[string]func(db *storage.Database, arg string) error{
			"read": func(db *storage.Database, arg string) (err error) {
				var got string
				return db.Reader().NewRaw("SELECT upper(?)", arg).Scan(t.Context(), &got)
			},
			"write": func(db *storage.Database, arg string) error {
				return db.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
					var got string
					return tx.NewRaw("SELECT upper(?)", arg).Scan(ctx, &got)
				})
			},
			"script": func(db *storage.Database, arg string) error {
				return db.Append(t.Context(), insert(db, arg), insert(db, arg+" too"))
			},
		} {
			t.Run(pooler+", "+way, func(t *testing.T) {
				db, plans := alone(t)
				args := []string{"a", "b", "c"}
				if pooler == "forgets" { // what was prepared before
					if err := do(db, "a"); err != nil {
						t.Fatal(err)
					}
					args = args[1:]
				}
				run(t, db, spoil)
				for _, arg := range args {
					if err := do(db, arg); err != nil {
						t.Errorf("%s: %v", arg, err)
					}
				}
				if n := plans(upper); pooler == "forgets" && n != -1 {
					t.Errorf("it is prepared again, and was planned %d times", n)
				}
				if way == "script" {
					if n, err := db.Reader().NewSelect().TableExpr("revoked_tokens").Count(t.Context()); err != nil || n != 6 {
						t.Errorf("%d rows, %v", n, err)
					}
				}
			})
		}
	}
}

// A statement that fails when it runs, and not when it is prepared, is prepared all the same.
func TestAStatementThatFailsLaterStaysPrepared(t *testing.T) {
	t.Parallel()
	db, plans := alone(t)
	run(t, db, `CREATE FUNCTION picky(of TEXT) RETURNS TEXT LANGUAGE plpgsql AS $$ BEGIN
		IF of = 'bad' THEN RAISE EXCEPTION 'no' USING ERRCODE = '42804'; END IF; RETURN of; END $$`)
	for _, arg := range []string{"good", "bad", "good"} {
		var got string
		if err := db.Reader().NewRaw("SELECT picky(?)", arg).Scan(t.Context(), &got); (err != nil) != (arg == "bad") {
			t.Errorf("%s: %q, %v", arg, got, err)
		}
	}
	if n := plans("SELECT picky($1)"); n < 1 { // pgx prepares it anew after the error
		t.Errorf("it is not prepared any more")
	}
}
