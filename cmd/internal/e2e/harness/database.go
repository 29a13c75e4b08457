package harness

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/storage"
)

// SQL runs one statement on the server's database.
func (h *Server) SQL(t testing.TB, query string, args ...any) {
	t.Helper()
	err := h.Database.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.ExecContext(ctx, query, args...)
		return err
	})
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// DumpAll returns every value of every table as text.
func DumpAll(t testing.TB, db *storage.Database) string {
	t.Helper()
	names := "SELECT name FROM sqlite_master WHERE type = 'table'"
	if db.Kind == storage.Postgres {
		names = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
	}
	var tables []string
	if err := db.Reader().NewRaw(names).Scan(context.Background(), &tables); err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, table := range tables {
		rows, err := db.Reader().QueryContext(context.Background(), `SELECT * FROM "`+table+`"`)
		if err != nil {
			t.Fatal(err)
		}
		columns, err := rows.Columns()
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			values, into := make([]any, len(columns)), make([]any, len(columns))
			for i := range values {
				into[i] = &values[i]
			}
			if err := rows.Scan(into...); err != nil {
				t.Fatal(err)
			}
			for _, value := range values {
				if raw, ok := value.([]byte); ok {
					value = string(raw)
				}
				fmt.Fprintf(&text, "%v\n", value)
			}
		}
		if err := rows.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return text.String()
}
