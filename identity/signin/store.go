// Package signin lets people in: by a password, a passkey or a provider upstream, in one step or two; it counts and
// slows down wrong attempts, signs people up, and gives owners their accounts back. Begin with Store.
package signin

import (
	"time"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/factor"
	"github.com/wicket-id/wicket/identity/password"
)

// Store is what signing in works with; set all of its exported fields.
type Store struct {
	*identity.Store

	Factors     *factor.Store
	KnownHasher *password.Hasher // for browsers that are known to the account: see KnownDevice

	SessionLifetime time.Duration // a session ends this long after it began, whatever happens
	SignInDelay     time.Duration // what the fourth wrong password for a name costs; each further one twice as much
	RefusalTakes    time.Duration // a sign-in that is refused is answered no sooner than this
	MaxFailures     int64         // wrong passwords in a row after which an account is locked
	LockDuration    time.Duration // for this long
	AttemptsKept    time.Duration // how long attempts to sign in are kept; 0: for ever

	turns, knownTurns turns
}

// The nouns beside the sign-in itself.
type (
	SecondSteps struct{ *Store }
	Resets      struct{ *Store }
	Invitations struct{ *Store }
	External    struct{ *Store }
	Attempts    struct{ *Store }
	Passwords   struct{ *Store }
)

// SecondSteps are questions for a second factor.
func (s *Store) SecondSteps() SecondSteps { return SecondSteps{s} }

// Resets choose another password by a mailed link.
func (s *Store) Resets() Resets { return Resets{s} }

// Invitations let people make an account by a link.
func (s *Store) Invitations() Invitations { return Invitations{s} }

// External signs people in who come from a provider upstream.
func (s *Store) External() External { return External{s} }

// Attempts are what was tried, with or without success.
func (s *Store) Attempts() Attempts { return Attempts{s} }

// Passwords are what people choose and change.
func (s *Store) Passwords() Passwords { return Passwords{s} }
