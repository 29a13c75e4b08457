package webhooks

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/riverqueue/river"

	"github.com/wicket-id/wicket/storage"
)

// Job is the job of telling one webhook of one event, again and again until it has taken it or is given up. When the
// next attempt is due is in the row.
type Job struct {
	ID        uuid.UUID `json:"id"`
	WebhookID string    `json:"webhook_id"`
}

// Kind names the job.
func (Job) Kind() string { return "webhook_delivery" }

// InsertOpts chooses the job's queue.
func (Job) InsertOpts() river.InsertOpts { return river.InsertOpts{Queue: storage.WebhookQueue} }

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

// Work makes an attempt, and comes again when the next is due.
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
	next, err := w.Webhooks.deliver(storage.WithEventCounter(ctx, w.Count), webhook, job.Args.ID)
	if err != nil || next.IsZero() {
		return err
	}
	return river.JobSnooze(max(0, next.Sub(w.Webhooks.Now())))
}
