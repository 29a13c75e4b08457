package logout

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

// Delivery is that one app is to be told that one session has ended: OpenID Connect Back-Channel Logout, section 2.5.
// It holds what that takes, for the app and the person may be deleted before the app has been told.
type Delivery struct {
	bun.BaseModel `bun:"table:logout_deliveries,alias:delivery"`

	ID          uuid.UUID  `bun:"id,pk,type:uuid"`
	SessionID   uuid.UUID  `bun:"session_id,type:uuid"` // the sid of the token
	UserID      uuid.UUID  `bun:"user_id,type:uuid"`
	ClientID    string     `bun:"client_id"`
	Subject     string     `bun:"sub"`          // whom the app knows the person as; empty: it does not know them
	URI         string     `bun:"uri"`          // as registered when the session ended
	ByOperator  bool       `bun:"by_operator"`  // who registered it may mean a private address; a stranger may not
	Alg         string     `bun:"alg"`          // the app's id_token_signed_response_alg, then
	IsEncrypted bool       `bun:"is_encrypted"` // the app's tokens were, then
	State       string     `bun:"state"`
	Attempts    int        `bun:"attempts"`
	LastError   string     `bun:"last_error"`
	CreatedAt   time.Time  `bun:"created_at"`
	NextAt      time.Time  `bun:"next_at"` // of the next attempt; of one under way, when it counts as lost
	DeliveredAt *time.Time `bun:"delivered_at"`
}

// The states of a delivery.
const (
	DeliveryPending   = "pending"
	DeliverySending   = "sending" // an attempt is under way
	DeliveryDelivered = "delivered"
	DeliveryFailed    = "failed" // given up; an operator may have it sent again
)

// pauses are those between the attempts at a delivery: an app that is deployed anew is told soon after, and one that is
// away for longer than two hours is given up.
var pauses = []time.Duration{
	5 * time.Second, 15 * time.Second, 45 * time.Second, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute,
	15 * time.Minute, 20 * time.Minute, 30 * time.Minute, 30 * time.Minute,
}

// attemptLost is when an attempt counts as lost whose outcome nobody has noted: the process was killed.
const attemptLost = time.Minute

// fault is why an attempt has failed.
type fault struct {
	reason string
	final  bool // another attempt would fare no better
}

// faultOf says what an app's answer means: Back-Channel Logout, section 2.8. Any 2xx is a success, for frameworks
// answer an empty body with 204. What is said of the request is final; of the app's own state, or of its haste, it is
// not.
func faultOf(status int, said string) *fault {
	if status/100 == 2 {
		return nil
	}
	reason := fmt.Sprintf("the app answered %d", status)
	if said != "" {
		reason += ": " + said
	}
	passes := status >= 500 || status == http.StatusRequestTimeout || status == http.StatusTooManyRequests
	return &fault{reason: reason, final: !passes}
}

// settle notes the outcome of the last attempt.
func (d *Delivery) settle(failed *fault, now time.Time) {
	switch {
	case failed == nil:
		d.State, d.LastError, d.DeliveredAt = DeliveryDelivered, "", &now
	case failed.final || d.Attempts > len(pauses):
		d.State, d.LastError = DeliveryFailed, failed.reason
	default:
		d.State, d.LastError, d.NextAt = DeliveryPending, failed.reason, now.Add(pauses[d.Attempts-1])
	}
}

// isOpen tells whether there is more to be done.
func (d *Delivery) isOpen() bool { return d.State == DeliveryPending || d.State == DeliverySending }

// claim begins an attempt at a delivery that is due: of several at once one gets it. It returns storage.ErrNotFound
// where there is none to be made.
func (p *Service) claim(ctx context.Context, id uuid.UUID) (*Delivery, error) {
	now := p.Now()
	return storage.Write(ctx, p.Database, func(ctx context.Context, tx bun.Tx) (*Delivery, error) {
		delivery := new(Delivery)
		err := tx.NewUpdate().Model(delivery).
			Set("state = ?", DeliverySending).
			Set("attempts = attempts + 1").
			Set("next_at = ?", now.Add(attemptLost)).
			Where("id = ? AND state IN (?, ?) AND next_at <= ?", id, DeliveryPending, DeliverySending, now).
			Returning("*").Scan(ctx)
		return delivery, storage.NotFound(err)
	})
}

// record keeps the outcome of an attempt; unless another one was begun because this one took too long.
func (p *Service) record(ctx context.Context, d *Delivery, event string) error {
	return p.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		result, err := tx.NewUpdate().Model(d).Column("state", "last_error", "next_at", "delivered_at").
			Where("id = ? AND state = ? AND attempts = ?", d.ID, DeliverySending, d.Attempts).Exec(ctx)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return err
		}
		storage.CountEvent(ctx, "logout_deliveries", event)
		return nil
	})
}

// ErrNotFailed says that a delivery was not given up, so that there is no need to send it again.
var ErrNotFailed = errors.New("it has not failed")

// Resend has a delivery that was given up sent again, as often as a new one. It returns storage.ErrNotFound or
// ErrNotFailed.
func (p *Service) Resend(ctx context.Context, id uuid.UUID) error {
	now := p.Now()
	err := p.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		delivery := new(Delivery)
		err := tx.NewUpdate().Model(delivery).Set("state = ?", DeliveryPending).Set("attempts = 0").Set("next_at = ?", now).
			Where("id = ? AND state = ?", id, DeliveryFailed).Returning("*").Scan(ctx)
		if err := storage.NotFound(err); err != nil {
			return err
		}
		err = audit.Record(ctx, tx, now, audit.Change{
			Entity: "logout_delivery", EntityID: id.String(), Action: "resent",
			New: audit.Values{"client_id": delivery.ClientID, "session_id": delivery.SessionID},
		})
		if err != nil {
			return err
		}
		job := DeliveryJob{ID: id, ClientID: delivery.ClientID, Stranger: !delivery.ByOperator}
		return storage.Enqueue(ctx, p.Jobs, tx, job)
	})
	if errors.Is(err, storage.ErrNotFound) {
		if known, err := p.delivery(ctx, id); err != nil {
			return err
		} else if known != nil {
			return ErrNotFailed
		}
	}
	if err != nil {
		return fmt.Errorf("resend the logout delivery: %w", err)
	}
	return nil
}

// Deliveries lists deliveries, the newest first: of the client with that id, or of all where it is empty, and those
// that have failed or all. limit is how many at the most.
func (p *Service) Deliveries(ctx context.Context, clientID string, failed bool, limit int) ([]Delivery, error) {
	var deliveries []Delivery
	query := p.Database.Late().NewSelect().Model(&deliveries).Order("created_at DESC", "id DESC").Limit(int64(limit))
	if clientID != "" {
		query.Where("client_id = ?", clientID)
	}
	if failed {
		query.Where("state = ?", DeliveryFailed)
	}
	if err := query.Scan(ctx); err != nil {
		return nil, fmt.Errorf("list logout deliveries: %w", err)
	}
	return deliveries, nil
}

// delivery returns a delivery, or nil.
func (p *Service) delivery(ctx context.Context, id uuid.UUID) (*Delivery, error) {
	found := new(Delivery)
	err := storage.NotFound(p.Database.Reader().NewSelect().Model(found).Where("id = ?", id).Scan(ctx))
	if errors.Is(err, storage.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("logout delivery: %w", err)
	}
	return found, nil
}
