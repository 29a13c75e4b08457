package people

import (
	"context"
	"net/url"
	"time"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/identity/refusal"
	"github.com/wicket-id/wicket/manage"
)

// ErrDisabled says that the account is switched off, so that a link would lead nowhere.
var ErrDisabled = refusal.New("user.disabled", "the account is disabled; enable it first")

// Unlock opens an account that wrong passwords have locked. It returns a *manage.ForbiddenError, a *manage.StepUpError
// or storage.ErrNotFound.
func (s *Store) Unlock(ctx context.Context, by manage.Caller, userID uuid.UUID) error {
	if err := s.demandOver(ctx, by, manage.RecoverUsers, userID); err != nil {
		return err
	}
	return s.SignIns.Users().Unlock(ctx, userID)
}

// ResetFactors removes every passkey, key, app and backup code of a person who has lost them all, and signs them out
// everywhere. It returns a *manage.ForbiddenError, a *manage.StepUpError or storage.ErrNotFound.
func (s *Store) ResetFactors(ctx context.Context, by manage.Caller, userID uuid.UUID) error {
	if err := s.demandOver(ctx, by, manage.RecoverUsers, userID); err != nil {
		return err
	}
	user, err := s.SignIns.Users().ByID(ctx, userID)
	if err != nil {
		return err
	}
	_, err = s.Factors.Reset(ctx, user)
	return err
}

// SetPassword gives a person a password, signs them out everywhere, and tells them. It returns a
// *manage.ForbiddenError, a *manage.StepUpError, storage.ErrNotFound, or what is wrong with the password.
func (s *Store) SetPassword(ctx context.Context, by manage.Caller, userID uuid.UUID, password string) error {
	if err := s.demandOver(ctx, by, manage.RecoverUsers, userID); err != nil {
		return err
	}
	user, err := s.SignIns.Users().ByID(ctx, userID)
	if err != nil {
		return err
	}
	return s.SignIns.Passwords().Set(ctx, user, password)
}

// ResetLink is a link by which a person chooses another password. Whoever has it can.
type ResetLink struct {
	Link      string    `json:"link"`
	ExpiresAt time.Time `json:"expires_at"`
}

// MakeResetLink makes a link by which a person chooses another password. It returns a *manage.ForbiddenError, a
// *manage.StepUpError, storage.ErrNotFound or ErrDisabled.
func (s *Store) MakeResetLink(ctx context.Context, by manage.Caller, userID uuid.UUID) (*ResetLink, error) {
	if err := s.demandOver(ctx, by, manage.RecoverUsers, userID); err != nil {
		return nil, err
	}
	user, err := s.SignIns.Users().ByID(ctx, userID)
	if err != nil {
		return nil, err
	}
	if !user.IsActive {
		return nil, ErrDisabled
	}
	secret, until, err := s.SignIns.Resets().MakeLink(ctx, userID)
	if err != nil {
		return nil, err
	}
	return &ResetLink{s.Provider.Issuer + "/reset-password?" + url.Values{"token": {secret}}.Encode(), until}, nil
}
