package webhooks

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/riverqueue/river"

	"github.com/wicket-id/wicket/storage"
)

// Job is the job of one attempt to tell one webhook of one event. Where another is to be made, its job is written in
// the transaction that notes that this one has failed, so that none depends on the process that made it.
type Job struct {
	ID        uuid.UUID `json:"id"`
	WebhookID string    `json:"webhook_id"`
	Due       time.Time `json:"-"` // not before; zero: now
}

// Kind names the job.
func (Job) Kind() string { return "webhook_delivery" }

// InsertOpts chooses the job's queue and its time.
func (j Job) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: storage.WebhookQueue, ScheduledAt: j.Due}
}

// Worker does these jobs.
type Worker struct {
	river.WorkerDefaults[Job]

	Webhooks *Store
	Count    storage.EventCounter
}

const (
	maxTurns     = 8                // of 32 workers: a webhook that is slow leaves the others to others
	failingTurns = 1                // and one that takes nothing, nearly all
	noTurn       = 2 * time.Second  // how long a job waits when as many attempts are under way as may be
	noTurnYet    = 30 * time.Second // and where all of late have failed
)

// Work makes an attempt.
func (w *Worker) Work(ctx context.Context, job *river.Job[Job]) error {
	webhook, err := find(ctx, w.Webhooks.Database.Reader(), job.Args.WebhookID)
	if errors.Is(err, storage.ErrNotFound) {
		return nil // it was deleted, and its deliveries with it
	} else if err != nil {
		return err
	}
	turns, wait := maxTurns, noTurn
	if webhook.FailingSince != nil {
		turns, wait = failingTurns, noTurnYet
	}
	if !w.Webhooks.turns.Take(webhook.ID, turns) {
		return river.JobSnooze(wait)
	}
	defer w.Webhooks.turns.GiveBack(webhook.ID)
	return w.Webhooks.deliver(storage.WithEventCounter(ctx, w.Count), webhook, job.Args.ID)
}

// Watch has attempts made again whose outcome nobody has noted, because the process was killed that made them, until
// ctx ends. It may run in several processes at once.
func (s *Store) Watch(ctx context.Context) {
	ticker := time.NewTicker(watchEvery)
	defer ticker.Stop()
	for {
		if err := s.revive(ctx); err != nil && ctx.Err() == nil {
			s.Log.ErrorContext(ctx, "look for attempts to tell webhooks that were lost", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

const watchEvery = 20 * time.Second
