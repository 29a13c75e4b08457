package identity

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/storage"
)

// SignIn is an attempt to sign in with a password.
type SignIn struct {
	Login    string // a username, or a verified e-mail address or phone number, as typed
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
	maxFailuresPerSource = 100
	failureWindow        = 10 * time.Minute
	patientFailures      = 3 // wrong passwords for one name that cost no delay
	maxDelay             = 4 * time.Second
)

// SignIn checks a password and starts a session on this device, or renews the one it has where the same person signs in
// again: then the session keeps its id and gets a new secret and auth_time. It returns the session, with its user, and
// the secret for the cookie. It returns ErrSignInRefused, ErrTooManySignIns or ErrBusy, and takes the same time whether
// or not there is such an account.
func (s *Store) SignIn(ctx context.Context, attempt SignIn) (*Session, string, error) {
	// Counted before the check, and taken back if it succeeds: guesses may come all at once.
	sender, name := "sign-in failures from "+source(attempt.Device.IP), "sign-in failures of "+loginKey(attempt.Login)
	if s.Memory.Count(ctx, sender, failureWindow) > maxFailuresPerSource {
		return nil, "", ErrTooManySignIns
	}
	if err := s.delay(ctx, s.Memory.Count(ctx, name, failureWindow)-1); err != nil {
		return nil, "", err
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
			return s.noteFailure(ctx, tx, now, user, attempt)
		}
		admitted, err := admit(ctx, tx, now, user, attempt.Device, rehashed)
		if err != nil {
			return err
		}
		if !admitted {
			failure := failedLocked
			if !user.IsActive {
				failure = failedDisabled
			}
			return attempt.note(ctx, tx, now, user.ID, failure)
		}
		storage.ActorOf(ctx).Name = user.Actor()
		if session, err = s.startSession(ctx, tx, now, user, attempt, secret); err != nil {
			return err
		}
		return attempt.note(ctx, tx, now, user.ID, "")
	})
	if err != nil {
		return nil, "", fmt.Errorf("sign in: %w", err)
	}
	if session == nil {
		return nil, "", ErrSignInRefused
	}
	s.Memory.Uncount(ctx, sender)
	s.Memory.Forget(ctx, name)
	return session, secret, nil
}

// loginKey is what was typed as it is counted: as it is compared with accounts, so that another spelling is no other name.
// Whether there is such an account makes no difference.
func loginKey(login string) string {
	login = strings.TrimSpace(login)
	if number, err := phoneNumber(login); err == nil {
		return number
	}
	if key, err := emailKey(login); err == nil {
		return key
	}
	if key, err := usernameKey(login); err == nil {
		return key
	}
	return login[:min(len(login), maxTyped)]
}

// delay makes guessing slow: after a few wrong passwords for a name each further one takes longer. It costs a person a
// second or two, and is the same for names that nobody bears.
func (s *Store) delay(ctx context.Context, failures int64) error {
	if failures < patientFailures {
		return nil
	}
	timer := time.NewTimer(min(maxDelay, s.SignInDelay<<(failures-patientFailures)))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// admit takes a right password to the account, if it is still the account's and may sign in now: one conditional update,
// so that neither a lock nor a new password that comes in between is overlooked. Signing in undoes a request to be erased.
func admit(ctx context.Context, tx bun.Tx, now time.Time, user *User, device Device, rehashed string) (bool, error) {
	update := tx.NewUpdate().Model((*User)(nil)).
		Set("failed_login_attempts = 0").Set("locked_until = NULL").Set("erase_at = NULL").
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

// noteFailure counts a wrong password. Where it was one too many the account is locked for a while, and its owner gets one
// mail with a link that opens it. For a name that nobody bears it does the same work on nobody.
func (s *Store) noteFailure(ctx context.Context, tx bun.Tx, now time.Time, user *User, attempt SignIn) error {
	failure := failedPassword
	if user.ID == uuid.Nil {
		failure = failedUnknown
	}
	if err := attempt.note(ctx, tx, now, user.ID, failure); err != nil {
		return err
	}
	until := now.Add(s.LockDuration)
	var failures int64
	err := tx.NewUpdate().Model((*User)(nil)).
		Set("failed_login_attempts = failed_login_attempts + 1").
		Set("locked_until = CASE WHEN (failed_login_attempts + 1) % ? = 0 THEN ? ELSE locked_until END", s.MaxFailures, until).
		Where("id = ?", user.ID).Returning("failed_login_attempts").Scan(ctx, &failures)
	if storage.NotFound(err) == storage.ErrNotFound {
		return nil // nobody's
	}
	if err != nil || failures%s.MaxFailures != 0 {
		return err
	}
	err = storage.Record(ctx, tx, now, storage.Change{
		Entity: "user", EntityID: user.ID.String(), Action: "locked", UserID: user.ID,
		New: storage.Values{"failed_login_attempts": failures, "locked_until": until},
	})
	if err != nil {
		return err
	}
	if user.IsLocked(now) {
		return nil // they were told when it was locked
	}
	return s.tellOwner(ctx, tx, now, user, MessageLocked, proofToUnlock, unlockProofLifetime, nil, from(attempt.Device))
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
			session.ID, session.CreatedAt, session.ExpiresAt, action = newID(), now, now.Add(s.SessionLifetime), "started"
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
		unfamiliar, err := isUnfamiliar(ctx, tx, session)
		if err != nil {
			return nil, err
		}
		if _, err := tx.NewInsert().Model(session).Exec(ctx); err != nil {
			return nil, err
		}
		if unfamiliar {
			values := from(attempt.Device)
			values["time"] = now.Format(time.RFC1123)
			if err := s.tellOwner(ctx, tx, now, user, MessageNewSignIn, proofNotMe, notMeProofLifetime, &session.ID, values); err != nil {
				return nil, err
			}
		}
	}
	return session, storage.Record(ctx, tx, now, storage.Change{
		Entity: "session", EntityID: session.ID.String(), Action: action, UserID: user.ID,
		New: storage.Values{"amr": session.AMR, "acr": session.ACR, "device": session.DeviceLabel},
	})
}
