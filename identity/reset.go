package identity

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

// PasswordResetToken lets a person who has lost their password choose another. It works once, for half an hour, and only
// the youngest of several.
type PasswordResetToken struct {
	bun.BaseModel `bun:"table:password_reset_tokens,alias:password_reset_token"`

	ID        uuid.UUID  `bun:"id,pk,type:uuid"`
	UserID    uuid.UUID  `bun:"user_id,type:uuid"`
	TokenHash []byte     `bun:"token_hash"`
	ExpiresAt time.Time  `bun:"expires_at"`
	UsedAt    *time.Time `bun:"used_at"`
	ResetIP   string     `bun:"reset_ip"` // from where it was asked for
	CreatedAt time.Time  `bun:"created_at"`
	CreatedBy string     `bun:"created_by"`
}

const (
	resetLifetime      = 30 * time.Minute
	maxResetsPerSource = 50 // in sendingWindow
)

func newResetToken(ctx context.Context, userID uuid.UUID, now time.Time) (*PasswordResetToken, string) {
	secret, actor := storage.NewSecret(), audit.ActorOf(ctx)
	return &PasswordResetToken{
		ID: newID(), UserID: userID, TokenHash: storage.Digest(secret), ExpiresAt: now.Add(resetLifetime),
		ResetIP: actor.IP, CreatedAt: now, CreatedBy: actor.Name,
	}, secret
}

// RequestReset sends a link to choose another password to the primary address of the person who was named; never to
// another, for that might be one that somebody has just added. The answer is the same whoever was named, and so is the
// time: what there is to do for a real account is a job's. It returns ErrTooManySendings where one network asks too often.
func (s *Store) RequestReset(ctx context.Context, login string, device Device) error {
	if s.Memory.Count(ctx, "password resets from "+device.Source(), sendingWindow) > maxResetsPerSource {
		return ErrTooManySendings
	}
	return s.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		return storage.Enqueue(ctx, s.Jobs, tx, ResetRequest{Login: login[:min(len(login), maxTyped)], Device: device, Actor: audit.ActorOf(ctx)})
	})
}

// ResetRequest is the job that RequestReset leaves: to look whether there is such an account and write to it.
type ResetRequest struct {
	Login  string      `json:"login"`
	Device Device      `json:"device"`
	Actor  audit.Actor `json:"actor"`
}

// Kind names the job.
func (ResetRequest) Kind() string { return "reset_request" }

// HandleReset does the job. Older links are void from now on.
func (s *Store) HandleReset(ctx context.Context, request ResetRequest) error {
	ctx = audit.As(ctx, request.Actor)
	user, err := s.userByLogin(ctx, request.Login)
	if errors.Is(err, storage.ErrNotFound) || err == nil && !user.IsActive {
		return nil
	} else if err != nil {
		return err
	}
	if err := s.maySend(ctx, MessageResetPassword, user.ID.String()); err != nil {
		return nil // enough letters are there already
	}
	now := s.Now()
	return s.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		address, err := verifiedPrimary(ctx, tx, user.ID)
		if err != nil || address == "" {
			return err
		}
		if err := voidResets(ctx, tx, user.ID, now); err != nil {
			return err
		}
		token, secret := newResetToken(ctx, user.ID, now)
		if _, err := tx.NewInsert().Model(token).Exec(ctx); err != nil {
			return err
		}
		err = audit.Record(ctx, tx, now, audit.Change{Entity: "password_reset_token", EntityID: token.ID.String(), Action: "created", UserID: user.ID})
		if err != nil {
			return err
		}
		return storage.Enqueue(ctx, s.Jobs, tx, s.mail(MessageResetPassword, user, address, secret, from(request.Device)))
	})
}

// CheckReset tells whether a reset link is good, without using it up. Where the person has second factors it returns the
// question for one, sealed, until that is answered: answered is what AllowReset returned, or empty. It returns ErrProof.
func (s *Store) CheckReset(ctx context.Context, secret, answered string) (question string, err error) {
	owner, err := s.resetOwner(ctx, secret)
	if err != nil || !owner.TwoFactor {
		return "", err
	}
	if allowed, err := s.resetAllowed(ctx, owner, secret, answered); err != nil || allowed {
		return "", err
	}
	step := s.askFor(ToReset, firstStep{user: owner, login: owner.Username})
	step.Reset = secret
	return s.seal(step)
}

// resetAllowed tells whether a second factor was shown for that link.
func (s *Store) resetAllowed(ctx context.Context, owner *User, secret, answered string) (bool, error) {
	step, err := s.OpenSecondStep(ctx, answered)
	if errors.Is(err, ErrSecondStep) {
		return false, nil
	} else if err != nil {
		return false, fmt.Errorf("reset password: %w", err)
	}
	return step.Answered && step.Purpose == ToReset && step.UserID == owner.ID && step.Reset == secret, nil
}

// resetOwner returns the person of a reset link that is good, or ErrProof.
func (s *Store) resetOwner(ctx context.Context, secret string) (*User, error) {
	owner := new(User)
	err := s.Database.Reader().NewSelect().Model(owner).
		Where("id = (SELECT user_id FROM password_reset_tokens WHERE token_hash = ? AND used_at IS NULL AND expires_at > ?)", storage.Digest(secret), s.Now()).Scan(ctx)
	if errors.Is(storage.NotFound(err), storage.ErrNotFound) {
		return nil, ErrProof
	} else if err != nil {
		return nil, fmt.Errorf("reset password: %w", err)
	}
	return owner, nil
}

// Reset chooses another password by the link that was mailed: every session and token of the person is void, and they
// are told. answered is what AllowReset returned where the person has second factors, otherwise empty. It returns
// ErrProof, ErrSecondStep where a second factor is still to be shown, or ErrPasswordWeak and its kin; then the link
// still works. The browser is known to the account from now on, for its owner reads the mail there: it returns what
// its cookie is to hold. For an hour it is trusted with an account that has passkeys alone, so that who has lost them
// can replace them.
func (s *Store) Reset(ctx context.Context, secret, answered, password string, device Device) (owner *User, deviceSecret string, err error) {
	owner, err = s.resetOwner(ctx, secret)
	if err != nil {
		return nil, "", err
	}
	if owner.TwoFactor {
		if allowed, err := s.resetAllowed(ctx, owner, secret, answered); err != nil {
			return nil, "", err
		} else if !allowed {
			return nil, "", ErrSecondStep
		}
	}
	if err := s.checkNewPassword(ctx, owner, password); err != nil {
		return nil, "", err
	}
	hash, err := s.Hasher.Hash(ctx, password)
	if err != nil {
		return nil, "", err
	}
	now, trusted := s.Now(), notTrusted
	if !owner.TwoFactor && owner.HasWebAuthn {
		trusted = trustedByMail
	}
	ctx = audit.AsNamed(ctx, owner.Actor())
	deviceSecret, err = storage.Write(ctx, s.Database, func(ctx context.Context, tx bun.Tx) (string, error) {
		result, err := tx.NewUpdate().Model((*PasswordResetToken)(nil)).Set("used_at = ?", now).
			Where("token_hash = ? AND used_at IS NULL AND expires_at > ?", storage.Digest(secret), now).
			Where("EXISTS (SELECT 1 FROM users WHERE id = ? AND two_factor = ?)", owner.ID, owner.TwoFactor).Exec(ctx)
		if err != nil {
			return "", err
		}
		if n, err := result.RowsAffected(); err != nil {
			return "", err
		} else if n == 0 {
			return "", ErrProof
		}
		if err := voidSecrets(ctx, tx, owner.ID, now); err != nil {
			return "", err
		}
		if _, err := s.signOutEverywhere(ctx, tx, now, owner.ID, EndedByPassword); err != nil {
			return "", err
		}
		deviceSecret, err := rememberDevice(ctx, tx, now, owner, device, trusted)
		if err != nil {
			return "", err
		}
		if _, err := tx.NewUpdate().Model((*User)(nil)).Set("erase_at = NULL").Where("id = ?", owner.ID).Exec(ctx); err != nil {
			return "", err // who wants another password wants the account
		}
		return deviceSecret, s.setPassword(ctx, tx, now, owner, hash, "reset")
	})
	if errors.Is(err, ErrProof) {
		return nil, "", ErrProof
	} else if err != nil {
		return nil, "", fmt.Errorf("reset password: %w", err)
	}
	return owner, deviceSecret, nil
}

// voidSecrets voids every link and code that was sent to a person: who has just proved who they are, or that somebody else
// was them, wants none of the old ones to work.
func voidSecrets(ctx context.Context, tx bun.Tx, userID uuid.UUID, now time.Time) error {
	if err := voidResets(ctx, tx, userID, now); err != nil {
		return err
	}
	_, err := tx.NewUpdate().Model((*Proof)(nil)).Set("used_at = ?", now).Where("user_id = ? AND used_at IS NULL", userID).Exec(ctx)
	return err
}

func voidResets(ctx context.Context, tx bun.Tx, userID uuid.UUID, now time.Time) error {
	_, err := tx.NewUpdate().Model((*PasswordResetToken)(nil)).Set("used_at = ?", now).Where("user_id = ? AND used_at IS NULL", userID).Exec(ctx)
	return err
}
