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

// PendingSignUp is a sign-in with an account at a provider that is linked to no account here. It is kept until the
// person has said whether they have an account: if so, they sign in to it first. A secret in their browser finds it.
type PendingSignUp struct {
	bun.BaseModel `bun:"table:arrivals,alias:arrival"`

	SecretHash  []byte    `bun:"secret_hash,pk"`
	BrowserHash []byte    `bun:"browser_hash"`
	Sealed      []byte    `bun:"sealed"` // a sealedSignUp
	ExpiresAt   time.Time `bun:"expires_at"`

	External identity.External `bun:"-"`
	Continue string            `bun:"-"` // the request of an app that waits, as RequestOptions said
	Then     string            `bun:"-"` // the page of ours to go on to, as RequestOptions said
}

// sealedSignUp is what only the server may read.
type sealedSignUp struct {
	External identity.External `json:"external"`
	Continue string            `json:"continue"`
	Then     string            `json:"then"`
}

const (
	// PendingSignUpLifetime is how long a pending sign-up is kept.
	PendingSignUpLifetime = 30 * time.Minute

	sealForSignUps = "arrival" // the name under which earlier versions sealed
)

// SavePendingSignUp keeps what a provider answered, and returns the secret that the browser is to hold. browser is the
// secret by which the browser is known.
func (u *Upstreams) SavePendingSignUp(ctx context.Context, answer *Answer, browser string) (secret string, err error) {
	encoded, err := json.Marshal(sealedSignUp{answer.External, answer.Continue, answer.Then})
	if err != nil {
		return "", err
	}
	secret = storage.NewSecret()
	pending := &PendingSignUp{
		SecretHash: storage.Digest(secret), BrowserHash: storage.Digest(browser),
		Sealed: u.Seal.Close(sealForSignUps, encoded), ExpiresAt: u.Now().Add(PendingSignUpLifetime),
	}
	err = u.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewInsert().Model(pending).Exec(ctx)
		return err
	})
	return secret, err
}

// PendingSignUp returns the pending sign-up of a browser. It returns ErrRequest where there is none, it has expired, or
// its provider was disabled or removed.
func (u *Upstreams) PendingSignUp(ctx context.Context, secret, browser string) (*PendingSignUp, error) {
	if secret == "" || browser == "" {
		return nil, ErrRequest
	}
	pending := new(PendingSignUp)
	err := u.Database.Reader().NewSelect().Model(pending).
		Where("secret_hash = ?", storage.Digest(secret)).
		Where("browser_hash = ?", storage.Digest(browser)).
		Where("expires_at > ?", u.Now()).
		Scan(ctx)
	if errors.Is(storage.NotFound(err), storage.ErrNotFound) {
		return nil, ErrRequest
	} else if err != nil {
		return nil, fmt.Errorf("pending sign-up: %w", err)
	}
	encoded, err := u.Seal.Open(sealForSignUps, pending.Sealed)
	if err != nil {
		return nil, fmt.Errorf("pending sign-up: %w", err)
	}
	var sealed sealedSignUp
	if err := json.Unmarshal(encoded, &sealed); err != nil {
		return nil, fmt.Errorf("pending sign-up: %w", err)
	}
	pending.External, pending.Continue, pending.Then = sealed.External, sealed.Continue, sealed.Then
	pending.External.IsTrusted = u.trustOf(sealed.External.Provider)
	if _, err := u.Provider(ctx, sealed.External.Provider); errors.Is(err, storage.ErrNotFound) {
		return nil, ErrRequest
	} else if err != nil {
		return nil, err
	}
	return pending, nil
}

// EndPendingSignUp deletes a pending sign-up: the person has an account here now.
func (u *Upstreams) EndPendingSignUp(ctx context.Context, pending *PendingSignUp) error {
	return u.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewDelete().Model(pending).WherePK().Exec(ctx)
		return err
	})
}
