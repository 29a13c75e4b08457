package identity

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

// Admission is what a sign-in that was not refused leads to: a session, or a question for a second step.
type Admission struct {
	Session      *Session // with its user; nil while a second step is asked for
	Secret       string   // for the session's cookie
	DeviceSecret string   // for the cookie by which this browser is known to the account from now on: see KnownDevice
	SecondStep   string   // what has been proved so far, sealed: see OpenSecondStep; empty where there is a session
}

// firstStep is what a person has done to sign in, by whatever method, before the account is asked whether it lets them in.
type firstStep struct {
	user     *User  // as read before; no id: nobody's name was typed
	login    string // as typed
	method   string // for the list of attempts: "pwd"
	evidence Evidence
	authTime time.Time // when they proved it, if that was long before
	device   Device
	current  *Session // the live session that this browser has already, or nil
	rehashed string   // the password's hash of today, where the stored one is outdated
}

// admit lets a person in who has proved who they are, or asks for a second step. Where the account lets nobody in now
// it notes why, and refuses with ErrSignInRefused. Signing in undoes a request to be erased.
func (s *Store) admit(ctx context.Context, tx bun.Tx, now time.Time, step firstStep) (*Admission, error) {
	known, err := s.knownDevice(ctx, tx, now, step.user, step.device)
	if err != nil {
		return nil, err
	}
	more, err := s.asksForMore(ctx, tx, now, step, known)
	if err != nil {
		return nil, err
	}
	if more {
		open, err := accountIsOpen(ctx, tx, now, step, known)
		if err != nil || !open {
			return nil, step.refuse(ctx, tx, now, err)
		}
		return s.ask(ctx, tx, now, step)
	}
	user, err := openAccount(ctx, tx, now, step, known)
	if err != nil || user == nil {
		return nil, step.refuse(ctx, tx, now, err)
	}
	step.user = user
	return s.start(ctx, tx, now, step, notTrusted)
}

// refuse notes that an account lets nobody in, and is a refusal; or err, where whether it does could not be found out.
func (f firstStep) refuse(ctx context.Context, tx bun.Tx, now time.Time, err error) error {
	if err != nil {
		return err
	}
	failure := failedLocked
	if !f.user.IsActive {
		failure = failedDisabled
	}
	if err := f.note(ctx, tx, now, failure); err != nil {
		return err
	}
	return storage.Refuse(ErrSignInRefused)
}

// asksForMore tells whether a first step is not enough: the account has a second factor and this browser is not trusted, or
// the person has a key and signs in as they never did. Whoever came with two factors has shown enough.
func (s *Store) asksForMore(ctx context.Context, tx bun.Tx, now time.Time, step firstStep, known *KnownDevice) (bool, error) {
	switch {
	case Assures(step.evidence.ACR, ACRMultiFactor):
		return false, nil
	case step.user.TwoFactor:
		return !known.isTrusted(now, step.device), nil
	case step.user.HasWebAuthn && known == nil:
		return isUnfamiliar(ctx, tx, step.user.ID, step.device)
	}
	return false, nil
}

// ask lets a person go on to the second step. The account is not signed in to yet, and what it has counted stays.
func (s *Store) ask(ctx context.Context, tx bun.Tx, now time.Time, step firstStep) (*Admission, error) {
	if step.rehashed != "" { // here alone is the password known
		_, err := tx.NewUpdate().Model((*User)(nil)).Set("password_hash = ?", step.rehashed).
			Where("id = ? AND password_hash = ?", step.user.ID, step.user.PasswordHash).Exec(ctx)
		if err != nil {
			return nil, err
		}
		user := *step.user
		user.PasswordHash = step.rehashed
		step.user = &user
	}
	sealed, err := s.seal(s.askFor(ToSignIn, step))
	if err != nil {
		return nil, err
	}
	return &Admission{SecondStep: sealed}, step.note(ctx, tx, now, askedForSecond)
}

// openAccount takes what was proved to the account, if it may be signed in to now and the password is still the
// account's: one conditional update, so that neither a lock nor a new password that comes in between is overlooked.
// It returns the user with the session version of now, or nil where the account may not be signed in to.
func openAccount(ctx context.Context, tx bun.Tx, now time.Time, step firstStep, known *KnownDevice) (*User, error) {
	user := *step.user
	update := tx.NewUpdate().Model((*User)(nil)).
		Set("failed_login_attempts = 0").Set("locked_until = NULL").Set("erase_at = NULL").
		Set("last_login_at = ?", now).Set("last_login_ip = ?", step.device.IP).
		Where("id = ? AND is_active AND coalesce(password_hash, '') = ?", user.ID, user.PasswordHash).
		Returning("session_version")
	if step.isLockable(known) {
		update.Where("(locked_until IS NULL OR locked_until <= ?)", now)
	}
	if step.rehashed != "" {
		update.Set("password_hash = ?", step.rehashed)
	}
	err := storage.NotFound(update.Scan(ctx, &user.SessionVersion))
	if errors.Is(err, storage.ErrNotFound) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	return &user, nil
}

// accountIsOpen asks what openAccount asks, and changes nothing: there is a second step to come.
func accountIsOpen(ctx context.Context, tx bun.Tx, now time.Time, step firstStep, known *KnownDevice) (bool, error) {
	query := tx.NewSelect().Model((*User)(nil)).Where("id = ? AND is_active AND coalesce(password_hash, '') = ?", step.user.ID, step.user.PasswordHash)
	if step.isLockable(known) {
		query.Where("(locked_until IS NULL OR locked_until <= ?)", now)
	}
	return query.Exists(ctx)
}

// isLockable tells whether a lock holds for what was shown. It is against guessing: a key or another provider's word is not
// guessed, and a browser that is known is not locked out by what strangers do elsewhere. Codes that are typed are settle's.
func (f firstStep) isLockable(known *KnownDevice) bool {
	return f.evidence.External == nil && slices.Contains(f.evidence.AMR, "pwd") && known == nil
}

// start begins the session of a person who is let in, and remembers their browser.
func (s *Store) start(ctx context.Context, tx bun.Tx, now time.Time, step firstStep, trusted time.Duration) (*Admission, error) {
	ctx = audit.AsNamed(ctx, step.user.Actor())
	admission := &Admission{Secret: storage.NewSecret()}
	var err error
	if admission.Session, err = s.startSession(ctx, tx, now, step, admission.Secret); err != nil {
		return nil, err
	}
	if admission.DeviceSecret, err = rememberDevice(ctx, tx, now, step.user, step.device, trusted); err != nil {
		return nil, err
	}
	return admission, step.note(ctx, tx, now, "")
}

// startSession makes the session of a person who is let in. The secret is new in every case, so that one which was planted
// or seen before the sign-in is worth nothing after it.
func (s *Store) startSession(ctx context.Context, tx bun.Tx, now time.Time, step firstStep, secret string) (*Session, error) {
	label, mobile := step.device.label()
	session := &Session{
		ID: newID(), UserID: step.user.ID, SecretHash: storage.Digest(secret), SessionVersion: step.user.SessionVersion,
		DeviceLabel: label, IsMobile: mobile, UserAgent: step.device.userAgent(), Fingerprint: step.device.fingerprint(), IP: step.device.IP,
		AMR: step.evidence.AMR, ACR: step.evidence.ACR, AuthTime: now, LastSeenAt: now, LastSeenIP: step.device.IP,
		ExpiresAt: now.Add(s.SessionLifetime), CreatedAt: now, User: step.user,
	}
	if origin := step.evidence.External; origin != nil {
		session.ExternalAccountID, session.UpstreamSID = uuid.NullUUID{UUID: origin.AccountID, Valid: true}, origin.SID
	}
	if !step.authTime.IsZero() && step.authTime.Before(now) {
		session.AuthTime = step.authTime
	}
	current, action := step.current, "started"
	if current != nil && current.UserID == session.UserID {
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
		unfamiliar, err := isUnfamiliar(ctx, tx, session.UserID, step.device)
		if err != nil {
			return nil, err
		}
		if _, err := tx.NewInsert().Model(session).Exec(ctx); err != nil {
			return nil, err
		}
		if unfamiliar {
			values := from(step.device)
			values["time"] = now.Format(time.RFC1123)
			if err := s.tellOwner(ctx, tx, now, step.user, MessageNewSignIn, proofNotMe, notMeProofLifetime, &session.ID, values); err != nil {
				return nil, err
			}
		}
	}
	return session, audit.Record(ctx, tx, now, audit.Change{
		Entity: "session", EntityID: session.ID.String(), Action: action, UserID: session.UserID,
		New: audit.Values{"amr": session.AMR, "acr": session.ACR, "device": session.DeviceLabel},
	})
}
