package signin

import (
	"context"
	"time"

	"github.com/wicket-id/wicket/identity"
)

// What the tests see of this package besides what everybody sees.
const (
	MaxDelay           = maxDelay
	SecondStepLifetime = secondStepLifetime
)

// AskForReset asks a person for a second factor before they choose another password.
func AskForReset(s *Store, user *identity.User) *SecondStep {
	return s.SecondSteps().askFor(ToReset, firstStep{user: user})
}

// Allowed tells whether a second factor was shown for that link.
func (s Resets) Allowed(ctx context.Context, owner *identity.User, secret, answered string) (bool, error) {
	return s.allowed(ctx, owner, secret, answered)
}

// DelayAfter is what the next try costs after that many failures.
func (s *Store) DelayAfter(failures int64) time.Duration { return s.delayAfter(failures) }

// Occupy takes all turns of a device's source.
func Occupy(s *Store, device identity.Device) error {
	for range checkedAtOnce {
		turn, err := s.turns.enter(device.Source(), s.Hasher)
		if err != nil {
			return err
		}
		if err := turn.wait(context.Background()); err != nil {
			return err
		}
	}
	return nil
}

// RememberDevice makes a browser one that is known to an account.
var RememberDevice = rememberDevice
