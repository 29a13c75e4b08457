package storage

import (
	"context"
	"database/sql"
	"fmt"
	"regexp"
	"time"

	"github.com/uptrace/bun"
)

// PartitionedTables are the tables that only ever grow, with the column of their time. On PostgreSQL each month is a
// partition of its own, so that what is too old goes in one piece.
var PartitionedTables = map[string]string{"audit_trail": "at", "login_attempts": "attempt_time"}

// monthsAhead is how many months are made before they begin.
const monthsAhead = 3

// PreparePartitions makes the partitions of this month and the next ones, where they are missing. SQLite has none.
func (d *Database) PreparePartitions(ctx context.Context, now time.Time) error {
	if d.Kind == SQLite {
		return nil
	}
	_, err := alter(ctx, d, "partitions", func(ctx context.Context, tx bun.Tx) (none struct{}, err error) {
		for table := range PartitionedTables {
			first := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC)
			for month := range monthsAhead + 1 {
				if err := MakePartition(ctx, tx, table, first.AddDate(0, month, 0)); err != nil {
					return none, err
				}
			}
		}
		return none, nil
	})
	return err
}

// MakePartition makes the partition of a month, given by its first moment, where it is missing.
func MakePartition(ctx context.Context, tx bun.Tx, table string, month time.Time) error {
	_, err := tx.ExecContext(ctx, "CREATE TABLE IF NOT EXISTS ? PARTITION OF ? FOR VALUES FROM (?) TO (?)",
		bun.Ident(partitionName(table, month)), bun.Ident(table), month, month.AddDate(0, 1, 0))
	if err != nil {
		return fmt.Errorf("make the partition %s: %w", partitionName(table, month), err)
	}
	return nil
}

func partitionName(table string, month time.Time) string {
	return table + "_" + month.Format("2006_01")
}

var partitionMonth = regexp.MustCompile(`_(\d{4}_\d{2})$`)

// ForgetBefore drops what a log holds from before that time: whole months on PostgreSQL, rows in bounded batches on
// SQLite. It returns how many partitions or rows went.
func (d *Database) ForgetBefore(ctx context.Context, table string, before time.Time) (int64, error) {
	column, known := PartitionedTables[table]
	if !known {
		return 0, fmt.Errorf("%s is not a log", table)
	}
	if d.Kind == SQLite {
		return d.DeleteBatches(ctx, table, "id", "? < ?", bun.Ident(column), before)
	}
	var names []string
	err := d.reader.NewRaw(
		"SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = ?::regclass", table,
	).Scan(ctx, &names)
	if err != nil {
		return 0, fmt.Errorf("list the partitions of %s: %w", table, err)
	}
	var dropped int64
	for _, name := range names {
		match := partitionMonth.FindStringSubmatch(name)
		if match == nil {
			continue
		}
		month, err := time.Parse("2006_01", match[1])
		if err != nil || month.AddDate(0, 1, 0).After(before) {
			continue
		}
		_, err = alter(ctx, d, "partitions", func(ctx context.Context, tx bun.Tx) (sql.Result, error) {
			return tx.ExecContext(ctx, "DROP TABLE IF EXISTS ?", bun.Ident(name))
		})
		if err != nil {
			return dropped, fmt.Errorf("drop the partition %s: %w", name, err)
		}
		dropped++
	}
	return dropped, nil
}

const batchSize = 1000

// DeleteBatches deletes the rows of a table that meet a condition, a thousand at a time, each time in a transaction of
// its own, so that nobody waits long. It returns how many went.
func (d *Database) DeleteBatches(ctx context.Context, table, key, condition string, args ...any) (int64, error) {
	var deleted int64
	for {
		n, err := Write(ctx, d, func(ctx context.Context, tx bun.Tx) (int64, error) {
			doomed := tx.NewSelect().Table(table).Column(key).Where(condition, args...).Limit(batchSize)
			result, err := tx.NewDelete().Table(table).Where("? IN (?)", bun.Ident(key), doomed).
				Where(condition, args...).Exec(ctx) // again: a row may have been renewed that PostgreSQL waited for
			if err != nil {
				return 0, err
			}
			return result.RowsAffected()
		})
		deleted += n
		if err != nil {
			return deleted, fmt.Errorf("delete from %s: %w", table, err)
		}
		if n < batchSize || ctx.Err() != nil {
			return deleted, ctx.Err()
		}
	}
}
