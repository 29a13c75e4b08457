package signin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/ownership"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

const (
	maxResetsPerSource = 50 // in identity.SendingWindow

	// So many links at the most are sent to one person in resetWindow, in which none of them lapses: whoever asks for
	// links in others' names neither voids the owner's nor leaves them without a good one.
	maxResetLinks = 5
	resetWindow   = identity.ResetLifetime / 2
)

// Request sends a link to choose another password to the primary address of the person who was named; never to
// another, for that might be one that somebody has just added. The answer is the same whoever was named, and so is the
// time: what there is to do for a real account is a job's. It returns ErrTooManySendings where one network asks too
// often.
func (s Resets) Request(ctx context.Context, login string, device identity.Device) error {
	if s.Cache.Count(ctx, "password resets from "+device.Source(), identity.SendingWindow) > maxResetsPerSource {
		return identity.ErrTooManySendings
	}
	return s.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		return storage.Enqueue(ctx, s.Jobs, tx, ResetRequest{
			Login: login[:min(len(login), maxTyped)], Device: device, Actor: audit.ActorOf(ctx),
		})
	})
}

// ResetRequest is the job that Request leaves: to look whether there is such an account and write to it.
type ResetRequest struct {
	Login  string          `json:"login"`
	Device identity.Device `json:"device"`
	Actor  audit.Actor     `json:"actor"`
}

// Kind names the job.
func (ResetRequest) Kind() string { return "reset_request" }

// Handle does the job. Links that were sent before are good, too, until one is used.
func (s Resets) Handle(ctx context.Context, request ResetRequest) error {
	ctx = audit.As(ctx, request.Actor)
	user, err := s.Users().ByLogin(ctx, request.Login)
	if errors.Is(err, storage.ErrNotFound) || err == nil && !user.IsActive {
		return nil
	} else if err != nil {
		return err
	}
	if s.Cache.Count(ctx, "reset links of "+user.ID.String(), resetWindow) > maxResetLinks {
		return nil // there are enough in the mailbox
	}
	now := s.Now()
	return s.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		address, err := identity.VerifiedPrimary(ctx, tx, user.ID)
		if err != nil || address == "" {
			return err
		}
		token, secret := identity.NewResetToken(ctx, user.ID, now)
		if err := insertResetToken(ctx, tx, now, token); err != nil {
			return err
		}
		return storage.Enqueue(
			ctx, s.Jobs, tx, s.Mail(identity.MessageResetPassword, user, address, secret, identity.OriginOf(request.Device)),
		)
	})
}

// MakeLink makes a link for a person to choose another password, for an operator to hand on, and returns its secret and
// how long it works. Links that were sent before are good, too, until one is used.
func (s Resets) MakeLink(ctx context.Context, userID uuid.UUID) (secret string, until time.Time, err error) {
	now := s.Now()
	token, secret := identity.NewResetToken(ctx, userID, now)
	err = s.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		return insertResetToken(ctx, tx, now, token)
	})
	if err != nil {
		return "", time.Time{}, fmt.Errorf("make a reset link: %w", err)
	}
	return secret, token.ExpiresAt, nil
}

func insertResetToken(ctx context.Context, tx bun.Tx, now time.Time, token *identity.PasswordResetToken) error {
	if _, err := tx.NewInsert().Model(token).Exec(ctx); err != nil {
		return err
	}
	return audit.Record(ctx, tx, now, audit.Change{
		Entity: "password_reset_token", EntityID: token.ID.String(), Action: "created", UserID: token.UserID,
	})
}

// Check tells whether a reset link is good, without using it up. Where the person has second factors it returns the
// question for one, sealed, until that is answered: answered is what AllowReset returned, or empty. It returns
// ErrProof.
func (s Resets) Check(ctx context.Context, secret, answered string) (question string, err error) {
	owner, err := s.owner(ctx, secret)
	if err != nil || !owner.TwoFactor {
		return "", err
	}
	if allowed, err := s.allowed(ctx, owner, secret, answered); err != nil || allowed {
		return "", err
	}
	step := s.SecondSteps().askFor(ToReset, firstStep{user: owner, login: owner.Username})
	step.Reset = secret
	return s.SecondSteps().Sealed(step)
}

// allowed tells whether a second factor was shown for that link.
func (s Resets) allowed(ctx context.Context, owner *identity.User, secret, answered string) (bool, error) {
	step, err := s.SecondSteps().Open(ctx, answered)
	if errors.Is(err, ErrSecondStep) {
		return false, nil
	} else if err != nil {
		return false, fmt.Errorf("reset password: %w", err)
	}
	return step.Answered && step.Purpose == ToReset && step.UserID == owner.ID && step.Reset == secret, nil
}

// owner returns the person of a reset link that is good, or ErrProof. What they have disowned, and whose time has come,
// is gone then: they are not asked for it.
func (s Resets) owner(ctx context.Context, secret string) (*identity.User, error) {
	owner, err := s.byLink(ctx, secret)
	if err != nil || !owner.TwoFactor {
		return owner, err
	}
	removed, err := s.Factors.RemoveDue(ctx, owner.ID)
	if err != nil {
		return nil, fmt.Errorf("reset password: %w", err)
	}
	if !removed {
		return owner, nil
	}
	return s.byLink(ctx, secret)
}

func (s Resets) byLink(ctx context.Context, secret string) (*identity.User, error) {
	owner := new(identity.User)
	err := s.Database.Reader().NewSelect().Model(owner).
		Where(
			"id = (SELECT user_id FROM password_reset_tokens WHERE token_hash = ? AND used_at IS NULL AND expires_at > ?)",
			storage.Digest(secret), s.Now(),
		).Scan(ctx)
	if errors.Is(storage.NotFound(err), storage.ErrNotFound) {
		return nil, identity.ErrProof
	} else if err != nil {
		return nil, fmt.Errorf("reset password: %w", err)
	}
	return owner, nil
}

// OtherWays tells whose account a reset link is for, and lists what else signs in to it, so that its owner can take
// away what is not theirs. It returns ErrProof.
func (s Resets) OtherWays(ctx context.Context, secret string) (*identity.User, []ownership.Way, error) {
	owner, err := s.owner(ctx, secret)
	if err != nil {
		return nil, nil, err
	}
	ways, err := ownership.WithoutPassword(ctx, s.Database.Reader(), owner.ID)
	return owner, ways, err
}

// NewPassword is what a person chooses by a reset link.
type NewPassword struct {
	Secret   string // of the link
	Answered string // what AllowReset returned, where the person has second factors; otherwise empty
	Password string
	Remove   []string // the keys of OtherWays
	Device   identity.Device
}

// Reset chooses another password by the link that was mailed: every session and token of the person is void, the other
// ways in that they name are removed, and they are told. It returns ErrProof, ErrSecondStep where a second factor is
// still to be shown, or password.ErrWeak and its kin; then the link still works. The browser is known to the account
// from now on, for its owner reads the mail there: it returns what its cookie is to hold. For an hour it is trusted
// with an account that has passkeys alone, so that who has lost them can replace them.
func (s Resets) Reset(ctx context.Context, r NewPassword) (owner *identity.User, deviceSecret string, err error) {
	owner, err = s.owner(ctx, r.Secret)
	if err != nil {
		return nil, "", err
	}
	if owner.TwoFactor {
		if allowed, err := s.allowed(ctx, owner, r.Secret, r.Answered); err != nil {
			return nil, "", err
		} else if !allowed {
			return nil, "", ErrSecondStep
		}
	}
	if err := s.Passwords().check(ctx, owner, r.Password); err != nil {
		return nil, "", err
	}
	hash, err := s.Hasher.Hash(ctx, r.Password)
	if err != nil {
		return nil, "", err
	}
	now, trusted := s.Now(), identity.NotTrusted
	if !owner.TwoFactor && owner.HasWebAuthn {
		trusted = identity.TrustedByMail
	}
	ctx = audit.AsNamed(ctx, owner.Actor())
	deviceSecret, err = storage.Write(ctx, s.Database, func(ctx context.Context, tx bun.Tx) (string, error) {
		if err := s.LockWaysIn(ctx, tx, owner.ID); err != nil {
			return "", err
		}
		if err := useResetLink(ctx, tx, now, owner, r.Secret); err != nil {
			return "", err
		}
		if _, err := s.Sessions().RaiseVersion(ctx, tx, now, owner.ID, identity.EndedByPassword); err != nil {
			return "", err
		}
		if err := identity.VoidSecrets(ctx, tx, owner.ID, now); err != nil {
			return "", err
		}
		if err := s.removeWays(ctx, tx, now, r, owner.ID); err != nil {
			return "", err
		}
		deviceSecret, err := rememberDevice(ctx, tx, now, owner, r.Device, trusted)
		if err != nil {
			return "", err
		}
		if err := s.undoErasure(ctx, tx, now, owner, r.Device); err != nil {
			return "", err
		}
		return deviceSecret, s.Passwords().set(ctx, tx, now, owner, hash, "reset", nil)
	})
	if errors.Is(err, identity.ErrProof) {
		return nil, "", identity.ErrProof
	} else if err != nil {
		return nil, "", fmt.Errorf("reset password: %w", err)
	}
	return owner, deviceSecret, nil
}

// removeWays removes the ways in that the owner names, by what is there in the transaction.
func (s Resets) removeWays(
	ctx context.Context, tx bun.Tx, now time.Time, r NewPassword, userID uuid.UUID,
) error {
	ways, err := ownership.WithoutPassword(ctx, tx, userID)
	if err != nil {
		return err
	}
	doomed := slices.DeleteFunc(ways, func(way ownership.Way) bool { return !slices.Contains(r.Remove, way.Key()) })
	return ownership.Of(s.Store.Store).Remove(ctx, tx, now, userID, uuid.Nil, r.Device, doomed)
}

// useResetLink uses the link up: of several at once, one call gets it. A second factor that was added or removed since
// the owner was read makes it fail. It returns identity.ErrProof.
func useResetLink(ctx context.Context, tx bun.Tx, now time.Time, owner *identity.User, secret string) error {
	err := storage.OneRow(tx.NewUpdate().Model((*identity.PasswordResetToken)(nil)).Set("used_at = ?", now).
		Where("token_hash = ? AND used_at IS NULL AND expires_at > ?", storage.Digest(secret), now).
		Where("EXISTS (SELECT 1 FROM users WHERE id = ? AND two_factor = ?)", owner.ID, owner.TwoFactor).Exec(ctx))
	if errors.Is(err, storage.ErrNotFound) {
		return identity.ErrProof
	}
	return err
}
