package storage

import (
	"context"
	"database/sql"
	"fmt"
)

// Census returns how many rows each table holds. PostgreSQL knows it nearly, by its statistics; SQLite counts, so do
// not ask all the time.
func (d *Database) Census(ctx context.Context) (map[string]int64, error) {
	var tables []struct {
		Name string
		Rows int64
	}
	if d.Kind == Postgres {
		// The rows of partitions are those of their table.
		err := d.reader.NewRaw(`SELECT coalesce(parent.relname, child.relname) AS name, sum(child.n_live_tup) AS rows
			FROM pg_stat_user_tables child
			LEFT JOIN pg_inherits ON inhrelid = child.relid
			LEFT JOIN pg_class parent ON parent.oid = inhparent
			WHERE child.schemaname = current_schema()
			GROUP BY 1`).Scan(ctx, &tables)
		if err != nil {
			return nil, fmt.Errorf("count rows: %w", err)
		}
	} else {
		err := d.reader.NewRaw(
			"SELECT name, 0 AS rows FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!'",
		).Scan(ctx, &tables)
		for i := range tables {
			if err == nil {
				err = d.reader.NewSelect().Table(tables[i].Name).ColumnExpr("count(*)").Scan(ctx, &tables[i].Rows)
			}
		}
		if err != nil {
			return nil, fmt.Errorf("count rows: %w", err)
		}
	}
	counted := make(map[string]int64, len(tables))
	for _, table := range tables {
		counted[table.Name] = table.Rows
	}
	return counted, nil
}

// JobCounts returns how many jobs there are in each state, such as "available" or "retryable".
func (d *Database) JobCounts(ctx context.Context) (map[string]int64, error) {
	var states []struct {
		State string
		Jobs  int64
	}
	if err := d.reader.NewRaw(
		"SELECT state, count(*) AS jobs FROM river_job GROUP BY state",
	).Scan(ctx, &states); err != nil {
		return nil, fmt.Errorf("count jobs: %w", err)
	}
	counted := make(map[string]int64, len(states))
	for _, state := range states {
		counted[state.State] = state.Jobs
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
