package copying

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/storage"
)

// waitingJob is a job of another database, as the queue takes it: whatever it is about.
type waitingJob struct {
	kind string
	args json.RawMessage
}

// Kind is river.JobArgs'.
func (j waitingJob) Kind() string { return j.kind }

// MarshalJSON is json.Marshaler's.
func (j waitingJob) MarshalJSON() ([]byte, error) { return j.args, nil }

// copiedJob is where a job's metadata say which one it was in the database that it comes from.
const copiedJob = "copied_job"

// jobs copies the jobs that wait to be done, or done again; each once, however often it is run. Their tries are counted
// anew. It returns how many it copied.
func (c *Copy) jobs(ctx context.Context) (copied int, err error) {
	log := slog.New(slog.DiscardHandler)
	from, err := c.From.NewJobs(nil, nil, log)
	if err != nil {
		return 0, err
	}
	to, err := c.To.NewJobs(nil, nil, log)
	if err != nil {
		return 0, err
	}
	there := map[int64]bool{}
	err = eachJob(ctx, to, rivertype.JobStates(), func(job *rivertype.JobRow) error {
		var metadata map[string]json.RawMessage
		var id int64
		if json.Unmarshal(job.Metadata, &metadata) == nil && json.Unmarshal(metadata[copiedJob], &id) == nil {
			there[id] = true
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("list the jobs of the target: %w", err)
	}
	waiting := []rivertype.JobState{
		rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRetryable, rivertype.JobStateRunning,
		rivertype.JobStateScheduled,
	}
	err = eachJob(ctx, from, waiting, func(job *rivertype.JobRow) error {
		if there[job.ID] {
			return nil
		}
		metadata := map[string]json.RawMessage{}
		if err := json.Unmarshal(job.Metadata, &metadata); err != nil {
			return fmt.Errorf("the metadata of job %d: %w", job.ID, err)
		}
		metadata[copiedJob] = json.RawMessage(fmt.Sprint(job.ID))
		noted, err := json.Marshal(metadata)
		if err != nil {
			return err
		}
		options := &river.InsertOpts{
			MaxAttempts: job.MaxAttempts, Metadata: noted, Priority: job.Priority, Queue: job.Queue,
			ScheduledAt: job.ScheduledAt, Tags: job.Tags,
		}
		copied++
		return c.To.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
			_, err := to.InsertTx(ctx, tx.Tx, waitingJob{job.Kind, job.EncodedArgs}, options)
			return err
		})
	})
	if err != nil {
		return 0, fmt.Errorf("copy the jobs that wait: %w", err)
	}
	return copied, nil
}

// eachJob calls do for every job in one of those states, a page at a time.
func eachJob(
	ctx context.Context, jobs *storage.Jobs, states []rivertype.JobState, do func(*rivertype.JobRow) error,
) error {
	const page = 1000
	params := river.NewJobListParams().First(page).OrderBy(river.JobListOrderByID, river.SortOrderAsc).States(states...)
	for {
		list, err := jobs.JobList(ctx, params)
		if err != nil {
			return err
		}
		for _, job := range list.Jobs {
			if err := do(job); err != nil {
				return err
			}
		}
		if len(list.Jobs) < page {
			return nil
		}
		params = params.After(list.LastCursor)
	}
}
