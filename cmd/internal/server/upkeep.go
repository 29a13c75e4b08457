package server

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"time"

	"github.com/riverqueue/river"

	"github.com/wicket-id/wicket/storage"
)

// upkeep is the job that deletes what has served its time and prepares the months to come. It is hourly; of several
// replicas one does it.
type upkeep struct{}

// Kind names the job.
func (upkeep) Kind() string { return "upkeep" }

const upkeepEvery = time.Hour

func upkeepJob() *river.PeriodicJob {
	return river.NewPeriodicJob(river.PeriodicInterval(upkeepEvery), func() (river.JobArgs, *river.InsertOpts) {
		return upkeep{}, &river.InsertOpts{MaxAttempts: 1} // the next one comes soon enough
	}, &river.PeriodicJobOpts{RunOnStart: true})
}

type upkeepWorker struct {
	river.WorkerDefaults[upkeep]

	server         *Server
	auditTrailKept time.Duration // 0: for ever
	log            *slog.Logger
}

// Work does the job.
func (w *upkeepWorker) Work(ctx context.Context, _ *river.Job[upkeep]) error {
	began := time.Now()
	deleted, faults := map[string]int64{}, []error(nil)
	for _, expire := range []func(context.Context) (map[string]int64, error){
		w.server.SignIns.Expire, w.server.Provider.Expire, w.server.Upstreams.Expire, w.server.Registration.Expire,
		w.server.Webhooks.Expire,
	} {
		rows, err := expire(ctx)
		maps.Copy(deleted, rows)
		faults = append(faults, err)
	}
	now := w.server.Clock.Now()
	note := func(table string) func(int64, error) {
		return func(n int64, err error) { deleted[table], faults = n, append(faults, err) }
	}
	note("users")(w.server.Transfer.Erase(ctx))
	note("one_time_marks")(storage.ForgetMarks(ctx, w.server.Database, now))
	note("old_client_secrets")(w.server.Clients.ForgetOldSecrets(ctx))
	note("idempotency_keys")(w.server.Manage.Expire(ctx))
	note("sign_in_hours")(w.server.Activity.CountHours(ctx))
	note("refusals")(w.server.Refusals.Expire(ctx))
	note("quotas")(storage.ForgetQuotas(ctx, w.server.Database, now))
	if w.auditTrailKept > 0 {
		note("audit_trail")(w.server.Database.ForgetBefore(ctx, "audit_trail", now.Add(-w.auditTrailKept)))
	}
	w.server.metrics.keptUp(deleted)
	faults = append(faults, w.server.Database.PreparePartitions(ctx, now))
	attributes := []any{"took", time.Since(began)}
	for table, n := range deleted {
		if n > 0 {
			attributes = append(attributes, table, n)
		}
	}
	w.log.Info("upkeep", attributes...)
	return errors.Join(faults...)
}

// Timeout lets the first upkeep of a large database take its time.
func (w *upkeepWorker) Timeout(*river.Job[upkeep]) time.Duration { return 30 * time.Minute }
