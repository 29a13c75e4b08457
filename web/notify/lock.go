package notify

import (
	"context"

	"github.com/riverqueue/river"

	"github.com/wicket-id/wicket/identity"
)

// LockWorker does the jobs that tell owners of locked accounts: a wrong password that locks one is answered as fast as any.
type LockWorker struct {
	river.WorkerDefaults[identity.LockNotice]

	Identity *identity.Store
}

// Work does one job.
func (w *LockWorker) Work(ctx context.Context, job *river.Job[identity.LockNotice]) error {
	return w.Identity.HandleLock(ctx, job.Args)
}
