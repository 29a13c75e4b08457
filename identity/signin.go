package identity

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/storage"
)

// SignIn is an attempt to sign in with a password.
type SignIn struct {
	Login    string // a username or a verified e-mail address, as typed
	Password string
	Device   Device
	Current  *Session // the live session that this browser has already, or nil
}

// What a stranger may learn of a sign-in that failed.
var (
	// ErrSignInRefused covers an unknown name, a wrong password, a locked and a disabled account alike.
	ErrSignInRefused  = errors.New("the name and the password do not match an account that may sign in")
	ErrTooManySignIns = errors.New("too many sign-ins failed from here; try again in a few minutes")
)

const (
	maxFailuresPerIP = 100
	failureWindow    = 10 * time.Minute
)

// SignIn checks a password and starts a session on this device, or renews the one it has where the same person signs in
// again: then the session keeps its id and gets a new secret and auth_time. It returns the session, with its user, and
// the secret for the cookie. It returns ErrSignInRefused, ErrTooManySignIns or ErrBusy, and takes the same time whether
// or not there is such an account.
func (s *Store) SignIn(ctx context.Context, attempt SignIn) (*Session, string, error) {
	source := "sign-in failures from " + attempt.Device.IP
	if s.Memory.Peek(ctx, source) >= maxFailuresPerIP {
		return nil, "", ErrTooManySignIns
	}
	user, err := s.userByLogin(ctx, attempt.Login)
	if errors.Is(err, storage.ErrNotFound) {
		user = &User{}
	} else if err != nil {
		return nil, "", fmt.Errorf("sign in: %w", err)
	}
	matches, outdated, err := s.Hasher.Verify(ctx, user.PasswordHash, attempt.Password)
	if err != nil {
		return nil, "", fmt.Errorf("sign in: %w", err)
	}
	var rehashed string
	if matches && outdated {
		if rehashed, err = s.Hasher.Hash(ctx, attempt.Password); err != nil {
			return nil, "", fmt.Errorf("sign in: %w", err)
		}
	}
	now, secret := s.Now(), storage.NewSecret()
	var session *Session
	err = s.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		if !matches {
			return s.noteFailure(ctx, tx, now, user, attempt.Login)
		}
		admitted, err := admit(ctx, tx, now, user, attempt.Device, rehashed)
		if err != nil || !admitted {
			return errors.Join(err, recordRefusal(ctx, tx, now, user.ID, attempt.Login, "account locked or disabled"))
		}
		storage.ActorOf(ctx).Name = user.Actor()
		session, err = s.startSession(ctx, tx, now, user, attempt, secret)
		return err
	})
	if err != nil {
		return nil, "", fmt.Errorf("sign in: %w", err)
	}
	if session == nil {
		s.Memory.Count(ctx, source, failureWindow)
		return nil, "", ErrSignInRefused
	}
	return session, secret, nil
}

// admit takes a right password to the account, if it is still the account's and may sign in now: one conditional update,
// so that neither a lock nor a new password that comes in between is overlooked.
func admit(ctx context.Context, tx bun.Tx, now time.Time, user *User, device Device, rehashed string) (bool, error) {
	update := tx.NewUpdate().Model((*User)(nil)).
		Set("failed_login_attempts = 0").Set("locked_until = NULL").
		Set("last_login_at = ?", now).Set("last_login_ip = ?", device.IP).
		Where("id = ? AND is_active AND password_hash = ?", user.ID, user.PasswordHash).
		Where("(locked_until IS NULL OR locked_until <= ?)", now).
		Returning("session_version")
	if rehashed != "" {
		update.Set("password_hash = ?", rehashed)
	}
	var version int64
	err := storage.NotFound(update.Scan(ctx, &version))
	if errors.Is(err, storage.ErrNotFound) {
		return false, nil
	}
	user.SessionVersion = version
	return err == nil, err
}

// noteFailure counts a wrong password and locks the account where it was one too many.
func (s *Store) noteFailure(ctx context.Context, tx bun.Tx, now time.Time, user *User, login string) error {
	if user.ID == uuid.Nil {
		return recordRefusal(ctx, tx, now, uuid.Nil, login, "unknown name")
	}
	var failures int64
	err := tx.NewUpdate().Model((*User)(nil)).
		Set("failed_login_attempts = failed_login_attempts + 1").
		Set("locked_until = CASE WHEN (failed_login_attempts + 1) % ? = 0 THEN ? ELSE locked_until END", s.MaxFailures, now.Add(s.LockDuration)).
		Where("id = ?", user.ID).Returning("failed_login_attempts").Scan(ctx, &failures)
	if err != nil {
		return err
	}
	if failures%s.MaxFailures == 0 {
		err := storage.Record(ctx, tx, now, storage.Change{
			Entity: "user", EntityID: user.ID.String(), Action: "locked", UserID: user.ID,
			New: storage.Values{"failed_login_attempts": failures, "locked_until": now.Add(s.LockDuration)},
		})
		if err != nil {
			return err
		}
	}
	return recordRefusal(ctx, tx, now, user.ID, login, "wrong password")
}

func recordRefusal(ctx context.Context, tx bun.Tx, now time.Time, userID uuid.UUID, login, reason string) error {
	return storage.Record(ctx, tx, now, storage.Change{
		Entity: "sign_in", EntityID: storage.ActorOf(ctx).RequestID, Action: "refused", UserID: userID,
		New: storage.Values{"login": login[:min(len(login), maxEmail)], "reason": reason},
	})
}

// startSession makes the session of an admitted person. The secret is new in every case, so that one which was planted
// or seen before the sign-in is worth nothing after it.
func (s *Store) startSession(ctx context.Context, tx bun.Tx, now time.Time, user *User, attempt SignIn, secret string) (*Session, error) {
	label, mobile := attempt.Device.label()
	session := &Session{
		ID: newID(), UserID: user.ID, SecretHash: storage.Digest(secret), SessionVersion: user.SessionVersion,
		DeviceLabel: label, IsMobile: mobile, UserAgent: attempt.Device.userAgent(), Fingerprint: attempt.Device.fingerprint(), IP: attempt.Device.IP,
		AMR: []string{"pwd"}, ACR: ACRPassword, AuthTime: now, LastSeenAt: now, LastSeenIP: attempt.Device.IP,
		ExpiresAt: now.Add(s.SessionLifetime), CreatedAt: now, User: user,
	}
	current, action := attempt.Current, "started"
	if current != nil && current.UserID == user.ID {
		session.ID, session.CreatedAt, session.ExpiresAt, action = current.ID, current.CreatedAt, current.ExpiresAt, "renewed"
		result, err := tx.NewUpdate().Model(session).WherePK().Where("ended_at IS NULL").Exec(ctx)
		if err != nil {
			return nil, err
		}
		renewed, err := result.RowsAffected()
		if err != nil {
			return nil, err
		}
		if renewed == 0 { // ended meanwhile: begin another
			current, session.ID, session.CreatedAt, session.ExpiresAt, action = nil, newID(), now, now.Add(s.SessionLifetime), "started"
		}
	} else if current != nil {
		err := endSessions(ctx, tx, now, current.UserID, EndedByReplacing, func(q *bun.UpdateQuery) *bun.UpdateQuery {
			return q.Where("id = ?", current.ID)
		})
		if err != nil {
			return nil, err
		}
	}
	if action == "started" {
		if _, err := tx.NewInsert().Model(session).Exec(ctx); err != nil {
			return nil, err
		}
	}
	return session, storage.Record(ctx, tx, now, storage.Change{
		Entity: "session", EntityID: session.ID.String(), Action: action, UserID: user.ID,
		New: storage.Values{"amr": session.AMR, "acr": session.ACR, "device": session.DeviceLabel},
	})
}
