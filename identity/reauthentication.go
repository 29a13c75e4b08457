package identity

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity/refusal"
	"github.com/wicket-id/wicket/storage"
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
// second factor. It returns ErrSignInNotFresh or ErrSecondFactorOwed.
func (s *Store) Reauthenticate(ctx context.Context, of *Session, device Device) (*Reauthenticated, error) {
	if err := s.DemandFresh(of); err != nil {
		return nil, err
	}
	if err := s.DemandSecondFactor(ctx, of, device); err != nil {
		return nil, err
	}
	return &Reauthenticated{of}, nil
}

// ErrSessionEnded says that a session was ended while a request of it was under way.
var ErrSessionEnded = refusal.New("session.ended", "the session was ended meanwhile")

// Stands demands that the session still stands, in the transaction of what it is the proof for and before anything else
// there. Until the commit nobody can end it: what ends all sessions of a person comes before or after. It returns
// ErrSessionEnded.
func (r *Reauthenticated) Stands(ctx context.Context, tx bun.Tx) error {
	err := storage.OneRow(tx.NewUpdate().Model((*User)(nil)).Set("session_version = session_version").
		Where("id = ? AND is_active AND session_version = ?", r.UserID, r.SessionVersion).Exec(ctx))
	if err == nil {
		err = storage.OneRow(tx.NewUpdate().Model((*Session)(nil)).Set("ended_at = NULL").
			Where("id = ? AND ended_at IS NULL", r.ID).Exec(ctx))
	}
	if errors.Is(err, storage.ErrNotFound) {
		return ErrSessionEnded
	}
	return err
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
