package configuration_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/wicket-id/wicket/storage"
)

// tables is all that the database holds, a row a line.
func (b *bench) tables(t testing.TB) string {
	t.Helper()
	db := b.h.Database
	query := "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
	if db.Kind == storage.Postgres {
		query = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename"
	}
	var names []string
	if err := db.Reader().NewRaw(query).Scan(t.Context(), &names); err != nil || len(names) < 20 {
		t.Fatal(names, err)
	}
	var lines []string
	for _, name := range names {
		var rows []map[string]any
		if err := db.Reader().NewSelect().Table(name).Scan(t.Context(), &rows); err != nil {
			t.Fatal(name, err)
		}
		var all []string
		for _, row := range rows {
			all = append(all, fmt.Sprintf("%s %q", name, row)) // the names of a map are in order
		}
		slices.Sort(all)
		lines = append(lines, all...)
	}
	return strings.Join(lines, "\n")
}

// firstDifference are the first lines that differ.
func firstDifference(before, after string) string {
	was, is := strings.Split(before, "\n"), strings.Split(after, "\n")
	for i := range max(len(was), len(is)) {
		if i >= len(was) || i >= len(is) || was[i] != is[i] {
			return fmt.Sprintf("- %s\n+ %s", was[min(i, len(was)-1)], is[min(i, len(is)-1)])
		}
	}
	return ""
}
