package logout

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/storage"
)

const (
	// firstAttempts is how long a person on the way back to an app waits for the apps to be told: an app that is asked by
	// the browser before it has heard would still show them as signed in.
	firstAttempts = time.Second
	lookedAgain   = 25 * time.Millisecond
)

// Owner returns whose session that is, by which the hint of an app says whom it means: its sub may be a name that one
// app alone knows. It returns uuid.Nil where there is no such session any more.
func (p *Service) Owner(ctx context.Context, sessionID uuid.UUID) (owner uuid.UUID, err error) {
	err = p.Database.Reader().NewSelect().Model((*identity.Session)(nil)).Column("user_id").
		Where("id = ?", sessionID).Scan(ctx, &owner)
	if errors.Is(storage.NotFound(err), storage.ErrNotFound) {
		return uuid.Nil, nil
	} else if err != nil {
		return uuid.Nil, fmt.Errorf("owner of a session: %w", err)
	}
	return owner, nil
}

// End ends the session of a person who signs out, as identity does, and gives the apps that took part in it a moment to
// hear of it before the browser goes on. Who has not heard by then is told by a job.
func (p *Service) End(ctx context.Context, userID, sessionID uuid.UUID, reason string) error {
	now := p.Now()
	ending, cancel := storage.Outlasting(ctx) // who asks and hangs up has asked
	defer cancel()
	ended, err := storage.Write(ending, p.Database, func(ctx context.Context, tx bun.Tx) (identity.Ended, error) {
		return p.Identity.Sessions().EndThose(ctx, tx, now, userID, reason,
			func(q *bun.UpdateQuery) *bun.UpdateQuery { return q.Where("id = ?", sessionID) })
	})
	if err != nil {
		return fmt.Errorf("end session: %w", err)
	}
	if ended.Heard > 0 {
		p.tellAtOnce(ctx, sessionID)
	}
	return nil
}

// maxAtOnce is how many apps are told while somebody who signs out waits.
const maxAtOnce = 32

// tellAtOnce makes the first attempts at the deliveries of a session, and waits for those that a job has begun. What
// fails is left to the jobs.
func (p *Service) tellAtOnce(ctx context.Context, sessionID uuid.UUID) {
	ctx, cancel := context.WithTimeout(ctx, firstAttempts)
	defer cancel()
	open, err := p.openDeliveries(ctx, sessionID)
	if err != nil {
		p.logLeft(ctx, sessionID, err)
		return
	}
	var attempts sync.WaitGroup
	for _, d := range open[:min(len(open), maxAtOnce)] {
		turn := turnOf(d.ClientID, !d.ByOperator)
		if !p.turns.Take(turn, maxTurns) {
			continue
		}
		attempts.Go(func() {
			defer p.turns.GiveBack(turn)
			if _, err := p.Deliver(ctx, d.ID, firstAttempts); err != nil {
				p.logLeft(ctx, sessionID, err)
			}
		})
	}
	attempts.Wait()
	for sending := true; sending; {
		if open, err = p.openDeliveries(ctx, sessionID); err != nil {
			return // the time is over
		}
		sending = false
		for _, d := range open {
			sending = sending || d.State == DeliverySending
		}
		if sending && storage.Wait(ctx, lookedAgain) != nil {
			return
		}
	}
}

func (p *Service) logLeft(ctx context.Context, sessionID uuid.UUID, err error) {
	if !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
		p.Log.WarnContext(ctx, "telling apps of a logout is left to the jobs", "session_id", sessionID, "error", err)
	}
}

// openDeliveries are those of a session that are not done.
func (p *Service) openDeliveries(ctx context.Context, sessionID uuid.UUID) ([]Delivery, error) {
	var open []Delivery
	err := p.Database.Reader().NewSelect().Model(&open).
		Where("session_id = ? AND state IN (?, ?)", sessionID, DeliveryPending, DeliverySending).Scan(ctx)
	return open, err
}
