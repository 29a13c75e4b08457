package copying

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/storage"
)

// table is one of our tables as the schema of its database describes it: not the job queue's, and not the note of which
// migrations were applied.
type table struct {
	name    string
	columns []column // by name
	key     []string // its primary key
	refers  []string // to these tables
	counts  string   // on PostgreSQL, the column that counts by itself
}

type column struct {
	name string
	kind valueKind
}

// valueKind is what a column holds, whatever a database calls it.
type valueKind string

const (
	kindText    valueKind = "text"
	kindUUID    valueKind = "uuid"
	kindInteger valueKind = "integer"
	kindBoolean valueKind = "boolean"
	kindTime    valueKind = "time"
	kindBytes   valueKind = "bytes"
	kindJSON    valueKind = "json"
)

// valueKinds are the types that migrations use, as SQLite (which keeps them as they were written) and PostgreSQL name
// them.
var valueKinds = map[string]valueKind{
	"text": kindText, "uuid": kindUUID, "bigint": kindInteger, "integer": kindInteger, "boolean": kindBoolean,
	"timestamptz": kindTime, "timestamp with time zone": kindTime, "bytea": kindBytes, "jsonb": kindJSON,
}

// tablesOf returns our tables by name.
func tablesOf(ctx context.Context, d *storage.Database) (map[string]*table, error) {
	columns, references := catalogueQueries(d.Kind)
	var described []struct {
		Relation, ColumnName, Type string
		KeyPosition                int
		Counts                     bool
	}
	if err := d.Reader().NewRaw(columns+" ORDER BY relation, key_position, column_name").
		Scan(ctx, &described); err != nil {
		return nil, fmt.Errorf("describe the tables: %w", err)
	}
	tables := map[string]*table{}
	for _, one := range described {
		if one.Relation == "schema_migrations" || strings.HasPrefix(one.Relation, "river_") {
			continue
		}
		t := tables[one.Relation]
		if t == nil {
			t = &table{name: one.Relation}
			tables[one.Relation] = t
		}
		kind, known := valueKinds[strings.ToLower(one.Type)]
		if !known {
			return nil, fmt.Errorf(
				"the column %s of %s is of the type %s, which Wicket does not use", one.ColumnName, one.Relation, one.Type,
			)
		}
		t.columns = append(t.columns, column{one.ColumnName, kind})
		if one.KeyPosition > 0 {
			t.key = append(t.key, one.ColumnName)
		}
		if one.Counts {
			t.counts = one.ColumnName
		}
	}
	var referring []struct{ Relation, Other string }
	if err := d.Reader().NewRaw(references).Scan(ctx, &referring); err != nil {
		return nil, fmt.Errorf("describe the tables: %w", err)
	}
	for _, one := range referring {
		if t := tables[one.Relation]; t != nil && one.Relation != one.Other {
			t.refers = append(t.refers, one.Other)
		}
	}
	for _, t := range tables {
		slices.SortFunc(t.columns, func(a, b column) int { return cmp.Compare(a.name, b.name) })
	}
	return tables, nil
}

// catalogueQueries returns what to ask a database for the columns of its tables, and for which tables refer to which.
func catalogueQueries(kind storage.Kind) (columns, references string) {
	columns = `SELECT m.name AS relation, p.name AS column_name, p.type AS type, p.pk AS key_position, FALSE AS counts
		FROM sqlite_schema m, pragma_table_info(m.name) p WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite!_%' ESCAPE '!'`
	references = `SELECT DISTINCT m.name AS relation, f."table" AS other FROM sqlite_schema m, pragma_foreign_key_list(m.name) f WHERE m.type = 'table'`
	if kind == storage.Postgres {
		columns = `SELECT c.relname AS relation, a.attname AS column_name, format_type(a.atttypid, NULL) AS type,
				coalesce(array_position(i.indkey::int2[], a.attnum), -1) + 1 AS key_position, a.attidentity <> '' AS counts
			FROM pg_class c
			JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
			LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
			WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition`
		references = `SELECT DISTINCT conrelid::regclass::text AS relation, confrelid::regclass::text AS other
			FROM pg_constraint WHERE contype = 'f' AND connamespace = current_schema()::regnamespace`
	}
	return columns, references
}

// parentsFirst orders tables so that each comes after those that it refers to.
func parentsFirst(tables map[string]*table) ([]*table, error) {
	var ordered []*table
	state := map[string]int{} // 1: being visited, 2: done
	var visit func(name string) error
	visit = func(name string) error {
		t := tables[name]
		if t == nil || state[name] == 2 {
			return nil
		}
		if state[name] == 1 {
			return fmt.Errorf("tables refer to each other in a circle, in which %s is", name)
		}
		state[name] = 1
		for _, other := range slices.Sorted(slices.Values(t.refers)) {
			if err := visit(other); err != nil {
				return err
			}
		}
		state[name] = 2
		ordered = append(ordered, t)
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(tables)) {
		if err := visit(name); err != nil {
			return nil, err
		}
	}
	return ordered, nil
}

// keyOfBoth makes two descriptions of a table name the same key, the shorter one: on PostgreSQL, the key of a log has
// to hold its time too.
func keyOfBoth(a, b *table) error {
	if !slices.Equal(a.columns, b.columns) {
		return fmt.Errorf("the table %s has other columns in one database than in the other", a.name)
	}
	key := a.key
	if len(b.key) < len(key) {
		key = b.key
	}
	if len(key) == 0 {
		return errors.New("the table " + a.name + " has no primary key")
	}
	a.key, b.key = key, key
	return nil
}

// all asks for every row in the order of the key, which is the same in both databases: that of bytes, not of a
// language.
func (t *table) all(d *storage.Database, on bun.IDB) *bun.SelectQuery {
	query := on.NewSelect().Table(t.name)
	for _, c := range t.columns {
		query.Column(c.name)
	}
	for _, name := range t.key {
		if d.Kind == storage.Postgres && t.columns[t.position(name)].kind == kindText {
			query.OrderExpr(`? COLLATE "C"`, bun.Ident(name))
			continue
		}
		query.OrderExpr("?", bun.Ident(name))
	}
	return query
}

// position is where a column stands in columns.
func (t *table) position(name string) int {
	return slices.IndexFunc(t.columns, func(c column) bool { return c.name == name })
}
