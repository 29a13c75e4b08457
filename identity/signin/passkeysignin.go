package signin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/factor"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

// PasskeyAttempt is an attempt to sign in with a passkey.
type PasskeyAttempt struct {
	State    string // of the Ceremony
	Response string // of the browser, as JSON
	Device   identity.Device
	Current  *identity.Session // the live session that this browser has already, or nil
}

// WithPasskey verifies a passkey and starts a session, as SignIn does. It returns ErrRefused, or
// identity.ErrTooManyAttempts or password.ErrBusy.
func (s *Store) WithPasskey(ctx context.Context, attempt PasskeyAttempt) (*Outcome, error) {
	turn, err := s.Attempts().enter(ctx, nil, attempt.Device)
	if err != nil {
		return nil, err
	}
	defer turn.leave()
	if err := turn.wait(ctx); err != nil {
		return nil, err
	}
	shown, err := s.Factors.Passkeys().Read(ctx, attempt.State, attempt.Response)
	if err != nil {
		return nil, fmt.Errorf("sign in with a passkey: %w", err)
	}
	if shown == nil {
		countFailure(ctx, s.Cache, attempt.Device)
		return nil, ErrRefused // there is no account to note it for
	}
	step := firstStep{
		user: shown.User, login: shown.User.Username, method: "passkey", device: attempt.Device, current: attempt.Current,
	}
	admission, err := storage.Write(ctx, s.Database, func(ctx context.Context, tx bun.Tx) (*Outcome, error) {
		return s.admitPasskey(ctx, tx, step, shown)
	})
	if errors.Is(err, ErrRefused) {
		countFailure(ctx, s.Cache, attempt.Device)
		return nil, ErrRefused
	} else if err != nil {
		return nil, fmt.Errorf("sign in with a passkey: %w", err)
	}
	return admission, nil
}

// admitPasskey uses a passkey and lets its owner in, or notes why not and refuses with ErrRefused.
func (s *Store) admitPasskey(
	ctx context.Context, tx bun.Tx, step firstStep, shown *factor.ShownPasskey,
) (*Outcome, error) {
	now := s.Now()
	// Who takes passkeys away locks the person before the passkey.
	if err := s.LockWaysIn(ctx, tx, shown.User.ID); err != nil {
		return nil, err
	}
	if !shown.IsVerified() {
		return nil, step.refusePasskey(ctx, tx, now)
	}
	genuine, err := s.Factors.Passkeys().Use(ctx, tx, now, shown)
	if errors.Is(err, storage.ErrUsedBefore) {
		return nil, step.refusePasskey(ctx, tx, now)
	} else if err != nil {
		return nil, err
	}
	if !genuine {
		if err := s.warnOfClone(ctx, tx, now, step, "passkey", &shown.Passkey.Authenticator); err != nil {
			return nil, err
		}
		return nil, storage.Refuse(ErrRefused)
	}
	step.evidence = shown.Passkey.Evidence()
	return s.conclude(ctx, tx, now, step)
}

// refusePasskey notes that a passkey proved nothing, and refuses with ErrRefused.
func (f firstStep) refusePasskey(ctx context.Context, tx bun.Tx, now time.Time) error {
	if err := f.note(ctx, tx, now, FailedPasskey); err != nil {
		return err
	}
	return storage.Refuse(ErrRefused)
}

// warnOfClone notes that a key whose counter went back was refused, and tells its owner: somebody may have a copy.
func (s *Store) warnOfClone(
	ctx context.Context, tx bun.Tx, now time.Time, step firstStep, kind string, key *factor.Authenticator,
) error {
	if err := step.note(ctx, tx, now, FailedCloned); err != nil {
		return err
	}
	err := audit.Record(ctx, tx, now, audit.Change{
		Entity: kind, EntityID: key.ID.String(), Action: "clone_suspected", UserID: step.user.ID,
		New: audit.Values{"name": key.Name},
	})
	if err != nil {
		return err
	}
	values := identity.OriginOf(step.device)
	values["name"] = key.Name
	return s.TellOwner(
		ctx, tx, now, step.user, identity.MessageKeyCloned, identity.ProofNotMe, identity.NotMeProofLifetime, nil, values,
	)
}
