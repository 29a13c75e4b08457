package signin

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/storage"
)

// Verification is what the link would do that was sent to an e-mail address: the address would belong to the account.
type Verification struct {
	Address  string
	Username string
	UserID   uuid.UUID // in whose session alone the link works
	First    bool      // the account has no verified address yet
	// the person has no password, so that nothing but the Ways signs them in
	NoPassword bool

	// Ways are what else signs in to the account, where this is its first address: whoever made the account may have
	// typed an address that is not theirs, so that only those stay which its owner knows.
	Ways []OtherWay `bun:"-"`
}

// Open tells what a link would verify. It does not use the link up. It returns identity.ErrProof.
func (s Verifications) Open(ctx context.Context, secret string) (*Verification, error) {
	found := new(Verification)
	err := s.Database.Reader().NewSelect().Model((*identity.Proof)(nil)).
		ColumnExpr(`email.address, "user".username, "user".id AS user_id, "user".password_hash IS NULL AS no_password`).
		ColumnExpr("NOT EXISTS (?) AS first", verifiedEmails(s.Database.Reader(), bun.Ident("user.id"))).
		Join("JOIN emails AS email ON email.id = proof.email_id").
		Join(`JOIN users AS "user" ON "user".id = proof.user_id`).
		Where("proof.secret_hash = ? AND proof.purpose = ?", storage.Digest(secret), identity.ProofOfEmail).
		Where("proof.used_at IS NULL AND proof.expires_at > ?", s.Now()).
		Scan(ctx, found)
	if errors.Is(storage.NotFound(err), storage.ErrNotFound) {
		return nil, identity.ErrProof
	} else if err != nil {
		return nil, fmt.Errorf("verify e-mail: %w", err)
	}
	if found.First {
		found.Ways, err = otherWays(ctx, s.Store, found.UserID)
	}
	return found, err
}

// Finish takes the link in a session of the account: from now on the address signs in and recovers. Where it is the
// account's first, every other session ends, and so does what else signs in, unless keep holds its id, or it is the
// linked account that the session came by. It returns identity.ErrProof, also where the link is another account's,
// identity.ErrSessionEnded, or identity.ErrEmailTaken where another account has verified the address meanwhile.
func (s Verifications) Finish(
	ctx context.Context, by *identity.Session, secret string, keep []uuid.UUID,
) (*identity.Email, error) {
	now := s.Now()
	email, err := storage.Write(ctx, s.Database, func(ctx context.Context, tx bun.Tx) (*identity.Email, error) {
		if err := s.LockWaysIn(ctx, tx, by.UserID); err != nil {
			return nil, err
		}
		if err := s.LockContacts(ctx, tx, by.UserID); err != nil {
			return nil, err
		}
		if err := by.Stands(ctx, tx); err != nil {
			return nil, err
		}
		proof, err := identity.UseLink(ctx, tx, identity.ProofOfEmail, secret, now)
		if err != nil {
			return nil, err
		}
		if proof.UserID != by.UserID {
			return nil, identity.ErrProof
		}
		verified, err := verifiedEmails(tx, by.UserID).Exists(ctx)
		if err != nil {
			return nil, err
		}
		if !verified {
			if err := s.endWhatWasBefore(ctx, tx, by, keep); err != nil {
				return nil, err
			}
		}
		return s.Emails().MarkVerified(ctx, tx, now, proof)
	})
	switch {
	case storage.Violates(err, "address"):
		return nil, identity.ErrEmailTaken
	case errors.Is(err, identity.ErrProof), errors.Is(err, identity.ErrSessionEnded):
		return nil, err
	case err != nil:
		return nil, fmt.Errorf("verify e-mail: %w", err)
	}
	return email, nil
}

// endWhatWasBefore ends what somebody else may have left behind who made the account with an address of others.
func (s Verifications) endWhatWasBefore(
	ctx context.Context, tx bun.Tx, by *identity.Session, keep []uuid.UUID,
) error {
	now := s.Now()
	var origin identity.Session
	if err := tx.NewSelect().Model(&origin).Column("external_account_id").Where("id = ?", by.ID).Scan(ctx); err != nil {
		return err
	}
	keep = append([]uuid.UUID{origin.ExternalAccountID.UUID}, keep...)
	if err := removeWays(ctx, tx, now, by.UserID, by.ID, noneOf(keep)); err != nil {
		return err
	}
	others := func(q *bun.UpdateQuery) *bun.UpdateQuery { return q.Where("id <> ?", by.ID) }
	_, err := identity.EndSessions(ctx, tx, now, by.UserID, identity.EndedByVerifying, others)
	return err
}

// verifiedEmails is the query for the verified addresses of a person: an id, or the column that holds one.
func verifiedEmails(db bun.IDB, userID any) *bun.SelectQuery {
	return db.NewSelect().Model((*identity.Email)(nil)).ModelTableExpr("emails AS verified").
		ColumnExpr("1").
		Where("verified.user_id = ? AND verified.verified_at IS NOT NULL", userID)
}
