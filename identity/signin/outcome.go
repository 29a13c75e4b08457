package signin

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

// Outcome is what a sign-in that was not refused leads to: a session, or a question for a second step.
type Outcome struct {
	Session *identity.Session // with its user; nil while a second step is asked for
	Secret  string            // for the session's cookie
	// for the cookie by which this browser is known to the account from now on: see KnownDevice
	DeviceSecret string
	SecondStep   string // what has been proved so far, sealed: see Open; empty where there is a session
	// when the account was to be erased, which this sign-in has undone; nil where it was not
	Kept *time.Time
}

// firstStep is what a person has done to sign in, by whatever method, before the account is asked whether it lets them
// in.
type firstStep struct {
	user     *identity.User // as read before; no id: nobody's name was typed
	login    string         // as typed
	method   string         // for the list of attempts: "pwd"
	evidence identity.Evidence
	authTime time.Time // when they proved it, if that was long before
	device   identity.Device
	current  *identity.Session // the live session that this browser has already, or nil
	rehashed string            // the password's hash of today, where the stored one is outdated
}

// conclude lets a person in who has proved who they are, or asks for a second step. Where the account lets nobody in
// now it notes why, and refuses with ErrRefused.
func (s *Store) conclude(ctx context.Context, tx bun.Tx, now time.Time, step firstStep) (*Outcome, error) {
	more, err := s.needsSecondStep(ctx, tx, now, step)
	if err != nil {
		return nil, err
	}
	if more {
		open, err := accountIsOpen(ctx, tx, now, step)
		if err != nil || !open {
			return nil, step.refuse(ctx, tx, now, err)
		}
		return s.askSecondStep(ctx, tx, now, step)
	}
	user, err := openAccount(ctx, tx, now, step)
	if err != nil || user == nil {
		return nil, step.refuse(ctx, tx, now, err)
	}
	step.user = user
	return s.start(ctx, tx, now, step, identity.NotTrusted)
}

// refuse notes that an account lets nobody in, and is a refusal; or err, where whether it does could not be found out.
func (f firstStep) refuse(ctx context.Context, tx bun.Tx, now time.Time, err error) error {
	if err != nil {
		return err
	}
	failure := FailedLocked
	if !f.user.IsActive {
		failure = FailedDisabled
	}
	if err := f.note(ctx, tx, now, failure); err != nil {
		return err
	}
	return storage.Refuse(ErrRefused)
}

// needsSecondStep tells whether a first step is not enough: the account has a second factor and this browser is not
// trusted, or the person has a key and signs in as they never did. Whoever came with two factors has shown enough.
func (s *Store) needsSecondStep(ctx context.Context, tx bun.Tx, now time.Time, step firstStep) (bool, error) {
	if identity.Assures(step.evidence.ACR, identity.ACRMultiFactor) || !step.user.TwoFactor && !step.user.HasWebAuthn {
		return false, nil
	}
	known, err := s.KnownDevice(ctx, tx, now, step.user, step.device)
	switch {
	case err != nil:
		return false, err
	case step.user.TwoFactor:
		return !known.IsTrusted(now, step.device), nil
	case known == nil:
		return isNewDevice(ctx, tx, step.user.ID, step.device)
	}
	return false, nil
}

// askSecondStep lets a person go on to the second step. The account is not signed in to yet, and what it has counted
// stays.
func (s *Store) askSecondStep(ctx context.Context, tx bun.Tx, now time.Time, step firstStep) (*Outcome, error) {
	if step.rehashed != "" { // here alone is the password known
		_, err := tx.NewUpdate().Model((*identity.User)(nil)).Set("password_hash = ?", step.rehashed).
			Where("id = ? AND password_hash = ?", step.user.ID, step.user.PasswordHash).Exec(ctx)
		if err != nil {
			return nil, err
		}
		user := *step.user
		user.PasswordHash = step.rehashed
		step.user = &user
	}
	sealed, err := s.SecondSteps().Sealed(s.SecondSteps().askFor(ToSignIn, step))
	if err != nil {
		return nil, err
	}
	return &Outcome{SecondStep: sealed}, step.note(ctx, tx, now, AskedForSecond)
}

// start begins the session of a person who is let in, and remembers their browser. Signing in undoes a request to be
// erased.
func (s *Store) start(
	ctx context.Context, tx bun.Tx, now time.Time, step firstStep, trusted time.Duration,
) (*Outcome, error) {
	ctx = audit.AsNamed(ctx, step.user.Actor())
	admission := &Outcome{Secret: storage.NewSecret()}
	var err error
	if admission.Session, err = s.startSession(ctx, tx, now, step, admission.Secret); err != nil {
		return nil, err
	}
	if admission.DeviceSecret, err = rememberDevice(ctx, tx, now, step.user, step.device, trusted); err != nil {
		return nil, err
	}
	if admission.Kept = step.user.EraseAt; admission.Kept != nil {
		if err := s.undoErasure(ctx, tx, now, step.user, step.device); err != nil {
			return nil, err
		}
	}
	return admission, step.note(ctx, tx, now, "")
}

// startSession makes the session of a person who is let in. The secret is new in every case, so that one which was
// planted or seen before the sign-in is worth nothing after it.
func (s *Store) startSession(
	ctx context.Context, tx bun.Tx, now time.Time, step firstStep, secret string,
) (*identity.Session, error) {
	label, mobile := step.device.Describe()
	session := &identity.Session{
		ID: storage.NewID(), UserID: step.user.ID, SecretHash: storage.Digest(secret),
		SessionVersion: step.user.SessionVersion,
		DeviceLabel:    label, IsMobile: mobile, UserAgent: step.device.StoredUserAgent(),
		Fingerprint: step.device.Fingerprint(), IP: step.device.IP,
		AMR: step.evidence.AMR, ACR: step.evidence.ACR, AuthTime: now, LastSeenAt: now, LastSeenIP: step.device.IP,
		ExpiresAt: now.Add(s.SessionLifetime), CreatedAt: now, User: step.user,
	}
	if shown := step.evidence.FactorID; shown != uuid.Nil {
		session.FactorID = uuid.NullUUID{UUID: shown, Valid: true}
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
			session.ID, action = storage.NewID(), "started"
			session.CreatedAt, session.ExpiresAt = now, now.Add(s.SessionLifetime)
		}
	} else if current != nil {
		_, err := s.Sessions().EndThose(ctx, tx, now, current.UserID, identity.EndedByReplacing,
			func(q *bun.UpdateQuery) *bun.UpdateQuery {
				return q.Where("id = ?", current.ID)
			})
		if err != nil {
			return nil, err
		}
	}
	if action == "started" {
		if err := s.begin(ctx, tx, now, step, session); err != nil {
			return nil, err
		}
	}
	return session, audit.Record(ctx, tx, now, audit.Change{
		Entity: "session", EntityID: session.ID.String(), Action: action, UserID: session.UserID,
		New: audit.Values{"amr": session.AMR, "acr": session.ACR, "device": session.DeviceLabel},
	})
}

// begin writes a session that is new, and tells its owner where none of theirs was in such a browser or network.
func (s *Store) begin(
	ctx context.Context, tx bun.Tx, now time.Time, step firstStep, session *identity.Session,
) error {
	unfamiliar, err := isNewDevice(ctx, tx, session.UserID, step.device)
	if err != nil {
		return err
	}
	insert := tx.NewInsert().Model(session).Returning("NULL")
	if !unfamiliar {
		return storage.Later(ctx, tx, insert)
	}
	if _, err := insert.Exec(ctx); err != nil { // at once: the links in the mail refer to it
		return err
	}
	values := identity.OriginOf(step.device)
	values["time"] = now.Format(time.RFC3339)
	return s.TellOwner(
		ctx, tx, now, step.user, identity.MessageNewSignIn, identity.ProofNotMe, identity.NotMeProofLifetime, &session.ID,
		values,
	)
}
