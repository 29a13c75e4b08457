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
	deleted, identityErr := w.server.SignIns.Expire(ctx)
	erased, eraseErr := w.server.Transfer.Erase(ctx)
	deleted["users"] = erased
	fromProvider, providerErr := w.server.Provider.Expire(ctx)
	fromUpstreams, upstreamsErr := w.server.Upstreams.Expire(ctx)
	maps.Copy(deleted, fromProvider)
	maps.Copy(deleted, fromUpstreams)
	now := w.server.Clock.Now()
	var marksErr, quotasErr, auditErr error
	deleted["one_time_marks"], marksErr = storage.ForgetMarks(ctx, w.server.Database, now)
	deleted["quotas"], quotasErr = storage.ForgetQuotas(ctx, w.server.Database, now)
	if w.auditTrailKept > 0 {
		before := now.Add(-w.auditTrailKept)
		deleted["audit_trail"], auditErr = w.server.Database.ForgetBefore(ctx, "audit_trail", before)
	}
	w.server.metrics.keptUp(deleted)
	partitionErr := w.server.Database.PreparePartitions(ctx, now)
	attributes := []any{"took", time.Since(began)}
	for table, n := range deleted {
		if n > 0 {
			attributes = append(attributes, table, n)
		}
	}
	w.log.Info("upkeep", attributes...)
	return errors.Join(identityErr, eraseErr, providerErr, upstreamsErr, marksErr, quotasErr, auditErr, partitionErr)
}

// Timeout lets the first upkeep of a large database take its time.
func (w *upkeepWorker) Timeout(*river.Job[upkeep]) time.Duration { return 30 * time.Minute }
