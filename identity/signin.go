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
	"github.com/wicket-id/wicket/storage/audit"
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
	maxDoublings         = 10 // of the delay: far beyond maxDelay, and far from where a shift overflows
)

// SignIn checks a password and starts a session on this device, or renews the one it has where the same person signs in
// again; or it asks for a second step first. It returns ErrSignInRefused, ErrTooManySignIns or ErrBusy, and takes the same
// time whether or not there is such an account.
func (s *Store) SignIn(ctx context.Context, attempt SignIn) (*Admission, error) {
	began := time.Now()
	admission, err := s.signIn(ctx, attempt)
	if errors.Is(err, ErrSignInRefused) {
		// What kind of hash a password was compared with does not show either.
		if err := wait(ctx, s.RefusalTakes-time.Since(began)); err != nil {
			return nil, err
		}
	}
	return admission, err
}

func (s *Store) signIn(ctx context.Context, attempt SignIn) (*Admission, error) {
	// Counted before the check, and taken back if it succeeds: guesses may come all at once.
	sender, name := "sign-in failures from "+attempt.Device.Source(), "sign-in failures of "+loginKey(attempt.Login)
	if s.Memory.Count(ctx, sender, failureWindow) > maxFailuresPerSource {
		return nil, ErrTooManySignIns
	}
	if err := s.delay(ctx, s.Memory.Count(ctx, name, failureWindow)-1); err != nil {
		return nil, err
	}
	user, err := s.userByLogin(ctx, attempt.Login)
	if errors.Is(err, storage.ErrNotFound) {
		user = &User{}
	} else if err != nil {
		return nil, fmt.Errorf("sign in: %w", err)
	}
	matches, outdated, err := s.Hasher.Verify(ctx, user.PasswordHash, attempt.Password)
	if err != nil {
		return nil, fmt.Errorf("sign in: %w", err)
	}
	step := firstStep{user: user, login: attempt.Login, method: "pwd", evidence: passwordEvidence, device: attempt.Device, current: attempt.Current}
	if matches && outdated {
		if step.rehashed, err = s.Hasher.Hash(ctx, attempt.Password); err != nil {
			return nil, fmt.Errorf("sign in: %w", err)
		}
	}
	admission, err := storage.Write(ctx, s.Database, func(ctx context.Context, tx bun.Tx) (*Admission, error) {
		now := s.Now()
		if matches {
			return s.admit(ctx, tx, now, step)
		}
		if err := s.noteFailure(ctx, tx, now, step, failedPassword); err != nil {
			return nil, err
		}
		return nil, storage.Refuse(ErrSignInRefused)
	})
	if errors.Is(err, ErrSignInRefused) {
		return nil, ErrSignInRefused
	} else if err != nil {
		return nil, fmt.Errorf("sign in: %w", err)
	}
	s.Memory.Uncount(ctx, sender)
	s.Memory.Forget(ctx, name)
	return admission, nil
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
	return wait(ctx, s.delayAfter(failures))
}

func (s *Store) delayAfter(failures int64) time.Duration {
	if failures < patientFailures {
		return 0
	}
	return min(maxDelay, s.SignInDelay<<min(failures-patientFailures, maxDoublings))
}

// wait returns after that time, or with the reason why ctx ended before.
func wait(ctx context.Context, duration time.Duration) error {
	if duration <= 0 {
		return nil
	}
	timer := time.NewTimer(duration)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// noteFailure counts a wrong password or code. Where it was one too many the account is locked for a while, and a job
// writes to its owner; a browser that is known to the account is locked out by what was typed there alone. For a name that
// nobody bears it does the same work on nobody.
func (s *Store) noteFailure(ctx context.Context, tx bun.Tx, now time.Time, step firstStep, failure string) error {
	if step.user.ID == uuid.Nil {
		failure = failedUnknown
	}
	if err := step.note(ctx, tx, now, failure); err != nil {
		return err
	}
	known, err := s.knownDevice(ctx, tx, now, step.user, step.device)
	if err != nil {
		return err
	}
	if known != nil {
		if err := s.noteDeviceFailure(ctx, tx, known); err != nil {
			return err
		}
	}
	until := now.Add(s.LockDuration)
	var failures int64
	err = tx.NewUpdate().Model((*User)(nil)).
		Set("failed_login_attempts = failed_login_attempts + 1").
		Set("locked_until = CASE WHEN (failed_login_attempts + 1) % ? = 0 THEN ? ELSE locked_until END", s.MaxFailures, until).
		Where("id = ?", step.user.ID).Returning("failed_login_attempts").Scan(ctx, &failures)
	if storage.NotFound(err) == storage.ErrNotFound {
		return nil // nobody's
	}
	if err != nil || failures%s.MaxFailures != 0 {
		return err
	}
	err = audit.Record(ctx, tx, now, audit.Change{
		Entity: "user", EntityID: step.user.ID.String(), Action: "locked", UserID: step.user.ID,
		New: audit.Values{"failed_login_attempts": failures, "locked_until": until},
	})
	if err != nil || step.user.IsLocked(now) { // they were told when it was locked
		return err
	}
	// Writing to the owner is a job, so that the answer takes no longer than others do.
	return storage.Enqueue(ctx, s.Jobs, tx, LockNotice{UserID: step.user.ID, Device: step.device})
}

// LockNotice is the job that tells an owner that their account is locked.
type LockNotice struct {
	UserID uuid.UUID `json:"user_id"`
	Device Device    `json:"device"` // where the last wrong password was typed
}

// Kind names the job.
func (LockNotice) Kind() string { return "lock_notice" }

// HandleLock does the job.
func (s *Store) HandleLock(ctx context.Context, notice LockNotice) error {
	user, err := s.User(ctx, notice.UserID)
	if errors.Is(err, storage.ErrNotFound) {
		return nil // erased meanwhile
	} else if err != nil {
		return err
	}
	return s.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		return s.tellOwner(ctx, tx, s.Now(), user, MessageLocked, proofToUnlock, unlockProofLifetime, nil, from(notice.Device))
	})
}
