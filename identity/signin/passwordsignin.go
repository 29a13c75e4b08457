package signin

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/identifier"
	"github.com/wicket-id/wicket/identity/password"
	"github.com/wicket-id/wicket/storage"
)

// Attempt is an attempt to sign in with a password.
type Attempt struct {
	Login    string // a username, or a verified e-mail address or phone number, as typed
	Password string
	Device   identity.Device
	Current  *identity.Session // the live session that this browser has already, or nil
}

// ErrRefused covers an unknown name, a wrong password, a locked and a disabled account alike.
var ErrRefused = errors.New("the name and the password do not match an account that may sign in")

// WithPassword checks a password and starts a session on this device, or renews the one it has where the same person
// signs in again; or it asks for a second step first. It returns ErrRefused, identity.ErrTooManyAttempts or
// password.ErrBusy, and takes the same time whether or not there is such an account.
func (s *Store) WithPassword(ctx context.Context, attempt Attempt) (*Outcome, error) {
	user, err := s.Users().ByLogin(ctx, attempt.Login)
	if errors.Is(err, storage.ErrNotFound) {
		user = &identity.User{}
	} else if err != nil {
		return nil, fmt.Errorf("sign in: %w", err)
	}
	known, err := s.KnownDevice(ctx, s.Database.Reader(), s.Now(), user, attempt.Device)
	if err != nil {
		return nil, fmt.Errorf("sign in: %w", err)
	}
	turn, err := s.Attempts().enter(ctx, known, attempt.Device)
	if err != nil {
		return nil, err
	}
	defer turn.leave()
	// Counted before the check, and forgotten if it succeeds: guesses may come all at once. What others do with the name
	// does not slow a browser that is known to the account.
	tries := "sign-in failures of " + loginKey(attempt.Login)
	if known != nil {
		tries = "sign-in failures in " + known.ID.String()
	}
	if err := s.delay(ctx, s.Cache.Count(ctx, tries, identity.FailureWindow)-1); err != nil {
		return nil, err
	}
	if err := turn.wait(ctx); err != nil {
		return nil, err
	}
	// A failure is counted whoever has gone meanwhile: otherwise a crowd that hangs up could guess without end.
	ctx, cancel := storage.Outlasting(ctx)
	defer cancel()
	began := time.Now()
	outcome, err := s.comparePassword(ctx, turn.hasher, user, attempt)
	turn.finish()
	switch {
	case errors.Is(err, ErrRefused):
		if known == nil {
			countFailure(ctx, s.Cache, attempt.Device)
		}
		// What kind of hash a password was compared with does not show either: that takes longer than with any kind.
		takes := max(s.RefusalTakes, min(s.Hasher.Costliest()*5/4, maxRefusalTakes))
		if err := storage.Wait(ctx, takes-time.Since(began)); err != nil {
			return nil, err
		}
	case err == nil:
		s.Cache.Forget(ctx, tries)
	}
	return outcome, err
}

// maxRefusalTakes is for a machine so busy that the comparisons that were measured say nothing of their cost.
const maxRefusalTakes = 2 * time.Second

// comparePassword compares the password with that of the user, who may be nobody, and lets them in or notes the
// failure.
func (s *Store) comparePassword(
	ctx context.Context, hasher *password.Hasher, user *identity.User, attempt Attempt,
) (*Outcome, error) {
	matches, outdated, err := hasher.Verify(ctx, user.PasswordHash, attempt.Password)
	if err != nil {
		return nil, fmt.Errorf("sign in: %w", err)
	}
	step := firstStep{
		user: user, login: attempt.Login, method: "pwd", evidence: identity.PasswordEvidence, device: attempt.Device,
		current: attempt.Current,
	}
	if matches && outdated {
		if step.rehashed, err = hasher.Hash(ctx, attempt.Password); err != nil {
			return nil, fmt.Errorf("sign in: %w", err)
		}
	}
	admission, err := storage.Write(ctx, s.Database, func(ctx context.Context, tx bun.Tx) (*Outcome, error) {
		now := s.Now()
		if matches {
			return s.conclude(ctx, tx, now, step)
		}
		if err := s.noteFailure(ctx, tx, now, step, FailedPassword); err != nil {
			return nil, err
		}
		return nil, storage.Refuse(ErrRefused)
	})
	if errors.Is(err, ErrRefused) {
		return nil, ErrRefused
	} else if err != nil {
		return nil, fmt.Errorf("sign in: %w", err)
	}
	return admission, nil
}

// loginKey is what was typed as it is counted: as it is compared with accounts, so that another spelling is no other
// name. Whether there is such an account makes no difference.
func loginKey(login string) string {
	login = strings.TrimSpace(login)
	if number, err := identifier.PhoneNumber(login); err == nil {
		return number
	}
	if key, err := identifier.EmailKey(login); err == nil {
		return key
	}
	if key, err := identifier.UsernameKey(login); err == nil {
		return key
	}
	return login[:min(len(login), maxTyped)]
}
