package signin

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/factor"
	"github.com/wicket-id/wicket/identity/refusal"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

// SecondStep is a question for a second factor: who is to answer it, and what for. It travels through the browser,
// sealed; the server keeps nothing until it is answered.
type SecondStep struct {
	Purpose string `json:"p"`

	UserID  uuid.UUID `json:"u"`
	AskedAt time.Time `json:"t"`
	// of the user, when it was asked: after a global logout nobody need answer
	SessionVersion int64                    `json:"v"`
	Password       []byte                   `json:"w"` // a digest of the password's hash: nor after it was changed
	Login          string                   `json:"l,omitempty"`
	AMR            []string                 `json:"m,omitempty"` // what the first step has proved
	ACR            string                   `json:"c,omitempty"`
	External       *identity.ExternalOrigin `json:"e,omitempty"` // the account of elsewhere that was the first step
	Reset          string                   `json:"r,omitempty"` // the secret of the link, to choose another password
	Answered       bool                     `json:"a,omitempty"` // to choose another password: the second factor was shown

	user *identity.User
}

// What a second step is for.
const (
	ToSignIn   = "sign_in"  // after a password or another provider
	ToReset    = "reset"    // before another password is chosen by a mailed link
	ToStrength = "strength" // in a session, for an app or a page that wants to be surer
)

const (
	secondStepLifetime = 10 * time.Minute
	sealForSecondSteps = "second step"
)

// ErrSecondStep says that the question is too old, or that the account has changed meanwhile: the person begins anew.
var ErrSecondStep = refusal.New("second_step.expired", "the second step is not open any more")

// ForSession asks the person of a live session.
func (s SecondSteps) ForSession(ctx context.Context, session *identity.Session) (*SecondStep, error) {
	user, err := s.Users().ByID(ctx, session.UserID)
	if err != nil {
		return nil, err
	}
	return s.askFor(
		ToStrength,
		firstStep{user: user, login: user.Username, evidence: identity.Evidence{AMR: session.AMR, ACR: session.ACR}},
	), nil
}

// askFor asks for a second step after a first.
func (s SecondSteps) askFor(purpose string, step firstStep) *SecondStep {
	return &SecondStep{
		Purpose: purpose, UserID: step.user.ID, AskedAt: s.Now(), SessionVersion: step.user.SessionVersion,
		Password: passwordMark(step.user),
		Login:    step.login, AMR: step.evidence.AMR, ACR: step.evidence.ACR, External: step.evidence.External,
		user: step.user,
	}
}

// Actor is who answers the question, once they have.
func (s *SecondStep) Actor() string { return s.user.Actor() }

func passwordMark(user *identity.User) []byte {
	sum := sha256.Sum256([]byte(user.PasswordHash))
	return sum[:]
}

// Sealed is the question as it travels through the browser.
func (s SecondSteps) Sealed(step *SecondStep) (string, error) {
	encoded, err := json.Marshal(step)
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(s.Seal.Close(sealForSecondSteps, encoded)), nil
}

// Open returns the question that Admission.SecondStep or ErrSecondFactor holds, or ErrSecondStep.
func (s SecondSteps) Open(ctx context.Context, sealed string) (*SecondStep, error) {
	raw, err := base64.RawURLEncoding.DecodeString(sealed)
	if err != nil {
		return nil, ErrSecondStep
	}
	encoded, err := s.Seal.Open(sealForSecondSteps, raw)
	if err != nil {
		return nil, ErrSecondStep
	}
	step := new(SecondStep)
	if err := json.Unmarshal(encoded, step); err != nil || s.Now().Sub(step.AskedAt) > secondStepLifetime {
		return nil, ErrSecondStep
	}
	step.user, err = s.Users().ByID(ctx, step.UserID)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, ErrSecondStep
	} else if err != nil {
		return nil, err
	}
	if step.user.SessionVersion != step.SessionVersion ||
		subtle.ConstantTimeCompare(passwordMark(step.user), step.Password) != 1 {
		return nil, ErrSecondStep
	}
	return step, nil
}

// BeginKey asks the person of a question for one of their keys. It returns storage.ErrNotFound where they have none.
func (s SecondSteps) BeginKey(ctx context.Context, step *SecondStep) (*factor.Ceremony, error) {
	return s.Factors.BeginSecondKey(ctx, step.user)
}

// Options are the ways in which a person can answer.
type Options struct {
	Key         bool // a security key or a passkey
	Code        bool // an app
	BackupCodes bool // there are some left
}

// Options tells how a question can be answered.
func (s SecondSteps) Options(ctx context.Context, step *SecondStep) (*Options, error) {
	factors, err := s.Factors.List(ctx, step.UserID)
	if err != nil {
		return nil, err
	}
	return &Options{
		Key:  s.Factors.RelyingParty != nil && len(factors.HardwareKeys)+len(factors.Passkeys) > 0,
		Code: len(factors.TOTPs) > 0, BackupCodes: factors.BackupCodes > 0,
	}, nil
}

// check looks at an answer without using it up: nil where it is wrong.
func (s SecondSteps) check(ctx context.Context, step *SecondStep, given factor.Answer) (*factor.Proved, error) {
	if given.Response != "" {
		return s.Factors.CheckSecondKey(ctx, step.user, given)
	}
	if found, err := s.Factors.TOTPs().Check(ctx, step.user, given.Code); found != nil || err != nil {
		return found, err
	}
	return s.Factors.BackupCodes().Check(ctx, step.user, given.Code)
}

// Finish takes the answer to a question that a sign-in has asked, and starts the session. Trust makes this browser
// one that is not asked again for thirty days. Wrong answers count as wrong passwords do, and lock the account. It
// returns factor.ErrCode, ErrSecondStep where the account lets nobody in any more, or identity.ErrTooManyAttempts.
func (s SecondSteps) Finish(
	ctx context.Context, step *SecondStep, given factor.Answer, device identity.Device, current *identity.Session,
	trust bool,
) (*Outcome, error) {
	if step.Purpose != ToSignIn {
		return nil, ErrSecondStep
	}
	trusted := identity.NotTrusted
	if trust {
		trusted = identity.TrustedFor
	}
	return settle(ctx, s, step, given, device, func(
		ctx context.Context, tx bun.Tx, now time.Time, shown firstStep,
	) (*Outcome, error) {
		shown.current = current
		user, err := openAccount(ctx, tx, now, shown)
		if err != nil {
			return nil, err
		} else if user == nil {
			return nil, ErrSecondStep
		}
		shown.user = user
		return s.start(ctx, tx, now, shown, trusted)
	})
}

// Strengthen takes the answer to a question that was asked of a live session: the session is one of two factors then.
// It returns the session's new secret, or factor.ErrCode, ErrSecondStep or identity.ErrTooManyAttempts.
func (s SecondSteps) Strengthen(
	ctx context.Context, step *SecondStep, session *identity.Session, given factor.Answer, device identity.Device,
) (secret string, err error) {
	if step.Purpose != ToStrength || step.UserID != session.UserID {
		return "", ErrSecondStep
	}
	return settle(ctx, s, step, given, device, func(
		ctx context.Context, tx bun.Tx, now time.Time, shown firstStep,
	) (string, error) {
		secret := storage.NewSecret()
		err := identity.RenewSession(ctx, tx, session, shown.evidence, secret)
		if errors.Is(err, storage.ErrNotFound) {
			return "", ErrSecondStep
		} else if err != nil {
			return "", err
		}
		err = audit.Record(ctx, tx, now, audit.Change{
			Entity: "session", EntityID: session.ID.String(), Action: "strengthened", UserID: session.UserID,
			Old: audit.Values{"amr": session.AMR, "acr": session.ACR},
			New: audit.Values{"amr": shown.evidence.AMR, "acr": shown.evidence.ACR},
		})
		if err != nil {
			return "", err
		}
		return secret, shown.note(ctx, tx, now, "")
	})
}

// AllowReset takes the answer to a question that a mailed link has asked, and returns the question sealed anew, for
// Reset. It returns factor.ErrCode, ErrSecondStep or identity.ErrTooManyAttempts.
func (s SecondSteps) AllowReset(
	ctx context.Context, step *SecondStep, given factor.Answer, device identity.Device,
) (sealed string, err error) {
	if step.Purpose != ToReset {
		return "", ErrSecondStep
	}
	type nothing = struct{}
	_, err = settle(ctx, s, step, given, device, func(
		ctx context.Context, tx bun.Tx, now time.Time, shown firstStep,
	) (nothing, error) {
		return nothing{}, audit.Record(ctx, tx, now, audit.Change{
			Entity: "password_reset_token", EntityID: step.UserID.String(), Action: "allowed", UserID: step.UserID,
			New: audit.Values{"method": shown.method},
		})
	})
	if err != nil {
		return "", err
	}
	answered := *step
	answered.Answered, answered.AskedAt = true, s.Now()
	return s.Sealed(&answered)
}

// settle checks an answer, and in one transaction uses it up and does what it is for; do returns ErrSecondStep where
// the account or the session is not as it was, which takes back that the answer was used. While the account is locked a
// right code is answered as a wrong one, and not used up. It returns what do returned, or factor.ErrCode,
// ErrSecondStep, identity.ErrTooManyAttempts or password.ErrBusy.
func settle[T any](
	ctx context.Context, s SecondSteps, step *SecondStep, given factor.Answer, device identity.Device,
	do func(ctx context.Context, tx bun.Tx, now time.Time, shown firstStep) (T, error),
) (result T, err error) {
	known, err := s.KnownDevice(ctx, s.Database.Reader(), s.Now(), &identity.User{ID: step.UserID}, device)
	if err != nil {
		return result, fmt.Errorf("second step: %w", err)
	}
	turn, err := s.Attempts().enter(ctx, known, device)
	if err != nil {
		return result, err
	}
	defer turn.leave()
	codes := "second steps of " + step.UserID.String()
	if err := s.delay(ctx, s.Cache.Count(ctx, codes, identity.FailureWindow)-1); err != nil {
		return result, err
	}
	if err := turn.wait(ctx); err != nil {
		return result, err
	}
	found, err := s.check(ctx, step, given)
	if err != nil {
		return result, fmt.Errorf("second step: %w", err)
	}
	result, err = storage.Write(ctx, s.Database, func(ctx context.Context, tx bun.Tx) (T, error) {
		var none T
		now := s.Now()
		shown, err := s.useUp(ctx, tx, now, step, given, found, device)
		if err != nil {
			return none, err
		}
		return do(audit.AsNamed(ctx, step.user.Actor()), tx, now, shown)
	})
	switch {
	case errors.Is(err, factor.ErrCode):
		countFailure(ctx, s.Cache, device)
		return result, factor.ErrCode
	case err != nil && !errors.Is(err, ErrSecondStep):
		return result, fmt.Errorf("second step: %w", err)
	case err == nil:
		s.Cache.Forget(ctx, codes)
	}
	return result, err
}

// stands demands that the account is as it was when the question was asked: its person was not signed out everywhere
// since, has the same password, and still has the account elsewhere that was the first step. It comes before anything
// else in the transaction, and until the commit nobody can change that, nor the person's factors. It returns
// ErrSecondStep.
func (s SecondSteps) stands(ctx context.Context, tx bun.Tx, step *SecondStep) error {
	if err := s.LockWaysIn(ctx, tx, step.UserID); err != nil {
		return err
	}
	err := storage.OneRow(tx.NewUpdate().Model((*identity.User)(nil)).Set("session_version = session_version").
		Where("id = ? AND is_active AND session_version = ?", step.UserID, step.SessionVersion).
		Where("coalesce(password_hash, '') = ?", step.user.PasswordHash).Exec(ctx))
	if errors.Is(err, storage.ErrNotFound) {
		return ErrSecondStep
	}
	if err != nil || step.External == nil {
		return err
	}
	linked, err := tx.NewSelect().Model((*identity.ExternalAccount)(nil)).
		Where("id = ? AND user_id = ?", step.External.AccountID, step.UserID).Exists(ctx)
	if err == nil && !linked {
		return ErrSecondStep
	}
	return err
}

// useUp uses up an answer that was found right, and returns what has been shown with it. A wrong one, which is nil,
// and one that is locked out or was used before it notes, and refuses with factor.ErrCode. Where the question is not
// open any more it returns ErrSecondStep.
func (s SecondSteps) useUp(
	ctx context.Context, tx bun.Tx, now time.Time, step *SecondStep, given factor.Answer, found *factor.Proved,
	device identity.Device,
) (shown firstStep, err error) {
	shown = firstStep{user: step.user, login: step.Login, method: "otp", device: device}
	if err := s.stands(ctx, tx, step); err != nil {
		return shown, err
	}
	if given.Response != "" {
		shown.method = "hwk"
	}
	used := found != nil
	if used && given.Response == "" { // a key is not guessed
		locked, err := s.locksOut(ctx, tx, now, step.user, device)
		if err != nil {
			return shown, err
		}
		used = !locked
	}
	if used {
		shown.method = found.Method
		shown.evidence = identity.Evidence{AMR: step.AMR, ACR: step.ACR, External: step.External}.With(found.Evidence)
		ctx = audit.AsNamed(ctx, step.user.Actor())
		used, err = found.Use(ctx, tx, now)
		again := errors.Is(err, storage.ErrUsedBefore)
		if err != nil && !again {
			return shown, err
		}
		if !used && !again && found.Key != nil {
			if err := s.warnOfClone(ctx, tx, now, shown, found.Method, found.Key); err != nil {
				return shown, err
			}
		}
	}
	if used {
		return shown, nil
	}
	if err := s.noteFailure(ctx, tx, now, shown, FailedCode); err != nil {
		return shown, err
	}
	return shown, storage.Refuse(factor.ErrCode)
}
