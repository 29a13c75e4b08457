package storage_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// A statement that is kept can be asked again while its last answer is read, and more are asked than are kept.
func TestStatementsAreKeptOnSQLite(t *testing.T) {
	t.Parallel()
	db := storagetest.Open(t, storage.SQLite)
	for _, key := range []string{"a", "b", "it's; $1 ?1"} {
		if err := db.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
			return insertRevoked(ctx, tx, key)
		}); err != nil {
			t.Fatal(err)
		}
	}
	conn, err := db.ReaderConn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	const text = "SELECT jti FROM revoked_tokens WHERE jti > ? AND X'00FF' = ? ORDER BY jti"
	query := func(after string) []string {
		t.Helper()
		rows, err := conn.QueryContext(t.Context(), text, after, []byte{0, 255})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = rows.Close() }()
		var found []string
		for rows.Next() {
			var jti string
			if err := rows.Scan(&jti); err != nil {
				t.Fatal(err)
			}
			found = append(found, jti)
			if after == "" { // while the first answer is read
				var inner []string
				err := conn.NewRaw(text, jti, []byte{0, 255}).Scan(t.Context(), &inner)
				if err != nil || len(inner) != 3-len(found) {
					t.Errorf("after %q: %q, %v", jti, inner, err)
				}
			}
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		return found
	}
	for range 3 {
		if found := query(""); len(found) != 3 || found[2] != "it's; $1 ?1" {
			t.Errorf("found %q", found)
		}
	}
	for i := range 700 {
		var got string
		err := conn.NewRaw(fmt.Sprintf("SELECT ? AS column%d", i), "x").Scan(t.Context(), &got)
		if err != nil || got != "x" {
			t.Fatalf("statement %d: %q, %v", i, got, err)
		}
	}
	if found := query("a"); len(found) != 2 {
		t.Errorf("afterwards: %q", found)
	}
}
