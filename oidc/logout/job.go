package logout

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/riverqueue/river"

	"github.com/wicket-id/wicket/storage"
)

// DeliveryJob is the job of telling one app of the end of one session, again and again until it is told or given up.
// When the next attempt is due is in the row.
type DeliveryJob struct {
	ID       uuid.UUID `json:"id"`
	ClientID string    `json:"client_id"`
	Stranger bool      `json:"stranger,omitempty"` // nobody vouches for the app
}

// Kind names the job.
func (DeliveryJob) Kind() string { return "logout_delivery" }

// InsertOpts chooses the job's queue.
func (DeliveryJob) InsertOpts() river.InsertOpts { return river.InsertOpts{Queue: storage.LogoutQueue} }

// DeliveryWorker does these jobs.
type DeliveryWorker struct {
	river.WorkerDefaults[DeliveryJob]

	Logout *Service
	Count  storage.EventCounter
}

// noTurn is how long a job waits when as many attempts at its app are under way as may be.
const noTurn = time.Second

// Work makes an attempt, and comes again when the next is due.
func (w *DeliveryWorker) Work(ctx context.Context, job *river.Job[DeliveryJob]) error {
	turn := turnOf(job.Args.ClientID, job.Args.Stranger)
	if !w.Logout.turns.Take(turn, maxTurns) {
		return river.JobSnooze(noTurn)
	}
	defer w.Logout.turns.GiveBack(turn)
	next, err := w.Logout.Deliver(storage.WithEventCounter(ctx, w.Count), job.Args.ID, attemptTimeout)
	if err != nil || next.IsZero() {
		return err
	}
	return river.JobSnooze(max(0, next.Sub(w.Logout.Now())))
}

// turnOf names whose turns an app takes: its own, or those of all apps that anybody may have registered, who could make
// as many as they like.
func turnOf(clientID string, stranger bool) string {
	if stranger {
		return "strangers"
	}
	return clientID
}

const maxTurns = 8 // of 32 workers: an app that is slow leaves the others to others
