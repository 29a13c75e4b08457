package identity

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Reauthenticated is a session whose person has shown lately who they are, and as strongly as they can: the proof
// that every verb takes which could take an account from its owner. Reauthenticate alone makes one; it reads like the
// session.
type Reauthenticated struct{ *provenSession }

// provenSession embeds a Session such that no other package can put one there.
type provenSession = Session

// Proven is the session itself.
func (r *Reauthenticated) Proven() *Session { return r.provenSession }

// What a session lacks for what could take an account from its owner.
var (
	// ErrSignInNotFresh says that the person must sign in again: the browser may have been left open.
	ErrSignInNotFresh = errors.New("this needs a sign-in of just now")
	// ErrSecondFactorOwed says that the person must show a second factor, or a passkey, that the session has not seen.
	ErrSecondFactorOwed = errors.New("this needs the second factor")
)

// freshFor is how long ago a person may have signed in to do what could take the account from its owner.
const freshFor = 15 * time.Minute

// Reauthenticate proves that a session, which is used on that device, is up to what could take the account from its
// owner: a browser that was left open, or a stolen cookie, is not, nor is the password alone of a person who has a
// second factor, or must have one. It returns ErrSignInNotFresh, ErrSecondFactorOwed or ErrEnrolmentOwed.
func (s *Store) Reauthenticate(ctx context.Context, of *Session, device Device) (*Reauthenticated, error) {
	if err := of.DemandRule(); err != nil {
		return nil, err
	}
	return s.ReauthenticateToEnrol(ctx, of, device)
}

// ReauthenticateToEnrol is Reauthenticate for a person who wants to register a factor, and may be about to register the
// one that the rule demands. It returns ErrSignInNotFresh or ErrSecondFactorOwed.
func (s *Store) ReauthenticateToEnrol(ctx context.Context, of *Session, device Device) (*Reauthenticated, error) {
	if err := s.DemandFresh(of); err != nil {
		return nil, err
	}
	if err := s.DemandSecondFactor(ctx, of, device); err != nil {
		return nil, err
	}
	return &Reauthenticated{of}, nil
}

// DemandFresh returns ErrSignInNotFresh where a sign-in is too long ago for what could take the account from its owner.
func (s *Store) DemandFresh(of *Session) error {
	if s.Now().Sub(of.AuthTime) > freshFor {
		return ErrSignInNotFresh
	}
	return nil
}

// DemandSecondFactor returns ErrSecondFactorOwed where the person of a session has a second factor, or a passkey,
// that it has not seen, so that it must not change what they sign in with. Who has only passkeys and has lost them
// comes back by mail, see Reset.
func (s *Store) DemandSecondFactor(ctx context.Context, of *Session, device Device) error {
	switch {
	case Assures(of.ACR, ACRMultiFactor):
		return nil
	case of.User.TwoFactor:
		return ErrSecondFactorOwed
	case !of.User.HasWebAuthn:
		return nil
	}
	now := s.Now()
	known, err := s.KnownDevice(ctx, s.Database.Reader(), now, of.User, device)
	if err != nil {
		return fmt.Errorf("second factor: %w", err)
	}
	if !known.IsTrusted(now, device) {
		return ErrSecondFactorOwed
	}
	return nil
}
