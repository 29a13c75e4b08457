package main

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"time"

	"github.com/riverqueue/river"
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

	house      *house
	ledgerKept time.Duration // 0: for ever
	log        *slog.Logger
}

// Work does the job.
func (w *upkeepWorker) Work(ctx context.Context, _ *river.Job[upkeep]) error {
	began := time.Now()
	fromIdentity, identityErr := w.house.identity.Expire(ctx)
	fromProvider, providerErr := w.house.provider.Expire(ctx)
	fromUpstreams, upstreamsErr := w.house.upstream.Expire(ctx)
	maps.Copy(fromIdentity, fromProvider)
	maps.Copy(fromIdentity, fromUpstreams)
	now := w.house.clock.Now()
	var ledgerErr error
	if w.ledgerKept > 0 {
		fromIdentity["audit_trail"], ledgerErr = w.house.database.ForgetBefore(ctx, "audit_trail", now.Add(-w.ledgerKept))
	}
	w.house.metrics.keptUp(fromIdentity)
	partitionErr := w.house.database.PreparePartitions(ctx, now)
	attributes := []any{"took", time.Since(began)}
	for table, n := range fromIdentity {
		if n > 0 {
			attributes = append(attributes, table, n)
		}
	}
	w.log.Info("upkeep", attributes...)
	return errors.Join(identityErr, providerErr, upstreamsErr, ledgerErr, partitionErr)
}

// Timeout lets the first upkeep of a large database take its time.
func (w *upkeepWorker) Timeout(*river.Job[upkeep]) time.Duration { return 30 * time.Minute }
