package storage

import (
	"context"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/migrations"
)

// Migration is one step of the schema.
type Migration struct {
	bun.BaseModel `bun:"table:schema_migrations"`

	Version   int64     `bun:"version,pk"`
	Name      string    `bun:"name"`
	AppliedAt time.Time `bun:"applied_at"`
}

// Migrate brings the schema up to date and returns the steps that it applied, none if it was up to date already. All of
// them are one transaction behind one lock, so that of several processes that start at once one migrates while the
// others wait, and a step that fails leaves nothing behind. A database that is newer than this program is left as it
// is: migrations are made so that the version before still works.
func (d *Database) Migrate(ctx context.Context) ([]Migration, error) {
	steps, err := steps(d.Kind)
	if err != nil {
		return nil, err
	}
	applied, err := alter(ctx, d, "migrate", func(ctx context.Context, tx bun.Tx) (applied []Migration, err error) {
		const create = `CREATE TABLE IF NOT EXISTS schema_migrations (version BIGINT PRIMARY KEY, name TEXT NOT NULL, applied_at TIMESTAMPTZ NOT NULL)`
		if _, err := tx.ExecContext(ctx, create); err != nil {
			return nil, err
		}
		var done []int64
		if err := tx.NewSelect().Model((*Migration)(nil)).Column("version").Scan(ctx, &done); err != nil {
			return nil, err
		}
		for _, step := range steps {
			if slices.Contains(done, step.Version) {
				continue
			}
			if _, err := tx.Tx.ExecContext(ctx, step.script); err != nil { // the bare handle: a '?' in SQL is no placeholder
				return nil, fmt.Errorf("%s: %w", step.Name, err)
			}
			step.AppliedAt = time.Now().UTC().Truncate(time.Microsecond)
			if _, err := tx.NewInsert().Model(&step.Migration).Exec(ctx); err != nil {
				return nil, err
			}
			applied = append(applied, step.Migration)
		}
		return applied, nil
	})
	if err == nil {
		err = d.migrateJobs(ctx)
	}
	if err == nil { // before the first row, or it would land in the partition for what fits nowhere else
		err = d.PreparePartitions(ctx, time.Now().UTC())
	}
	if err != nil {
		return nil, fmt.Errorf("migrate: %w", err)
	}
	return applied, nil
}

// lockPatience is how long a change of the schema waits for a lock on PostgreSQL. Who wants to read the same table
// meanwhile waits behind it, and would wait for as long as a reader from before takes.
const lockPatience = 50 * time.Millisecond

// ofAlterations leaves the tables to others between one attempt and the next. A backup may read for minutes.
var ofAlterations = retries{10 * time.Minute, 100 * time.Millisecond, time.Second}

// alter runs do, which changes the schema, in one transaction behind the lock of that name, and returns what do
// returns. A lock on a table that is not to be had within a moment, a deadlock and a lost connection undo it all, and
// it is tried again: those who work with the tables go first.
func alter[T any](
	ctx context.Context, d *Database, lock string, do func(ctx context.Context, tx bun.Tx) (T, error),
) (T, error) {
	var result T
	locked := func(ctx context.Context, tx bun.Tx) (err error) {
		if err := d.Lock(ctx, tx, lock); err != nil {
			return err
		}
		if d.Kind == Postgres {
			timeout := fmt.Sprintf("SET LOCAL lock_timeout = %d", lockPatience.Milliseconds())
			if _, err := tx.ExecContext(ctx, timeout); err != nil {
				return err
			}
		}
		result, err = do(ctx, tx)
		return err
	}
	err := untilItPasses(ctx, ofAlterations, func() (again bool, err error) {
		if d.Kind == SQLite {
			return true, settingAside(ctx, d.writer, func(conn bun.Conn) error { return conn.RunInTx(ctx, nil, locked) })
		}
		return true, d.writer.RunInTx(ctx, nil, locked)
	})
	return result, err
}

// Pending returns the steps that Migrate would apply.
func (d *Database) Pending(ctx context.Context) ([]Migration, error) {
	steps, err := steps(d.Kind)
	if err != nil {
		return nil, err
	}
	exists := "SELECT count(*) FROM sqlite_master WHERE name = 'schema_migrations'"
	if d.Kind == Postgres {
		exists = "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename = 'schema_migrations'"
	}
	var tables int
	if err := d.reader.QueryRowContext(ctx, exists).Scan(&tables); err != nil {
		return nil, err
	}
	var done []int64
	if tables > 0 {
		if err := d.reader.NewSelect().Model((*Migration)(nil)).Column("version").Scan(ctx, &done); err != nil {
			return nil, err
		}
	}
	var pending []Migration
	for _, step := range steps {
		if !slices.Contains(done, step.Version) {
			pending = append(pending, step.Migration)
		}
	}
	return pending, nil
}

type step struct {
	Migration
	script string
}

var stepName = regexp.MustCompile(`^(\d{4})_([a-z0-9_]+)(?:\.(postgres|sqlite))?\.sql$`)

func steps(kind Kind) ([]step, error) {
	files, err := fs.ReadDir(migrations.Files, ".") // sorted by name, so by number
	if err != nil {
		return nil, err
	}
	var steps []step
	for _, file := range files {
		parts := stepName.FindStringSubmatch(file.Name())
		if parts == nil {
			return nil, fmt.Errorf("migration %s: the name must look like 0007_what_it_does.sql", file.Name())
		}
		if parts[3] != "" && parts[3] != string(kind) {
			continue
		}
		script, err := fs.ReadFile(migrations.Files, file.Name())
		if err != nil {
			return nil, err
		}
		version, err := strconv.ParseInt(parts[1], 10, 64)
		if err != nil {
			return nil, err
		}
		steps = append(steps, step{Migration{Version: version, Name: parts[2]}, string(script)})
	}
	return steps, nil
}
