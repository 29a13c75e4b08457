package webhooks

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/riverqueue/river"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/manage/events"
	"github.com/wicket-id/wicket/storage"
)

// WebhookDelivery is that one webhook is to be told of one event, or was, as administrators see it.
type WebhookDelivery struct {
	ID         uuid.UUID  `json:"id"`
	EventID    uuid.UUID  `json:"event_id"`
	Sequence   int64      `json:"sequence" doc:"Of the event."`
	Type       string     `json:"type" doc:"Of the event."`
	State      string     `json:"state" doc:"pending, sending, delivered, or failed: given up."`
	Attempts   int        `json:"attempts"`
	Status     int        `json:"status" doc:"Of the last answer; 0: there was none."`
	Answer     string     `json:"answer" doc:"How the last answer began, in one line."`
	Error      string     `json:"error" doc:"Why the last attempt has failed."`
	CreatedAt  time.Time  `json:"created_at"`
	NextAt     *time.Time `json:"next_at,omitempty" doc:"When the next attempt is due."`
	FinishedAt *time.Time `json:"finished_at,omitempty"`
}

// delivery is its row.
type delivery struct {
	bun.BaseModel `bun:"table:webhook_deliveries,alias:delivery"`

	ID         uuid.UUID  `bun:"id,pk,type:uuid"`
	WebhookID  string     `bun:"webhook_id"`
	Sequence   int64      `bun:"sequence"`
	State      string     `bun:"state"`
	Attempts   int        `bun:"attempts"`
	Status     int        `bun:"status"`
	Answer     string     `bun:"answer"`
	Error      string     `bun:"error"`
	CreatedAt  time.Time  `bun:"created_at"`
	NextAt     time.Time  `bun:"next_at"` // of the next attempt; of one under way, when it counts as lost
	FinishedAt *time.Time `bun:"finished_at"`

	EventID   uuid.UUID `bun:"event_id,type:uuid,scanonly"`
	EventType string    `bun:"event_type,scanonly"`
}

// The states of a delivery.
const (
	Pending   = "pending"
	Sending   = "sending" // an attempt is under way
	Delivered = "delivered"
	Failed    = "failed" // given up; an administrator may have it sent again
)

// pauses are those between the attempts at a delivery: a program that is started anew is told soon after, and one that
// is away over a weekend when it is back.
var pauses = []time.Duration{
	5 * time.Second, time.Minute, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour,
	14 * time.Hour, 18 * time.Hour, 22 * time.Hour,
}

const (
	// attemptLost is when an attempt counts as lost whose outcome nobody has noted: the process was killed.
	attemptLost = time.Minute
	// failsFor is how long a webhook may fail before it is switched off.
	failsFor = 5 * 24 * time.Hour
)

// pauseAfter is how long to wait after so many attempts: a fifth more or less than the others, so that those that
// failed together do not come together again.
func pauseAfter(attempts int) time.Duration {
	pause := pauses[attempts-1]
	return pause - pause/5 + time.Duration(rand.Int64N(int64(pause*2/5)))
}

// settle notes the outcome of the last attempt.
func (d *delivery) settle(got outcome, now time.Time) {
	d.Status, d.Answer, d.Error = got.status, got.answer, got.fault
	switch {
	case got.fault == "":
		d.State, d.FinishedAt = Delivered, &now
	case got.final || d.Attempts > len(pauses):
		d.State, d.FinishedAt = Failed, &now
	default:
		d.State, d.NextAt = Pending, now.Add(pauseAfter(d.Attempts))
	}
}

// event is what happened, for metrics.
func (d *delivery) event() string {
	return map[string]string{Delivered: "delivered", Pending: "retried", Failed: "given_up"}[d.State]
}

func (d *delivery) view() WebhookDelivery {
	view := WebhookDelivery{
		ID: d.ID, EventID: d.EventID, Sequence: d.Sequence, Type: d.EventType, State: d.State, Attempts: d.Attempts,
		Status: d.Status, Answer: d.Answer, Error: d.Error, CreatedAt: d.CreatedAt, FinishedAt: d.FinishedAt,
	}
	if d.State == Pending {
		view.NextAt = &d.NextAt
	}
	return view
}

// deliveriesAtOnce is how many one statement writes.
const deliveriesAtOnce = 500

// Hear writes, as part of tx, the deliveries of events to those that listen to them, each with its job. It is an
// events.Store.Hear.
func (s *Store) Hear(ctx context.Context, tx bun.Tx, told []events.Event) error {
	var active []row
	if err := tx.NewSelect().Model(&active).Where("is_active").Order("id").Scan(ctx); err != nil {
		return err
	}
	now := s.Now()
	var deliveries []delivery
	for i := range told {
		for _, webhook := range listening(active, &told[i]) {
			deliveries = append(deliveries, newDelivery(webhook.ID, told[i].Sequence, now))
		}
	}
	for batch := range slices.Chunk(deliveries, deliveriesAtOnce) {
		if _, err := tx.NewInsert().Model(&batch).Returning("NULL").Exec(ctx); err != nil {
			return err
		}
	}
	return s.enqueue(ctx, tx, deliveries)
}

func newDelivery(webhookID string, sequence int64, now time.Time) delivery {
	return delivery{
		ID: storage.NewID(), WebhookID: webhookID, Sequence: sequence, State: Pending, CreatedAt: now, NextAt: now,
	}
}

// enqueue writes the jobs of the next attempts at deliveries.
func (s *Store) enqueue(ctx context.Context, tx bun.Tx, deliveries []delivery) error {
	jobs, now := make([]river.JobArgs, len(deliveries)), s.Now()
	for i, d := range deliveries {
		job := Job{ID: d.ID, WebhookID: d.WebhookID}
		if d.NextAt.After(now) { // what is scheduled waits some seconds longer
			job.Due = d.NextAt
		}
		jobs[i] = job
	}
	return storage.Enqueue(ctx, s.Jobs, tx, jobs...)
}

// claim begins an attempt at a delivery that is due: of several at once one gets it. It returns storage.ErrNotFound
// where there is none to be made.
func (s *Store) claim(ctx context.Context, id uuid.UUID) (*delivery, error) {
	now := s.Now()
	return storage.Write(ctx, s.Database, func(ctx context.Context, tx bun.Tx) (*delivery, error) {
		claimed := new(delivery)
		err := tx.NewUpdate().Model(claimed).
			Set("state = ?", Sending).
			Set("attempts = attempts + 1").
			Set("next_at = ?", now.Add(attemptLost)).
			Where("id = ? AND state IN (?, ?) AND next_at <= ?", id, Pending, Sending, now).
			Returning("*").Scan(ctx)
		return claimed, storage.NotFound(err)
	})
}

// record keeps the outcome of an attempt, unless another one was begun because this one took too long; and what it says
// of the webhook, which it may switch off.
func (s *Store) record(ctx context.Context, d *delivery, w *row, got outcome) error {
	now := s.Now()
	return s.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		err := storage.OneRow(tx.NewUpdate().Model(d).
			Column("state", "status", "answer", "error", "next_at", "finished_at").
			Where("id = ? AND state = ? AND attempts = ?", d.ID, Sending, d.Attempts).Exec(ctx))
		if errors.Is(err, storage.ErrNotFound) {
			return nil
		} else if err != nil {
			return err
		}
		if d.State == Pending {
			if err := s.enqueue(ctx, tx, []delivery{*d}); err != nil {
				return err
			}
		}
		storage.CountEvent(ctx, "webhook_deliveries", d.event())
		switch {
		case got.unsent:
			return nil
		case got.fault == "" && w.FailingSince != nil:
			return forgetFailures(ctx, tx, w.ID)
		case got.gone:
			return s.switchOff(ctx, tx, now, w, reasonGone)
		case got.fault != "":
			return s.noteFailure(ctx, tx, now, w)
		}
		return nil
	})
}

// revive has attempts made again that were begun and count as lost.
func (s *Store) revive(ctx context.Context) error {
	now := s.Now()
	lost, err := s.Database.Reader().NewSelect().Model((*delivery)(nil)).
		Where("state = ? AND next_at <= ?", Sending, now).Exists(ctx)
	if err != nil || !lost {
		return err
	}
	return s.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		var revived []delivery
		err := tx.NewUpdate().Model(&revived).Set("state = ?", Pending).
			Where("state = ? AND next_at <= ?", Sending, now).Returning("id, webhook_id, next_at").Scan(ctx)
		if err != nil && !errors.Is(storage.NotFound(err), storage.ErrNotFound) {
			return err
		}
		return s.enqueue(ctx, tx, revived)
	})
}

// DeliveryFilter chooses deliveries. What is empty does not matter.
type DeliveryFilter struct{ State string }

// Deliveries lists the deliveries to a webhook, those of the newest events first, in parts. It returns a
// *manage.ForbiddenError, storage.ErrNotFound, or manage.ErrCursor.
func (s *Store) Deliveries(
	ctx context.Context, by manage.Caller, id string, filter DeliveryFilter, part manage.Part,
) (page manage.Page[WebhookDelivery], err error) {
	if err := by.Demand(manage.ReadWebhooks); err != nil {
		return page, err
	}
	db := s.Database.Reader()
	if _, err := find(ctx, db, id); err != nil {
		return page, fmt.Errorf("webhook: %w", err)
	}
	about := []any{id, filter}
	var rows []delivery
	query := db.NewSelect().Model(&rows).ColumnExpr("delivery.*").
		ColumnExpr("event.id AS event_id, event.type AS event_type").
		Join("JOIN events AS event ON event.sequence = delivery.sequence").
		Where("delivery.webhook_id = ?", id).Order("delivery.sequence DESC").Limit(int64(part.Size() + 1))
	var before int64
	if follows, err := s.After(part, "deliveries", about, &before); err != nil {
		return page, err
	} else if follows {
		query.Where("delivery.sequence < ?", before)
	}
	if filter.State != "" {
		query.Where("delivery.state = ?", filter.State)
	}
	if err := query.Scan(ctx); err != nil {
		return page, fmt.Errorf("list deliveries: %w", err)
	}
	views := make([]WebhookDelivery, len(rows))
	for i := range rows {
		views[i] = rows[i].view()
	}
	return manage.NewPage(s.Store, part, "deliveries", about, views, func(d *WebhookDelivery) any { return d.Sequence })
}
