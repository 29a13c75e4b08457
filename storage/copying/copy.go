package copying

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/storage"
)

// Copy moves all that one database holds into another of the other product: every row of every table, found by their
// schemas, and the jobs that wait. What is there already stays and must be the same, so that a copy that was
// interrupted goes on where it was, and one that is complete changes nothing.
type Copy struct {
	From, To  *storage.Database
	Rehearsal bool                                        // a server may write to the source meanwhile; jobs stay there
	Progress  func(doing Phase, table string, rows int64) // called now and then, if not nil
}

// Phase is what a Copy is at.
type Phase string

// A Copy goes through all tables up to three times.
const (
	Comparing Phase = "comparing" // what the target holds already
	Filling   Phase = "copying"
	Verifying Phase = "verifying"
)

// Copied is what became of a table. Digest is the SHA-256 of all its rows, the same in both databases.
type Copied struct {
	Table  string
	Rows   int64
	Added  int64 // by this run
	Digest string
}

var (
	// ErrServed says that a server works with the database.
	ErrServed = errors.New("a server works with it")
	// ErrDiffers says that the target holds what the source does not, or something else under the same key.
	ErrDiffers = errors.New("the target differs from the source")
	// ErrWritten says that the source was written to while it was copied, and that the target lacks what was.
	ErrWritten = errors.New("the source was written to while it was copied")
)

// Run copies, and returns what became of each table and how many jobs it copied. Both databases must be migrated to the
// same version. It returns ErrServed, ErrDiffers or ErrWritten.
func (c *Copy) Run(ctx context.Context) (copied []Copied, jobs int, err error) {
	tables, err := c.prepare(ctx)
	if err != nil {
		return nil, 0, err
	}
	from, err := newSnapshot(ctx, c.From)
	if err != nil {
		return nil, 0, err
	}
	copied, jobs, err = c.all(ctx, from, tables)
	written, endErr := from.end(context.WithoutCancel(ctx)) // whatever became of the copy
	switch {
	case ctx.Err() != nil:
		err = ctx.Err()
	case err == nil:
		err = endErr
	}
	if err == nil && !c.Rehearsal {
		if err = c.unserved(ctx); err == nil && written {
			err = ErrWritten
		}
	}
	if err != nil {
		return nil, 0, err
	}
	return copied, jobs, nil
}

// tablePair is a table in both databases.
type tablePair struct{ from, to *table }

// prepare looks whether the databases are fit for it, and returns their tables, parents first.
func (c *Copy) prepare(ctx context.Context) ([]tablePair, error) {
	if c.From.Kind == c.To.Kind {
		return nil, errors.New(
			"both databases are of the same product, and what comes with it copies better: pg_dump, or of an SQLite file that nobody has open, cp",
		)
	}
	if err := c.sameVersion(ctx); err != nil {
		return nil, err
	}
	if err := c.unserved(ctx); err != nil {
		return nil, err
	}
	from, err := tablesOf(ctx, c.From)
	if err != nil {
		return nil, fmt.Errorf("the source: %w", err)
	}
	to, err := tablesOf(ctx, c.To)
	if err != nil {
		return nil, fmt.Errorf("the target: %w", err)
	}
	ordered, err := parentsFirst(to)
	if err != nil {
		return nil, err
	}
	var pairs []tablePair
	for _, target := range ordered {
		source := from[target.name]
		if source == nil {
			return nil, fmt.Errorf("the target has a table %s, which the source has not", target.name)
		}
		delete(from, target.name)
		if err := keyOfBoth(source, target); err != nil {
			return nil, err
		}
		pairs = append(pairs, tablePair{source, target})
	}
	for name := range from {
		return nil, fmt.Errorf("the source has a table %s, which the target has not", name)
	}
	return pairs, nil
}

// sameVersion looks whether both databases have the shape that this program knows.
func (c *Copy) sameVersion(ctx context.Context) error {
	var versions [2][]int64
	for i, database := range []*storage.Database{c.From, c.To} {
		pending, err := database.Pending(ctx)
		if err != nil {
			return fmt.Errorf("read which migrations were applied: %w", err)
		}
		if len(pending) > 0 {
			return fmt.Errorf("the %s lacks %d migrations: run wicket migrate on it first", sides[i], len(pending))
		}
		if err := database.Reader().NewSelect().Model((*storage.Migration)(nil)).
			Column("version").
			Order("version").Scan(ctx, &versions[i]); err != nil {
			return fmt.Errorf("read which migrations were applied: %w", err)
		}
	}
	if !slices.Equal(versions[0], versions[1]) {
		return errors.New(
			"one of the databases was migrated by a newer Wicket than the other: use the newer one, and let it migrate both",
		)
	}
	return nil
}

var sides = [2]string{"source", "target"}

// unserved looks whether a server works with one of the databases.
func (c *Copy) unserved(ctx context.Context) error {
	for i, database := range []*storage.Database{c.From, c.To} {
		if c.Rehearsal && database == c.From {
			continue
		}
		served, err := database.Served(ctx)
		if err != nil {
			return fmt.Errorf("look for a server on the %s: %w", sides[i], err)
		}
		if served {
			return fmt.Errorf("the %s: %w", sides[i], ErrServed)
		}
	}
	return nil
}

// all goes through the tables: before anything is written, to write, and to look at what was written.
func (c *Copy) all(ctx context.Context, from *snapshot, pairs []tablePair) ([]Copied, int, error) {
	for _, pair := range pairs {
		holds, err := c.To.Reader().NewSelect().Table(pair.to.name).Exists(ctx)
		if err != nil {
			return nil, 0, fmt.Errorf("look into %s: %w", pair.to.name, err)
		}
		if !holds {
			continue
		}
		if _, err := c.walk(ctx, from, pair, Comparing, nil); err != nil {
			return nil, 0, err
		}
	}
	copied := make([]Copied, len(pairs))
	for i, pair := range pairs {
		added, err := c.fill(ctx, from, pair)
		if err != nil {
			return nil, 0, err
		}
		copied[i] = Copied{Table: pair.to.name, Added: added}
	}
	for i, pair := range pairs {
		found, err := c.walk(ctx, from, pair, Verifying, func(row) error { return nil })
		if err != nil {
			return nil, 0, err
		}
		if found.missing > 0 {
			return nil, 0, fmt.Errorf("%w: of %s it lacks %d rows that were written", ErrDiffers, pair.to.name, found.missing)
		}
		copied[i].Rows, copied[i].Digest = found.rows, hex.EncodeToString(found.digest)
	}
	if c.Rehearsal {
		return copied, 0, nil
	}
	jobs, err := c.jobs(ctx)
	return copied, jobs, err
}

const (
	copyBatchRows   = 1000
	copyBatchOctets = 1 << 20
)

// fill writes the rows of a table that the target lacks, each batch in a transaction of its own.
func (c *Copy) fill(ctx context.Context, from *snapshot, pair tablePair) (added int64, err error) {
	if err := c.makeMonths(ctx, from, pair); err != nil {
		return 0, err
	}
	var batch []row
	size := 0
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		if err := insertRows(ctx, c.To, pair.to, batch); err != nil {
			return fmt.Errorf("write %s and those after it: %w", pair.to.nameOf(batch[0]), err)
		}
		added += int64(len(batch))
		batch, size = nil, 0
		return ctx.Err()
	}
	_, err = c.walk(ctx, from, pair, Filling, func(missing row) error {
		batch = append(batch, missing)
		if size += len(missing.appendTo(nil)); len(batch) < copyBatchRows && size < copyBatchOctets {
			return nil
		}
		return flush()
	})
	if err == nil {
		err = flush()
	}
	if err == nil && pair.to.counts != "" {
		err = countOn(ctx, c.To, pair.to)
	}
	return added, err
}

// insertRows writes rows as they are, numbers that the database would count itself included.
func insertRows(ctx context.Context, d *storage.Database, t *table, rows []row) error {
	names := make([]any, len(t.columns))
	for i, c := range t.columns {
		names[i] = bun.Ident(c.name)
	}
	list := strings.TrimSuffix(strings.Repeat("?, ", len(names)), ", ")
	arguments := append([]any{bun.Ident(t.name)}, names...)
	for _, r := range rows {
		arguments = append(arguments, r.arguments()...)
	}
	overriding := ""
	if t.counts != "" {
		overriding = "OVERRIDING SYSTEM VALUE "
	}
	query := "INSERT INTO ? (" + list + ") " + overriding + "VALUES " + strings.TrimSuffix(
		strings.Repeat("("+list+"), ", len(rows)), ", ",
	)
	return d.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.ExecContext(ctx, query, arguments...)
		return err
	})
}

// countOn makes PostgreSQL go on counting after the last row. SQLite does so by itself.
func countOn(ctx context.Context, d *storage.Database, t *table) error {
	return d.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.ExecContext(ctx, "SELECT setval(pg_get_serial_sequence(?, ?), max(?)) FROM ? HAVING max(?) IS NOT NULL",
			t.name, t.counts, bun.Ident(t.counts), bun.Ident(t.name), bun.Ident(t.counts))
		return err
	})
}

// makeMonths makes a log's partitions for the months that its rows are of.
func (c *Copy) makeMonths(ctx context.Context, from *snapshot, pair tablePair) error {
	at, grows := storage.PartitionedTables[pair.to.name]
	if !grows || c.To.Kind != storage.Postgres {
		return nil
	}
	month := "strftime('%Y-%m', ?)"
	if c.From.Kind == storage.Postgres {
		month = "to_char(?, 'YYYY-MM')"
	}
	var months []string
	if err := from.NewSelect().
		Table(pair.from.name).
		Distinct().
		ColumnExpr(month, bun.Ident(at)).Scan(ctx, &months); err != nil {
		return fmt.Errorf("find the months of %s: %w", pair.from.name, err)
	}
	return c.To.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		if err := c.To.Lock(ctx, tx, "partitions"); err != nil {
			return err
		}
		for _, text := range months {
			month, err := time.Parse("2006-01", text)
			if err != nil {
				return fmt.Errorf("a row of %s has no time but %q", pair.from.name, text)
			}
			if err := storage.MakePartition(ctx, tx, pair.to.name, month); err != nil {
				return err
			}
		}
		return nil
	})
}
