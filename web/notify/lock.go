package notify

import (
	"context"

	"github.com/riverqueue/river"

	"github.com/wicket-id/wicket/identity/signin"
)

// LockWorker does the jobs that tell owners of locked accounts: a wrong password that locks one is answered as fast as
// any.
type LockWorker struct {
	river.WorkerDefaults[signin.LockNotice]

	SignIns *signin.Store
}

// Work does one job.
func (w *LockWorker) Work(ctx context.Context, job *river.Job[signin.LockNotice]) error {
	return w.SignIns.NotifyLock(ctx, job.Args)
}
