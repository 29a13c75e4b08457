package webhooks

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity/refusal"
	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/manage/events"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

// ErrPending says that a delivery need not be sent again, for it was not given up.
var ErrPending = refusal.New("webhook.pending", "this delivery is still being sent")

// Resend has one delivery sent again, as often as a new one. It returns a *manage.ForbiddenError, a
// *manage.StepUpError, storage.ErrNotFound, ErrDisabled or ErrPending.
func (s *Store) Resend(ctx context.Context, by manage.Caller, id string, deliveryID uuid.UUID) error {
	if err := demandToSend(by); err != nil {
		return err
	}
	now := s.Now()
	err := s.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		if err := demandActive(ctx, tx, id); err != nil {
			return err
		}
		again := delivery{ID: deliveryID, WebhookID: id, NextAt: now}
		err := storage.OneRow(tx.NewUpdate().Model((*delivery)(nil)).
			Set("state = ?", Pending).Set("attempts = 0").Set("next_at = ?", now).Set("finished_at = NULL").
			Where("id = ? AND webhook_id = ? AND state IN (?, ?)", deliveryID, id, Delivered, Failed).Exec(ctx))
		if err != nil {
			return pendingOr(ctx, tx, again, err)
		}
		err = audit.Record(ctx, tx, now, audit.Change{
			Entity: "webhook", EntityID: id, Action: "resent", New: audit.Values{"delivery": deliveryID},
		})
		if err != nil {
			return err
		}
		return s.enqueue(ctx, tx, []delivery{again})
	})
	if err != nil {
		return fmt.Errorf("send an event again: %w", err)
	}
	return nil
}

// pendingOr returns ErrPending where a delivery is there, and err otherwise.
func pendingOr(ctx context.Context, tx bun.Tx, of delivery, err error) error {
	there, failed := tx.NewSelect().Model((*delivery)(nil)).
		Where("id = ? AND webhook_id = ?", of.ID, of.WebhookID).Exists(ctx)
	if failed != nil {
		return failed
	}
	if there {
		return ErrPending
	}
	return err
}

// ResentEvents says how much is sent again.
type ResentEvents struct {
	Deliveries int   `json:"deliveries" doc:"How many events are sent."`
	After      int64 `json:"after" doc:"The number of the last event that was looked at."`
	More       bool  `json:"more" doc:"There is more: ask again with after."`
}

const (
	resentInCall        = 5000 // events
	resentInTransaction = 500
)

// ResendSince has all events sent again, or for the first time, that happened since a time and have a number after
// one, in so far as the webhook listens to them now: those too that happened while it was switched off or did not
// exist. What is on its way is left alone. One call sends some thousands. It returns a *manage.ForbiddenError, a
// *manage.StepUpError, storage.ErrNotFound or ErrDisabled.
func (s *Store) ResendSince(
	ctx context.Context, by manage.Caller, id string, since time.Time, after int64,
) (resent *ResentEvents, err error) {
	if err := demandToSend(by); err != nil {
		return nil, err
	}
	if since.Year() < 1970 || since.Year() > 9999 { // PostgreSQL does not take every year
		since = time.Unix(0, 0)
	}
	resent = &ResentEvents{After: after, More: true}
	for looked := 0; resent.More && looked < resentInCall; looked += resentInTransaction {
		part, err := s.resendPart(ctx, id, since.UTC(), resent.After)
		if err != nil {
			return nil, fmt.Errorf("send events again: %w", err)
		}
		resent.Deliveries += part.Deliveries
		resent.After, resent.More = part.After, part.More
	}
	return resent, nil
}

// resendPart is ResendSince for as many as are written in one transaction.
func (s *Store) resendPart(ctx context.Context, id string, since time.Time, after int64) (ResentEvents, error) {
	now := s.Now()
	return storage.Write(ctx, s.Database, func(ctx context.Context, tx bun.Tx) (part ResentEvents, err error) {
		part.After = after
		found, err := find(ctx, tx, id)
		if err == nil && !found.IsActive {
			err = ErrDisabled
		}
		if err != nil {
			return part, err
		}
		types, err := events.Chosen(found.Types)
		if err != nil {
			return part, err
		}
		known, err := events.Since(ctx, tx, since, after, types, resentInTransaction)
		if err != nil || len(known) == 0 {
			return part, err
		}
		part.After, part.More = known[len(known)-1].Sequence, len(known) == resentInTransaction
		deliveries := make([]delivery, len(known))
		for i, event := range known {
			deliveries[i] = newDelivery(id, event.Sequence, now)
		}
		var sent []delivery
		err = tx.NewInsert().Model(&deliveries).On("CONFLICT (webhook_id, sequence) DO UPDATE").
			Set("state = EXCLUDED.state").Set("attempts = 0").Set("next_at = EXCLUDED.next_at").Set("finished_at = NULL").
			Where("delivery.state IN (?, ?)", Delivered, Failed).Returning("id, webhook_id, next_at").Scan(ctx, &sent)
		if errors.Is(storage.NotFound(err), storage.ErrNotFound) || err == nil && len(sent) == 0 {
			return part, nil
		} else if err != nil {
			return part, err
		}
		part.Deliveries = len(sent)
		err = audit.Record(ctx, tx, now, audit.Change{
			Entity: "webhook", EntityID: id, Action: "resent", New: audit.Values{"since": since, "events": len(sent)},
		})
		if err != nil {
			return part, err
		}
		return part, s.enqueue(ctx, tx, sent)
	})
}
