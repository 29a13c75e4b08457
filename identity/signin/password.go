package signin

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/factor"
	"github.com/wicket-id/wicket/identity/password"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

// check says what is wrong with a password that a person chooses: password.ErrWeak, password.ErrCommon or
// password.ErrPersonal. Length counts, composition does not (NIST SP 800-63B, section 5.1.1.2).
func (s Passwords) check(ctx context.Context, user *identity.User, chosen string) error {
	if err := password.Check(chosen); err != nil { // before the questions to the database
		return err
	}
	own := []string{user.Username}
	profile, err := s.Profiles().Of(ctx, user.ID)
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return err
	}
	if profile != nil {
		own = append(own, profile.Name, profile.GivenName, profile.FamilyName, profile.Nickname, profile.Birthdate)
	}
	emails, err := s.Emails().List(ctx, user.ID)
	if err != nil {
		return err
	}
	for _, email := range emails {
		own = append(own, email.Known()...)
	}
	phones, err := s.Phones().List(ctx, user.ID)
	if err != nil {
		return err
	}
	for _, phone := range phones {
		own = append(own, strings.TrimPrefix(phone.Number, "+"))
	}
	return password.CheckOwn(chosen, own)
}

// Change sets another password for the person of a session who knows the present one; their other sessions
// end, and they are told. The session goes on with a new secret, which is returned: a copy of the old one is worth
// nothing. It returns ErrRefused for a wrong present password, or what is wrong with the new one. Who has no
// password, and signs in with a passkey, knows none, but must have signed in lately: it returns ErrSignInNotFresh;
// and ErrSecondFactorOwed, as Reauthenticate does.
func (s Passwords) Change(
	ctx context.Context, session *identity.Session, device identity.Device, present, password string,
) (secret string, err error) {
	user, err := s.Users().ByID(ctx, session.UserID)
	if err != nil {
		return "", err
	}
	if user.PasswordHash == "" { // choosing one adds a way in
		if err := s.DemandFresh(session); err != nil {
			return "", err
		}
	}
	if err := s.DemandSecondFactor(ctx, session, device); err != nil {
		return "", err
	}
	guesses := "password changes of " + user.ID.String()
	// before the check: guesses may come all at once
	if s.Cache.Count(ctx, guesses, identity.FailureWindow) > s.MaxFailures {
		return "", identity.ErrTooManyAttempts
	}
	matches := present == ""
	if user.PasswordHash != "" {
		if matches, _, err = s.Hasher.Verify(ctx, user.PasswordHash, present); err != nil {
			return "", err
		}
	}
	if !matches {
		return "", ErrRefused
	}
	if err := s.check(ctx, user, password); err != nil {
		return "", err
	}
	hash, err := s.Hasher.Hash(ctx, password)
	if err != nil {
		return "", err
	}
	secret = storage.NewSecret()
	err = s.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		return s.replace(ctx, tx, user, session, hash, secret)
	})
	if errors.Is(err, ErrRefused) {
		return "", ErrRefused
	} else if err != nil {
		return "", fmt.Errorf("change password: %w", err)
	}
	s.Cache.Forget(ctx, guesses)
	return secret, nil
}

// replace writes a new password that was chosen in a session, and ends everything but that session, which gets a new
// secret. It returns ErrRefused where the account is not as it was: while the hash was made, the owner may have said
// that this session is not theirs.
func (s Passwords) replace(
	ctx context.Context, tx bun.Tx, user *identity.User, session *identity.Session, hash, secret string,
) error {
	now := s.Now()
	if err := s.LockWaysIn(ctx, tx, user.ID); err != nil {
		return err
	}
	err := storage.OneRow(tx.NewUpdate().Model((*identity.User)(nil)).Set("session_version = session_version").
		Where("id = ? AND is_active", user.ID).
		Where("coalesce(password_hash, '') = ? AND session_version = ?", user.PasswordHash, session.SessionVersion).
		Exec(ctx))
	if err == nil {
		err = storage.OneRow(identity.RenewSecret(tx.NewUpdate().Model((*identity.Session)(nil)), secret, now).
			Where("id = ? AND ended_at IS NULL", session.ID).
			Exec(ctx))
	}
	if errors.Is(err, storage.ErrNotFound) {
		return ErrRefused
	} else if err != nil {
		return err
	}
	if err := identity.VoidSecrets(ctx, tx, user.ID, now, identity.ProofNotMe); err != nil {
		return err
	}
	others := func(q *bun.UpdateQuery) *bun.UpdateQuery { return q.Where("id <> ?", session.ID) }
	if _, err := s.Sessions().EndThose(ctx, tx, now, user.ID, identity.EndedByPassword, others); err != nil {
		return err
	}
	all := func(q *bun.DeleteQuery) *bun.DeleteQuery { return q }
	if err := identity.ForgetDevices(ctx, tx, now, user.ID, all); err != nil {
		return err
	}
	return s.set(ctx, tx, now, user, hash, "changed", &session.ID)
}

// Set sets the password of a person, as an operator wishes: every session and token of theirs is void, links on their
// way are too, and they are told. It returns password.ErrWeak and its kin.
func (s Passwords) Set(ctx context.Context, user *identity.User, password string) error {
	if err := s.check(ctx, user, password); err != nil {
		return err
	}
	hash, err := s.Hasher.Hash(ctx, password)
	if err != nil {
		return err
	}
	now := s.Now()
	err = s.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		if err := s.LockWaysIn(ctx, tx, user.ID); err != nil {
			return err
		}
		if _, err := s.Sessions().RaiseVersion(ctx, tx, now, user.ID, identity.EndedByPassword); err != nil {
			return err
		}
		if err := identity.VoidSecrets(ctx, tx, user.ID, now); err != nil {
			return err
		}
		return s.set(ctx, tx, now, user, hash, "set", nil)
	})
	if err != nil {
		return fmt.Errorf("set password: %w", err)
	}
	return nil
}

// Remove leaves a person who has a passkey without a password: nobody can guess or phish what is not there. It
// returns the session's new secret, or factor.ErrLastFactor where they have no passkey.
func (s Passwords) Remove(ctx context.Context, by *identity.Reauthenticated) (secret string, err error) {
	return s.Factors.Change(ctx, by, factor.Change{
		Kind: "password", ID: by.UserID, Action: "removed", Message: identity.MessageFactorRemoved,
	}, func(ctx context.Context, tx bun.Tx, now time.Time) error {
		if err := storage.OneRow(tx.NewUpdate().Model((*identity.User)(nil)).
			Set("password_hash = NULL").
			Set("password_changed_at = ?", now).
			Where("id = ? AND password_hash IS NOT NULL", by.UserID).Exec(ctx)); err != nil {
			return err
		}
		return identity.VoidSecrets(ctx, tx, by.UserID, now, identity.ProofNotMe)
	})
}

// set writes a new password hash and tells its owner. A person who proved who they are is not locked any more. in is
// the session in which it was chosen, if in one.
func (s Passwords) set(
	ctx context.Context, tx bun.Tx, now time.Time, user *identity.User, hash, how string, in *uuid.UUID,
) error {
	_, err := tx.NewUpdate().Model((*identity.User)(nil)).
		Set("password_hash = ?", hash).
		Set("password_changed_at = ?", now).
		Set("failed_login_attempts = 0").Set("locked_until = NULL").Set("modified_by = ?", audit.ActorOf(ctx).Name).
		Where("id = ?", user.ID).Exec(ctx)
	if err != nil {
		return err
	}
	err = audit.Record(ctx, tx, now, audit.Change{
		Entity: "password", EntityID: user.ID.String(), Action: how, UserID: user.ID,
	})
	if err != nil {
		return err
	}
	actor := audit.ActorOf(ctx)
	return s.TellOwner(
		ctx, tx, now, user, identity.MessagePasswordChanged, identity.ProofNotMe, identity.NotMeProofLifetime, in,
		identity.OriginOf(identity.Device{UserAgent: actor.UserAgent, IP: actor.IP}),
	)
}
