package copying_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/copying"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// What is hard to carry over, by the type that the migrations give a column. Row i of a table gets the i-th in turn,
// and where there has to be another for each row, i is part of it.
var hardValues = map[string][]any{
	"TEXT":        {"", "O'Brien \\ ? %s $1", "Größe 🔑 \u0000", "a\nb\r\t"},
	"BIGINT":      {int64(0), int64(math.MaxInt64), int64(math.MinInt64)},
	"BOOLEAN":     {true, false},
	"JSONB":       {`{}`, `[]`, `null`, `{"b": 1, "a": [1.50, 1e2, 9007199254740993, "?", null, true], "<&>": {"ü": "\u2028 \\ \u0000"}}`, `"a text"`, `5`, `2.50`, `true`},
	"TIMESTAMPTZ": {"2019-01-31 23:59:59.999999+00:00", "2026-02-28 00:00:00+00:00", "2024-03-01 00:00:00.1+00:00"},
}

// fillTables puts rows into every table of an SQLite database, and returns the tables' names. All ids and names of row
// i are the same in all tables, so that whatever refers to another refers to its row i. Where long tables are named,
// the others have few rows.
func fillTables(t testing.TB, db *storage.Database, rows int, long ...string) []string {
	t.Helper()
	var columns []struct {
		Relation, Name, Type string
		Required, Named      bool
	}
	err := db.Reader().NewRaw(`SELECT m.name AS relation, p.name, p.type, p."notnull" OR p.pk AS required,
			p.pk OR p.name IN (SELECT f."from" FROM pragma_foreign_key_list(m.name) f) OR
			p.name IN (SELECT c.name FROM pragma_index_list(m.name) i, pragma_index_info(i.name) c WHERE i."unique") AS named
		FROM sqlite_schema m, pragma_table_info(m.name) p WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' AND m.name NOT LIKE 'river%' AND m.name <> 'schema_migrations'`).Scan(t.Context(), &columns)
	if err != nil {
		t.Fatal(err)
	}
	var tables []string
	names, values := map[string][]string{}, map[string][]any{}
	for _, c := range columns {
		if names[c.Relation] == nil {
			tables = append(tables, c.Relation)
		}
		names[c.Relation] = append(names[c.Relation], c.Name)
	}
	// A row refers to those of the same number: some at a time, for a transaction has half a minute.
	fill := func(ctx context.Context, tx bun.Tx, first, last int) error {
		if _, err := tx.ExecContext(ctx, "PRAGMA defer_foreign_keys = 1"); err != nil {
			return err
		}
		for i := first; i < last; i++ {
			clear(values)
			for _, c := range columns {
				var value any
				switch hard := hardValues[c.Type]; {
				case !c.Required && i%3 == 1:
				case c.Type == "UUID":
					value = fmt.Sprintf("01900000-0000-7000-8000-%012x", i)
				case c.Type == "BYTEA" && c.Named:
					value = append([]byte{0, 255, '\''}, fmt.Sprint(i)...)
				case c.Type == "BYTEA":
					value = []byte{}
				case c.Type == "TEXT" && c.Named:
					value = fmt.Sprintf("%c %d é", 'A'+i%60, i) // upper and lower case, and signs between
				case c.Type == "INTEGER", c.Type == "BIGINT" && c.Named:
					value = 10 * (i + 1)
				case len(hard) == 0:
					return fmt.Errorf("no value for the type %s of %s in %s", c.Type, c.Name, c.Relation)
				default:
					value = hard[i%len(hard)]
				}
				values[c.Relation] = append(values[c.Relation], value)
			}
			for _, table := range tables {
				if i >= few && len(long) > 0 && !slices.Contains(long, table) {
					continue
				}
				marks := strings.TrimSuffix(strings.Repeat("?, ", len(names[table])), ", ")
				_, err := tx.Tx.ExecContext(
					ctx, "INSERT INTO "+table+" ("+strings.Join(names[table], ", ")+") VALUES ("+marks+")", values[table]...,
				)
				if err != nil {
					return fmt.Errorf("%s: %w", table, err)
				}
			}
		}
		return nil
	}
	for first := 0; first < rows; first += 100 {
		err := db.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
			return fill(ctx, tx, first, min(first+100, rows))
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return tables
}

// few is how many rows tables have beside long ones.
const few = 20

// withParents are some tables of an SQLite database, with those that they refer to.
func withParents(t testing.TB, db *storage.Database, tables []string) []string {
	t.Helper()
	var references []struct{ Relation, Parent string }
	err := db.Reader().NewRaw(`SELECT m.name AS relation, f."table" AS parent
		FROM sqlite_schema m, pragma_foreign_key_list(m.name) f
		WHERE m.type = 'table'`).Scan(t.Context(), &references)
	if err != nil {
		t.Fatal(err)
	}
	all := slices.Clone(tables)
	for i := 0; i < len(all); i++ {
		for _, r := range references {
			if r.Relation == all[i] && !slices.Contains(all, r.Parent) {
				all = append(all, r.Parent)
			}
		}
	}
	return all
}

func change(t testing.TB, db *storage.Database, query string, args ...any) {
	t.Helper()
	err := db.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
		result, err := tx.ExecContext(ctx, query, args...)
		if err == nil {
			if n, _ := result.RowsAffected(); n == 0 {
				err = errors.New("changed nothing")
			}
		}
		return err
	})
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

func runCopy(t testing.TB, from, to *storage.Database) []copying.Copied {
	t.Helper()
	copied, _, err := (&copying.Copy{From: from, To: to}).Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return copied
}

func TestCopyThereAndBack(t *testing.T) {
	const rows = 200
	sqlite, postgres, again := storagetest.Open(t, storage.SQLite), storagetest.Open(
		t, storage.Postgres,
	), storagetest.Open(t, storage.SQLite)
	tables := fillTables(t, sqlite, rows)
	// A database that orders texts as a language does.
	err := postgres.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.ExecContext(ctx, `ALTER TABLE revoked_tokens ALTER COLUMN jti TYPE text COLLATE "en-x-icu"`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	there := runCopy(t, sqlite, postgres)
	if len(there) != len(tables) {
		t.Errorf("of %d tables %d were copied: %v", len(tables), len(there), there)
	}
	for _, c := range there {
		if c.Rows != rows || c.Added != rows {
			t.Errorf("%s: %d rows, %d of them added, want %d", c.Table, c.Rows, c.Added, rows)
		}
	}
	if back := runCopy(t, postgres, again); !reflect.DeepEqual(back, there) {
		t.Errorf("there:\n%v\nand back:\n%v", there, back)
	}
	// What came back is what was there, as SQLite itself sees it, but for zero bytes, which PostgreSQL cannot hold, and
	// for the way in which JSON was written.
	for _, table := range tables {
		var is, was []map[string]any
		for db, into := range map[*storage.Database]*[]map[string]any{sqlite: &was, again: &is} {
			if err := db.Reader().NewSelect().Table(table).OrderExpr("1, 2").Scan(t.Context(), into); err != nil {
				t.Fatal(err)
			}
		}
		for i := range was {
			for name, value := range was[i] {
				if text, isText := value.(string); isText {
					value = strings.ReplaceAll(text, "\x00", "")
				}
				if text, isText := value.(string); isText && (strings.HasPrefix(text, "{") || strings.HasPrefix(text, "[")) {
					continue // JSON
				}
				if fmt.Sprint(value) == fmt.Sprint(is[i][name]) {
					continue
				}
				if at, back := asTime(value), asTime(is[i][name]); at.IsZero() || !at.Equal(back) {
					t.Fatalf("%s row %d: %s was %#v and is %#v", table, i, name, value, is[i][name])
				}
			}
		}
	}

	// The logs' rows are in the partitions of their months, and new ones are counted on.
	var strays int
	err = postgres.Reader().NewRaw("SELECT (SELECT count(*) FROM audit_trail_default) + (SELECT count(*) FROM login_attempts_default)").Scan(t.Context(), &strays)
	if err != nil || strays != 0 {
		t.Errorf("%d rows of logs are in no month, %v", strays, err)
	}
	err = postgres.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewRaw("INSERT INTO audit_trail (at, entity, entity_id, action, actor, ip, user_agent, session_id, request_id) "+
			"VALUES (?, 'thing', '1', 'after the copy', '', '', '', '', '')", time.Now()).Exec(ctx)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	var id int64
	if err := postgres.Reader().NewRaw(
		"SELECT id FROM audit_trail WHERE action = 'after the copy'",
	).Scan(t.Context(), &id); err != nil || id <= 10*rows {
		t.Errorf("the next entry of the audit trail has the number %d, %v", id, err)
	}
}

func asTime(value any) time.Time {
	at, _ := time.Parse("2006-01-02 15:04:05.999999999-07:00", fmt.Sprint(value))
	return at
}

func TestCopyIsRunAgain(t *testing.T) {
	from, to := storagetest.Open(t, storage.SQLite), storagetest.Open(t, storage.Postgres)
	const rows = 1100 // a batch and a bit
	long := []string{"users", "clients", "sessions", "refresh_tokens", "audit_trail", "login_attempts"}
	filled := withParents(t, from, long)
	fillTables(t, from, rows, filled...)
	// Cut off in the middle of one table after the other; each run goes on where the one before was.
	cuts, left := 0, make(map[string]bool)
	for _, table := range long {
		left[table] = true
	}
	for {
		ctx, cut := context.WithCancel(t.Context())
		run := copying.Copy{From: from, To: to, Progress: func(doing copying.Phase, table string, n int64) {
			if doing == copying.Filling && n == 1000 && left[table] {
				delete(left, table)
				cut()
			}
		}}
		copied, _, err := run.Run(ctx)
		cut()
		if err == nil {
			if cuts != len(long) {
				t.Errorf("the copy was cut off %d times in %d tables", cuts, len(long))
			}
			for _, c := range copied {
				want := int64(few)
				if slices.Contains(filled, c.Table) {
					want = rows
				}
				if c.Rows != want {
					t.Errorf("of %s there are %d rows", c.Table, c.Rows)
				}
				if c.Table == "users" && c.Added != 0 {
					t.Errorf("the last run added %d of the %d rows of %s", c.Added, c.Rows, c.Table)
				}
			}
			break
		}
		if cuts++; !errors.Is(err, context.Canceled) || cuts > 100 {
			t.Fatal(err)
		}
	}
	for _, c := range runCopy(t, from, to) {
		if c.Added != 0 {
			t.Errorf("once more added %d rows to %s", c.Added, c.Table)
		}
	}
}

func TestCopyFindsDifferences(t *testing.T) {
	from := storagetest.Open(t, storage.SQLite)
	fillTables(t, from, 20)
	for name, differs := range map[string]struct {
		query string
		want  string
	}{
		"a changed value": {"UPDATE profiles SET website = 'https://elsewhere.example' WHERE user_id = '01900000-0000-7000-8000-000000000007'",
			"profiles 01900000-0000-7000-8000-000000000007 differs in modified_at, website"},
		"a row too many": {"INSERT INTO revoked_tokens (jti, expires_at) VALUES ('mine', '2026-01-01Z')", "revoked_tokens mine is not in the source"},
	} {
		t.Run(name, func(t *testing.T) {
			to := storagetest.Open(t, storage.Postgres)
			runCopy(t, from, to)
			change(t, to, differs.query)
			change(t, to, "DELETE FROM arrivals") // what the target lacks, it must not get before it is looked at
			_, _, err := (&copying.Copy{From: from, To: to}).Run(t.Context())
			if !errors.Is(err, copying.ErrDiffers) || !strings.Contains(err.Error(), differs.want) {
				t.Errorf("the copy says %v", err)
			}
			if n, err := to.Reader().NewSelect().Table("arrivals").Count(t.Context()); err != nil || n != 0 {
				t.Errorf("%d rows were written all the same, %v", n, err)
			}
		})
	}
}

// The last look is at what the target holds, whatever was sent there.
func TestCopyMissesWhatWasLost(t *testing.T) {
	from, to := storagetest.Open(t, storage.SQLite), storagetest.Open(t, storage.Postgres)
	fillTables(t, from, 5)
	lost := false
	_, _, err := (&copying.Copy{From: from, To: to, Progress: func(doing copying.Phase, _ string, _ int64) {
		if doing == copying.Verifying && !lost {
			lost = true
			change(t, to, "DELETE FROM upstream_requests WHERE provider = (SELECT min(provider) FROM upstream_requests)")
		}
	}}).Run(t.Context())
	if !errors.Is(err, copying.ErrDiffers) || !strings.Contains(err.Error(), "of upstream_requests it lacks 2 rows") {
		t.Errorf("the copy says %v", err)
	}
}

func TestCopyRefuses(t *testing.T) {
	from, to := storagetest.Open(t, storage.SQLite), storagetest.Open(t, storage.Postgres)
	fillTables(t, from, 3)
	refused := func(want string, c copying.Copy) error {
		t.Helper()
		_, _, err := c.Run(t.Context())
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("instead of %q, the copy says %v", want, err)
		}
		if n, err := to.Reader().NewSelect().Table("users").Count(t.Context()); err != nil || n != 0 {
			t.Errorf("%d people were copied, %v", n, err)
		}
		return err
	}
	_ = refused("same product", copying.Copy{From: from, To: storagetest.Open(t, storage.SQLite)})

	change(t, from, "DELETE FROM schema_migrations WHERE version = 20")
	_ = refused("the source lacks 1 migrations: run wicket migrate on it first", copying.Copy{From: from, To: to})
	change(t, from, "INSERT INTO schema_migrations (version, name, applied_at) VALUES (20, 'federation', '2026-01-01 00:00:00+00:00'), (9999, 'future', '2026-01-01 00:00:00+00:00')")
	_ = refused("migrated by a newer Wicket", copying.Copy{From: from, To: to})
	change(t, from, "DELETE FROM schema_migrations WHERE version = 9999")

	// A server at work, on either side.
	for _, served := range []*storage.Database{from, to} {
		workers := river.NewWorkers()
		river.AddWorker(workers, &thingWorker{})
		jobs, err := served.NewJobs(workers, nil, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		if err := jobs.Start(context.Background()); err != nil {
			t.Fatal(err)
		}
		storagetest.Eventually(t, 20*time.Second, "a server leads", func() bool {
			is, err := served.Served(t.Context())
			return is && err == nil
		})
		if err := refused("a server works with it", copying.Copy{From: from, To: to}); !errors.Is(err, copying.ErrServed) {
			t.Error(err)
		}
		if err := jobs.Stop(context.Background()); err != nil {
			t.Fatal(err)
		}
	}

	// A command that writes meanwhile.
	wrote := false
	_, _, err := (&copying.Copy{From: from, To: to, Progress: func(copying.Phase, string, int64) {
		if !wrote {
			wrote = true
			change(t, from, "UPDATE users SET username = 'another' WHERE username_key LIKE 'A%'")
		}
	}}).Run(t.Context())
	if !errors.Is(err, copying.ErrWritten) {
		t.Errorf("a source that was written to: %v", err)
	}
	if n, err := to.Reader().NewSelect().Table("users").Where(
		"username = 'another'",
	).Count(t.Context()); err != nil || n != 0 {
		t.Errorf("what was written meanwhile was copied, %v", err)
	}
}

type thing struct {
	Name string `json:"name"`
}

// Kind is river.JobArgs'.
func (thing) Kind() string { return "thing" }

type thingWorker struct {
	river.WorkerDefaults[thing]
	done chan string
}

// Work is river.Worker's.
func (w *thingWorker) Work(_ context.Context, job *river.Job[thing]) error {
	w.done <- job.Args.Name
	return nil
}

// Jobs that wait are copied once, however often the copy is run, and done at the target.
func TestCopyTakesJobsAlong(t *testing.T) {
	for _, kinds := range [][2]storage.Kind{{storage.SQLite, storage.Postgres}, {storage.Postgres, storage.SQLite}} {
		t.Run(string(kinds[0]), func(t *testing.T) {
			from, to := storagetest.Open(t, kinds[0]), storagetest.Open(t, kinds[1])
			log := slog.New(slog.DiscardHandler)
			jobs, err := from.NewJobs(nil, nil, log)
			if err != nil {
				t.Fatal(err)
			}
			later := time.Now().Add(time.Hour).UTC().Truncate(time.Microsecond)
			err = from.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
				for name, options := range map[string]*river.InsertOpts{
					"now?": nil, "later": {ScheduledAt: later}, "again": {}, "done": {},
				} {
					inserted, err := jobs.InsertTx(ctx, tx.Tx, thing{name}, options)
					if err != nil {
						return err
					}
					state := map[string]string{"again": "retryable", "done": "completed"}[name]
					if state == "" {
						continue
					}
					var finalized any
					if state == "completed" {
						finalized = time.Now()
					}
					if _, err := tx.ExecContext(ctx, "UPDATE river_job SET state = ?, attempt = 3, finalized_at = ? WHERE id = ?", state, finalized, inserted.Job.ID); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			for run, want := range []int{3, 0} {
				if _, n, err := (&copying.Copy{From: from, To: to}).Run(t.Context()); err != nil || n != want {
					t.Errorf("run %d copied %d jobs, want %d: %v", run, n, want, err)
				}
			}
			if _, n, err := (&copying.Copy{
				From: from, To: storagetest.Open(t, kinds[1]), Rehearsal: true,
			}).Run(t.Context()); err != nil || n != 0 {
				t.Errorf("a rehearsal copied %d jobs, %v", n, err)
			}

			worker := &thingWorker{done: make(chan string, 10)}
			workers := river.NewWorkers()
			river.AddWorker(workers, worker)
			served, err := to.NewJobs(workers, nil, log)
			if err != nil {
				t.Fatal(err)
			}
			if err := served.Start(context.Background()); err != nil {
				t.Fatal(err)
			}
			var first, second string
			for _, name := range []*string{&first, &second} {
				select {
				case *name = <-worker.done:
				case <-time.After(30 * time.Second):
				}
			}
			if first+second != "now?again" && first+second != "againnow?" {
				t.Errorf("done were %q and %q", first, second)
			}
			waiting, err := served.JobList(t.Context(), river.NewJobListParams().States(rivertype.JobStateScheduled))
			if err != nil || len(waiting.Jobs) != 1 {
				t.Fatalf("of those for later there are %+v, %v", waiting, err)
			}
			args := strings.ReplaceAll(string(waiting.Jobs[0].EncodedArgs), " ", "")
			if at := waiting.Jobs[0].ScheduledAt; args != `{"name":"later"}` || at.Sub(later).Abs() > time.Millisecond {
				t.Errorf("for later, at %s instead of %s, there is %s", at, later, args)
			}
			if err := served.Stop(context.Background()); err != nil {
				t.Fatal(err)
			}
		})
	}
}
