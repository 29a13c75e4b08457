package storage

import (
	"context"
	"database/sql"
	"fmt"
)

// Census returns how many rows each table holds. PostgreSQL knows it nearly, by its statistics; SQLite counts, so do
// not ask all the time.
func (d *Database) Census(ctx context.Context) (map[string]int64, error) {
	if d.Kind == Postgres {
		// The rows of partitions are those of their table.
		return count(ctx, d, `SELECT coalesce(parent.relname, child.relname) AS name, sum(child.n_live_tup) AS n
			FROM pg_stat_user_tables child
			LEFT JOIN pg_inherits ON inhrelid = child.relid
			LEFT JOIN pg_class parent ON parent.oid = inhparent
			WHERE child.schemaname = current_schema()
			GROUP BY 1`)
	}
	counted, err := count(
		ctx, d, "SELECT name, 0 AS n FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!'",
	)
	for table := range counted {
		var n int64
		if err == nil {
			err = d.reader.NewSelect().Table(table).ColumnExpr("count(*)").Scan(ctx, &n)
		}
		counted[table] = n
	}
	if err != nil {
		return nil, fmt.Errorf("count rows: %w", err)
	}
	return counted, nil
}

// JobCounts returns how many jobs there are in each state, such as "available" or "retryable".
func (d *Database) JobCounts(ctx context.Context) (map[string]int64, error) {
	return count(ctx, d, "SELECT state AS name, count(*) AS n FROM river_job GROUP BY state")
}

// count returns what a query has counted, by name.
func count(ctx context.Context, d *Database, query string) (map[string]int64, error) {
	var found []struct {
		Name string
		N    int64
	}
	if err := d.reader.NewRaw(query).Scan(ctx, &found); err != nil {
		return nil, fmt.Errorf("count: %w", err)
	}
	counted := make(map[string]int64, len(found))
	for _, f := range found {
		counted[f.Name] = f.N
	}
	return counted, nil
}

// Pools returns the pools of connections by name, for metrics.
func (d *Database) Pools() map[string]*sql.DB {
	if d.Kind == Postgres {
		pools := map[string]*sql.DB{"main": d.writer.DB}
		if d.standby != nil {
			pools["standby"] = d.standby.DB
		}
		return pools
	}
	return map[string]*sql.DB{"reader": d.reader.DB, "writer": d.writer.DB}
}
