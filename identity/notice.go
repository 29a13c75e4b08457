package identity

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/storage"
)

// What an owner is told of, and what they may do about it by the link in the email.

// TellOwner sends a mail to every verified address of an account, because whoever has taken over an account begins by
// changing the primary one. A link that proves that its reader is the owner is in those to the addresses that have long
// been theirs, each its own; in none to one that whoever took the account may have added. It goes with its address when
// that is removed.
func (s *Store) TellOwner(
	ctx context.Context, tx bun.Tx, now time.Time, user *User, message, purpose string, lifetime time.Duration,
	session *uuid.UUID, values map[string]string,
) error {
	var emails []Email
	err := tx.NewSelect().Model(&emails).
		Where("user_id = ? AND verified_at IS NOT NULL", user.ID).
		Order("is_primary DESC", "created_at").Scan(ctx)
	if err != nil {
		return err
	}
	proves := longHeld(emails, now)
	for _, email := range emails {
		var secret string
		if purpose != "" && proves(email) {
			var proof *Proof
			proof, secret = NewLink(user.ID, purpose, lifetime, now)
			proof.EmailID = uuid.NullUUID{UUID: email.ID, Valid: true}
			if session != nil {
				proof.SessionID = uuid.NullUUID{UUID: *session, Valid: true}
			}
			if _, err := tx.NewInsert().Model(proof).Exec(ctx); err != nil {
				return err
			}
		}
		if err := storage.Enqueue(ctx, s.Jobs, tx, s.Mail(message, user, email.Address, secret, values)); err != nil {
			return err
		}
	}
	return nil
}

// longHeld tells which of a person's verified addresses are older than the time in which an email about them can be
// answered; where none is, it is the oldest.
func longHeld(emails []Email, now time.Time) func(Email) bool {
	var oldest time.Time
	for _, email := range emails {
		if oldest.IsZero() || email.VerifiedAt.Before(oldest) {
			oldest = *email.VerifiedAt
		}
	}
	limit := now.Add(-NotMeProofLifetime)
	if oldest.After(limit) {
		limit = oldest
	}
	return func(email Email) bool { return !email.VerifiedAt.After(limit) }
}
