package storage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
	"github.com/riverqueue/river/rivertype"
	"github.com/uptrace/bun"
)

// Served tells whether a server works with the database: one of them always leads those that do jobs. One that was
// killed counts for a quarter of a minute more.
func (d *Database) Served(ctx context.Context) (bool, error) {
	leader, err := d.jobDriver().GetExecutor().LeaderGetElectedLeader(ctx, &riverdriver.LeaderGetElectedLeaderParams{})
	if errors.Is(err, rivertype.ErrNotFound) {
		return false, nil
	}
	return err == nil && leader.ExpiresAt.After(time.Now()), err
}

// Jobs is the queue of what is to be done after a transaction: mail, text messages, clean-up. A job is written in the
// transaction that makes it necessary, so it is done if that is kept and never otherwise; it is tried again, later and
// later, until it succeeds or has failed for days. Its arguments are kept in the clear: what is secret in them must be
// sealed.
type Jobs = river.Client[*sql.Tx]

const (
	// MailQueue is for mail alone: a mail server that is slow or away must not keep the other jobs waiting.
	MailQueue = "mail"
	// LogoutQueue is for telling apps of logouts: any of them may be slow or away, and there may be many at once.
	LogoutQueue = "logout"
	// WebhookQueue is for telling programs elsewhere of events, for the same reason.
	WebhookQueue = "webhooks"

	jobTimeout  = time.Minute
	jobAttempts = 20 // River's delay is attempts^4 seconds: the last try is three weeks after the first
)

// NewJobs returns the queue. With workers it can be started, and then does the jobs; without, as for commands, it only
// takes them.
func (d *Database) NewJobs(workers *river.Workers, periodic []*river.PeriodicJob, log *slog.Logger) (*Jobs, error) {
	config := &river.Config{
		Logger:               slog.New(quiet{log.Handler()}),
		JobTimeout:           jobTimeout,
		MaxAttempts:          jobAttempts,
		RescueStuckJobsAfter: 5 * jobTimeout, // a process that was killed had some in hand
	}
	if workers != nil {
		config.Workers, config.PeriodicJobs = workers, periodic
		config.Queues = map[string]river.QueueConfig{
			river.QueueDefault: {MaxWorkers: 8}, MailQueue: {MaxWorkers: 8}, LogoutQueue: {MaxWorkers: 32},
			WebhookQueue: {MaxWorkers: 32},
		}
	}
	jobs, err := river.NewClient(d.jobDriver(), config)
	if err != nil {
		return nil, fmt.Errorf("open the job queue: %w", err)
	}
	return jobs, nil
}

// Enqueue writes jobs as part of tx.
func Enqueue(ctx context.Context, jobs *Jobs, tx bun.Tx, args ...river.JobArgs) error {
	for batch := range slices.Chunk(args, jobsAtOnce) {
		params := make([]river.InsertManyParams, len(batch))
		for i, job := range batch {
			params[i].Args = job
		}
		if _, err := jobs.InsertManyFastTx(ctx, tx.Tx, params); err != nil {
			return fmt.Errorf("enqueue %s: %w", batch[0].Kind(), err)
		}
	}
	return nil
}

const jobsAtOnce = 1000 // in one statement, on PostgreSQL

func (d *Database) jobDriver() riverdriver.Driver[*sql.Tx] {
	if d.Kind == SQLite {
		return riversqlite.New(d.writer.DB)
	}
	return riverdatabasesql.New(d.writer.DB)
}

// migrateJobs brings the queue's own tables up to date, each step in a transaction of its own: some of River's cannot
// share one.
func (d *Database) migrateJobs(ctx context.Context) error {
	migrator, err := rivermigrate.New(d.jobDriver(), &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	for {
		done, err := alter(ctx, d, "migrate jobs", func(ctx context.Context, tx bun.Tx) (done bool, err error) {
			//lint:ignore SA1019 it warns of several steps in one transaction
			result, err := migrator.MigrateTx(ctx, tx.Tx, rivermigrate.DirectionUp, &rivermigrate.MigrateOpts{MaxSteps: 1})
			return err == nil && len(result.Versions) == 0, err
		})
		if err != nil || done {
			return err
		}
	}
}

// quiet leaves out River's remarks on its own coming and going, and that what it was at ended because it was stopped.
type quiet struct{ slog.Handler }

func (q quiet) Handle(ctx context.Context, record slog.Record) error {
	stopped := false
	record.Attrs(func(attr slog.Attr) bool {
		said := attr.Value.String() // an error, or what one says
		// A context that ends rolls its transaction back, which River may find when it commits.
		stopped = strings.HasSuffix(said, context.Canceled.Error()) || strings.HasSuffix(said, sql.ErrTxDone.Error())
		return !stopped
	})
	if stopped {
		return nil
	}
	return q.Handler.Handle(ctx, record)
}

func (q quiet) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && q.Handler.Enabled(ctx, level)
}

func (q quiet) WithAttrs(attrs []slog.Attr) slog.Handler { return quiet{q.Handler.WithAttrs(attrs)} }
func (q quiet) WithGroup(name string) slog.Handler       { return quiet{q.Handler.WithGroup(name)} }
