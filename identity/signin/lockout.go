package signin

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

// openAccount takes what was proved to the account, if it may be signed in to now and the password is still the
// account's: one conditional update, so that neither a lock nor a new password that comes in between is overlooked.
// It returns the user with the session version of now, and with when they are to be erased, or nil where the account
// may not be signed in to.
func openAccount(ctx context.Context, tx bun.Tx, now time.Time, step firstStep) (*identity.User, error) {
	user := *step.user
	update := tx.NewUpdate().Model(&user).
		Set("failed_login_attempts = 0").Set("locked_until = NULL").
		Set("last_login_at = ?", now).Set("last_login_ip = ?", step.device.IP).
		Where("id = ? AND is_active AND coalesce(password_hash, '') = ?", user.ID, user.PasswordHash).
		Returning("session_version, erase_at").
		ApplyQueryBuilder(step.isNotLockedOut(tx, now))
	if step.rehashed != "" {
		update.Set("password_hash = ?", step.rehashed)
	}
	err := storage.NotFound(update.Scan(ctx))
	if errors.Is(err, storage.ErrNotFound) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	return &user, nil
}

// accountIsOpen asks what openAccount asks, and changes nothing: there is a second step to come.
func accountIsOpen(ctx context.Context, tx bun.Tx, now time.Time, step firstStep) (bool, error) {
	return tx.NewSelect().Model((*identity.User)(nil)).
		Where("id = ? AND is_active AND coalesce(password_hash, '') = ?", step.user.ID, step.user.PasswordHash).
		ApplyQueryBuilder(step.isNotLockedOut(tx, now)).
		Exists(ctx)
}

// isNotLockedOut is a condition on the account: no lock of it holds for what was shown. A lock is against guessing: a
// key or another provider's word is not guessed, and a browser that is known is not locked out by what strangers do
// elsewhere. Codes that are typed are settle's.
func (f firstStep) isNotLockedOut(db bun.IDB, now time.Time) func(bun.QueryBuilder) bun.QueryBuilder {
	return func(query bun.QueryBuilder) bun.QueryBuilder {
		switch {
		case f.evidence.External != nil || !slices.Contains(f.evidence.AMR, "pwd"):
			return query
		case f.device.Secret == "":
			return query.Where("(locked_until IS NULL OR locked_until <= ?)", now)
		}
		return query.Where("(locked_until IS NULL OR locked_until <= ? OR EXISTS (?))", now,
			identity.SelectKnown(db, now, f.user, f.device))
	}
}

// noteDeviceFailure counts a wrong password or code in a browser that is known. After as many as would lock the account
// the browser is not known any more, and what holds for strangers holds there too.
func (s *Store) noteDeviceFailure(
	ctx context.Context, tx bun.Tx, now time.Time, known *identity.KnownDevice,
) error {
	if known.Failures+1 >= s.MaxFailures {
		return identity.ForgetDevices(ctx, tx, now, known.UserID, func(q *bun.DeleteQuery) *bun.DeleteQuery {
			return q.Where("id = ?", known.ID)
		})
	}
	_, err := tx.NewUpdate().Model((*identity.KnownDevice)(nil)).
		Set("failures = failures + 1").
		Where("id = ?", known.ID).Exec(ctx)
	return err
}

// Unlock opens an account that wrong passwords have locked, by the link that its owner got. The browser is known to the
// account from now on, so that the next lock does not keep its owner out: it returns what its cookie is to hold. It
// returns ErrProof.
func (s *Store) Unlock(ctx context.Context, secret string, device identity.Device) (deviceSecret string, err error) {
	return storage.Write(ctx, s.Database, func(ctx context.Context, tx bun.Tx) (string, error) {
		now := s.Now()
		proof, err := s.UseOwnersLink(ctx, tx, identity.ProofToUnlock, secret, now)
		if err != nil {
			return "", err
		}
		owner := &identity.User{ID: proof.UserID}
		_, err = tx.NewUpdate().Model(owner).
			Set("failed_login_attempts = 0").
			Set("locked_until = NULL").
			WherePK().Exec(ctx)
		if err != nil {
			return "", err
		}
		err = audit.Record(ctx, tx, now, audit.Change{
			Entity: "user", EntityID: proof.UserID.String(), Action: "unlocked", UserID: proof.UserID,
			New: audit.Values{"by": "mailed link"},
		})
		if err != nil {
			return "", err
		}
		return rememberDevice(ctx, tx, now, owner, device, identity.NotTrusted)
	})
}

// locksOut tells whether a lock keeps what is typed in that browser out of the account, right or wrong.
func (s *Store) locksOut(
	ctx context.Context, tx bun.Tx, now time.Time, user *identity.User, device identity.Device,
) (bool, error) {
	known, err := s.KnownDevice(ctx, tx, now, user, device)
	if err != nil || known != nil {
		return false, err
	}
	return tx.NewSelect().Model((*identity.User)(nil)).Where("id = ? AND locked_until > ?", user.ID, now).Exists(ctx)
}

const (
	maxDelay     = 4 * time.Second
	maxDoublings = 10 // of the delay: far beyond maxDelay, and far from where a shift overflows
)

// delay makes guessing slow: after a few wrong passwords for a name each further one takes longer. It costs a person a
// second or two, and is the same for names that nobody has.
func (s *Store) delay(ctx context.Context, failures int64) error {
	return storage.Wait(ctx, s.delayAfter(failures))
}

func (s *Store) delayAfter(failures int64) time.Duration {
	if failures < identity.PatientFailures {
		return 0
	}
	return min(maxDelay, s.SignInDelay<<min(failures-identity.PatientFailures, maxDoublings))
}

// noteFailure counts a wrong password or code. Where it was one too many the account is locked for a while, and a job
// writes to its owner; a browser that is known to the account is locked out by what was typed there alone. For a name
// that nobody has it does the same work on nobody.
func (s *Store) noteFailure(ctx context.Context, tx bun.Tx, now time.Time, step firstStep, failure string) error {
	if step.user.ID == uuid.Nil {
		failure, step.login = FailedUnknown, unknownName(s.Seal, step.login)
	}
	if err := step.note(ctx, tx, now, failure); err != nil {
		return err
	}
	known, err := s.KnownDevice(ctx, tx, now, step.user, step.device)
	if err != nil {
		return err
	}
	if known != nil {
		if err := s.noteDeviceFailure(ctx, tx, now, known); err != nil {
			return err
		}
	}
	until := now.Add(s.LockDuration)
	var failures int64
	err = tx.NewUpdate().Model((*identity.User)(nil)).
		Set("failed_login_attempts = failed_login_attempts + 1").
		Set(
			"locked_until = CASE WHEN (failed_login_attempts + 1) % ? = 0 AND (locked_until IS NULL OR locked_until < ?) THEN ? ELSE locked_until END",
			s.MaxFailures, until, until,
		).
		Where("id = ?", step.user.ID).Returning("failed_login_attempts").Scan(ctx, &failures)
	if storage.NotFound(err) == storage.ErrNotFound {
		return nil // nobody's
	}
	locks := failures%s.MaxFailures == 0
	if err == nil && failure == FailedCode {
		var long bool
		if long, err = lockForLong(ctx, tx, now, step.user.ID, s.MaxFailures); long {
			locks, until = true, now.Add(longLock)
		}
	}
	if err != nil || !locks {
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

// Whoever types wrong codes knows the password, and six digits are guessed within a year at the pace that locks of a
// quarter of an hour leave. So after so many wrong ones in codesCount, whatever else was typed between them, each
// further lot that would lock the account locks it for long.
const (
	maxWrongCodes = 60
	codesCount    = 30 * 24 * time.Hour
	longLock      = 24 * time.Hour
)

// lockForLong locks an account for long where a wrong code, which is noted already, was one too many.
func lockForLong(
	ctx context.Context, tx bun.Tx, now time.Time, userID uuid.UUID, lot int64,
) (long bool, err error) {
	wrong, err := tx.NewSelect().Model((*LoginAttempt)(nil)).
		Where("user_id = ? AND attempt_time > ? AND failure_reason = ?", userID, now.Add(-codesCount), FailedCode).Count(ctx)
	if err != nil || wrong < maxWrongCodes || int64(wrong)%lot != 0 {
		return false, err
	}
	_, err = tx.NewUpdate().Model((*identity.User)(nil)).
		Set("locked_until = ?", now.Add(longLock)).
		Where("id = ?", userID).Exec(ctx)
	return true, err
}

// LockNotice is the job that tells an owner that their account is locked.
type LockNotice struct {
	UserID uuid.UUID       `json:"user_id"`
	Device identity.Device `json:"device"` // where the last wrong password was typed
}

// Kind names the job.
func (LockNotice) Kind() string { return "lock_notice" }

// NotifyLock does the job.
func (s *Store) NotifyLock(ctx context.Context, notice LockNotice) error {
	user, err := s.Users().ByID(ctx, notice.UserID)
	if errors.Is(err, storage.ErrNotFound) {
		return nil // erased meanwhile
	} else if err != nil {
		return err
	}
	return s.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		return s.TellOwner(
			ctx, tx, s.Now(), user, identity.MessageLocked, identity.ProofToUnlock, identity.UnlockProofLifetime, nil,
			identity.OriginOf(notice.Device),
		)
	})
}
