package ownership

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/factor"
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
}

// OpenVerification tells what a link would verify. It does not use the link up. It returns identity.ErrProof.
func (s Store) OpenVerification(ctx context.Context, secret string) (*Verification, error) {
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
	return found, nil
}

// WaysBefore lists what else signs in to the account, where this is its first address: whoever made the account may
// have typed an address that is not theirs, so that only those stay which its owner knows. What the session on that
// device came by, or has added, is not among them.
func (s Store) WaysBefore(
	ctx context.Context, v *Verification, in *identity.Session, device identity.Device,
) ([]Way, error) {
	if !v.First {
		return nil, nil
	}
	ways, err := foreign(ctx, s.Database.Reader(), in.ID, device)
	if err != nil {
		return nil, fmt.Errorf("verify e-mail: %w", err)
	}
	return ways, nil
}

// Verify takes the link in a session of the account, on that device: from now on the address signs in and recovers.
// Where it is the account's first, every other session ends, and so does what else signs in, unless keep holds its key,
// or the session came by it or has added it; a mail to the address says what went. It returns identity.ErrProof, also
// where the link is another account's, identity.ErrSessionEnded, or identity.ErrEmailTaken where another account has
// verified the address meanwhile.
func (s Store) Verify(
	ctx context.Context, by *identity.Reauthenticated, device identity.Device, secret string, keep []string,
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
		email, err := s.Emails().MarkVerified(ctx, tx, now, proof)
		if err != nil || verified {
			return email, err
		}
		return email, s.endWhatWasBefore(ctx, tx, by, device, email, keep)
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

// endWhatWasBefore ends what somebody else may have left behind who made the account with an address of others, and
// tells its owner.
func (s Store) endWhatWasBefore(
	ctx context.Context, tx bun.Tx, by *identity.Reauthenticated, device identity.Device, email *identity.Email,
	keep []string,
) error {
	now := s.Now()
	ways, err := foreign(ctx, tx, by.ID, device)
	if err != nil {
		return err
	}
	doomed := slices.DeleteFunc(ways, func(way Way) bool { return slices.Contains(keep, way.Key()) })
	if err := s.Remove(ctx, tx, now, by.UserID, by.ID, device, doomed); err != nil {
		return err
	}
	others := func(q *bun.UpdateQuery) *bun.UpdateQuery { return q.Where("id <> ?", by.ID) }
	if _, err := s.Sessions().EndThose(ctx, tx, now, by.UserID, identity.EndedByVerifying, others); err != nil {
		return err
	}
	if len(doomed) == 0 {
		return nil
	}
	removed := make([]factor.Entry, len(doomed))
	for i, way := range doomed {
		removed[i] = way.Entry
	}
	values := map[string]string{"factors": factor.EntriesValue(removed)}
	return storage.Enqueue(ctx, s.Jobs, tx, s.Mail(identity.MessageWaysRemoved, by.User, email.Address, "", values))
}

// verifiedEmails is the query for the verified addresses of a person: an id, or the column that holds one.
func verifiedEmails(db bun.IDB, userID any) *bun.SelectQuery {
	return db.NewSelect().Model((*identity.Email)(nil)).ModelTableExpr("emails AS verified").
		ColumnExpr("1").
		Where("verified.user_id = ? AND verified.verified_at IS NOT NULL", userID)
}
