package notify

import (
	"context"

	"github.com/riverqueue/river"

	"github.com/wicket-id/wicket/identity/signin"
)

// ResetWorker does the jobs of people who ask for another password: looking whether there is such an account is a
// job's, so that the answer in the browser takes the same time for everybody.
type ResetWorker struct {
	river.WorkerDefaults[signin.ResetRequest]

	SignIns *signin.Store
}

// Work does one job.
func (w *ResetWorker) Work(ctx context.Context, job *river.Job[signin.ResetRequest]) error {
	return w.SignIns.Resets().Handle(ctx, job.Args)
}
