package federation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/storage"
)

// Arrival is a person who came back from a provider and is nobody here yet. They wait, known by a secret in their
// browser, until they have said whether they have an account: if so, they sign in to it first.
type Arrival struct {
	bun.BaseModel `bun:"table:arrivals,alias:arrival"`

	SecretHash  []byte    `bun:"secret_hash,pk"`
	BrowserHash []byte    `bun:"browser_hash"`
	Sealed      []byte    `bun:"sealed"`
	ExpiresAt   time.Time `bun:"expires_at"`

	External identity.External `bun:"-"`
	Continue string            `bun:"-"` // where they wanted to go on
}

// waiting is what an arrival keeps to itself.
type waiting struct {
	External identity.External `json:"external"`
	Continue string            `json:"continue"`
}

const (
	// ArrivalLifetime is how long an arrival waits.
	ArrivalLifetime = 30 * time.Minute

	sealForArrivals = "arrival"
)

// Welcome lets a person wait, and returns the secret that their browser is to hold.
func (u *Upstreams) Welcome(ctx context.Context, answer *Answer, browser string) (secret string, err error) {
	encoded, err := json.Marshal(waiting{answer.External, answer.Continue})
	if err != nil {
		return "", err
	}
	secret = storage.NewSecret()
	arrival := &Arrival{
		SecretHash: storage.Digest(secret), BrowserHash: storage.Digest(browser),
		Sealed: u.Seal.Close(sealForArrivals, encoded), ExpiresAt: u.Now().Add(ArrivalLifetime),
	}
	err = u.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewInsert().Model(arrival).Exec(ctx)
		return err
	})
	return secret, err
}

// Arrival returns who waits in a browser. It returns ErrRequest where nobody does, or not any more, or the provider is
// believed no more.
func (u *Upstreams) Arrival(ctx context.Context, secret, browser string) (*Arrival, error) {
	if secret == "" || browser == "" {
		return nil, ErrRequest
	}
	arrival := new(Arrival)
	err := u.Database.Reader().NewSelect().Model(arrival).
		Where(
			"secret_hash = ? AND browser_hash = ? AND expires_at > ?", storage.Digest(secret), storage.Digest(browser), u.Now(),
		).Scan(ctx)
	if errors.Is(storage.NotFound(err), storage.ErrNotFound) {
		return nil, ErrRequest
	} else if err != nil {
		return nil, fmt.Errorf("arrival: %w", err)
	}
	encoded, err := u.Seal.Open(sealForArrivals, arrival.Sealed)
	if err != nil {
		return nil, fmt.Errorf("arrival: %w", err)
	}
	var kept waiting
	if err := json.Unmarshal(encoded, &kept); err != nil {
		return nil, fmt.Errorf("arrival: %w", err)
	}
	arrival.External, arrival.Continue = kept.External, kept.Continue
	if _, err := u.Provider(ctx, kept.External.Provider); errors.Is(err, storage.ErrNotFound) {
		return nil, ErrRequest
	} else if err != nil {
		return nil, err
	}
	return arrival, nil
}

// Leave ends the waiting: the person has become somebody here.
func (u *Upstreams) Leave(ctx context.Context, arrival *Arrival) error {
	return u.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewDelete().Model(arrival).WherePK().Exec(ctx)
		return err
	})
}
