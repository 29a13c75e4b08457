package identity

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

// What an owner is told of, and what they may do about it by the link in the letter.

// tellOwner sends a mail to every verified address of an account, because whoever has taken over an account begins by changing
// the primary one. A link that proves that its reader is the owner is in those to the addresses that have long been
// theirs, each its own; in none to one that whoever took the account may have added. It goes with its address when that is
// removed.
func (s *Store) tellOwner(ctx context.Context, tx bun.Tx, now time.Time, user *User, message, purpose string, lifetime time.Duration, session *uuid.UUID, values map[string]string) error {
	var emails []Email
	err := tx.NewSelect().Model(&emails).Where("user_id = ? AND verified_at IS NOT NULL", user.ID).Order("is_primary DESC", "created_at").Scan(ctx)
	if err != nil {
		return err
	}
	proves := longHeld(emails, now)
	for _, email := range emails {
		var secret string
		if purpose != "" && proves(email) {
			var proof *Proof
			proof, secret = newLink(user.ID, purpose, lifetime, now)
			proof.EmailID = uuid.NullUUID{UUID: email.ID, Valid: true}
			if session != nil {
				proof.SessionID = uuid.NullUUID{UUID: *session, Valid: true}
			}
			if _, err := tx.NewInsert().Model(proof).Exec(ctx); err != nil {
				return err
			}
		}
		if err := storage.Enqueue(ctx, s.Jobs, tx, s.mail(message, user, email.Address, secret, values)); err != nil {
			return err
		}
	}
	return nil
}

// longHeld tells which of a person's verified addresses are older than a letter about them can be answered; where none is, it is the
// oldest.
func longHeld(emails []Email, now time.Time) func(Email) bool {
	var oldest time.Time
	for _, email := range emails {
		if oldest.IsZero() || email.VerifiedAt.Before(oldest) {
			oldest = *email.VerifiedAt
		}
	}
	limit := now.Add(-notMeProofLifetime)
	if oldest.After(limit) {
		limit = oldest
	}
	return func(email Email) bool { return !email.VerifiedAt.After(limit) }
}

// distrustLaterEmails takes the account's addresses back to what they were when they had long been the owner's: those verified
// since are not verified any more, and the address that the owner answers from is the primary one.
func distrustLaterEmails(ctx context.Context, tx bun.Tx, proof *Proof) error {
	_, err := tx.NewUpdate().Model((*Email)(nil)).Set("is_primary = ?", false).Where("user_id = ? AND is_primary AND id <> ?", proof.UserID, proof.EmailID).Exec(ctx)
	if err != nil {
		return err
	}
	_, err = tx.NewUpdate().Model((*Email)(nil)).Set("verified_at = NULL").
		Where("user_id = ? AND verified_at > ? AND id <> ?", proof.UserID, proof.CreatedAt.Add(-notMeProofLifetime), proof.EmailID).Exec(ctx)
	if err != nil {
		return err
	}
	_, err = tx.NewUpdate().Model((*Email)(nil)).Set("is_primary = ?", true).Where("id = ?", proof.EmailID).Exec(ctx)
	return err
}

// Unlock opens an account that wrong passwords have locked, by the link that its owner got. It returns ErrProof.
func (s *Store) Unlock(ctx context.Context, secret string) error {
	return s.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		now := s.Now()
		proof, err := useLink(ctx, tx, proofToUnlock, secret, now)
		if err != nil {
			return err
		}
		_, err = tx.NewUpdate().Model((*User)(nil)).Set("failed_login_attempts = 0").Set("locked_until = NULL").Where("id = ?", proof.UserID).Exec(ctx)
		if err != nil {
			return err
		}
		return audit.Record(ctx, tx, now, audit.Change{Entity: "user", EntityID: proof.UserID.String(), Action: "unlocked", UserID: proof.UserID, New: audit.Values{"by": "mailed link"}})
	})
}

// NotMe is the answer of an owner who is told of a sign-in that was not theirs: every session and token is void at once,
// the password and what was registered since with it, and the way to a new one is open. It returns the secret of a password reset, or ErrProof.
func (s *Store) NotMe(ctx context.Context, secret string) (resetSecret string, err error) {
	return storage.Write(ctx, s.Database, func(ctx context.Context, tx bun.Tx) (string, error) {
		now := s.Now()
		proof, err := useLink(ctx, tx, proofNotMe, secret, now)
		if err != nil {
			return "", err
		}
		if _, err := s.signOutEverywhere(ctx, tx, now, proof.UserID, EndedByNotMe); err != nil {
			return "", err
		}
		if err := voidSecrets(ctx, tx, proof.UserID, now); err != nil {
			return "", err
		}
		if err := distrustLaterEmails(ctx, tx, proof); err != nil {
			return "", err
		}
		if err := s.distrustExternalAccounts(ctx, tx, now, proof); err != nil {
			return "", err
		}
		// Nor is what they signed in with since the letter was written the owner's.
		removed, err := removeFactors(ctx, tx, proof.UserID, proof.CreatedAt)
		if err != nil {
			return "", err
		}
		// Whoever it was knows the password, and may have asked for the end of the account.
		if _, err := tx.NewUpdate().Model((*User)(nil)).Set("password_hash = NULL").Set("erase_at = NULL").Where("id = ?", proof.UserID).Exec(ctx); err != nil {
			return "", err
		}
		token, resetSecret := newResetToken(ctx, proof.UserID, now)
		if _, err := tx.NewInsert().Model(token).Exec(ctx); err != nil {
			return "", err
		}
		return resetSecret, audit.Record(ctx, tx, now, audit.Change{
			Entity: "user", EntityID: proof.UserID.String(), Action: "disowned_sign_in", UserID: proof.UserID,
			New: audit.Values{"session": proof.SessionID.UUID.String()}, Old: countValues(removed),
		})
	})
}
