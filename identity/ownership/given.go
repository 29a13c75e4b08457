package ownership

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

// GiveEmail adds an address to somebody's account, as an administrator wishes: verified where the administrator answers
// for it, otherwise with a mail to it that lets the person verify it. The owner is told at the addresses that they
// have. It returns storage.ErrNotFound, identifier.ErrEmailInvalid, identity.ErrEmailListed, identity.ErrTooManyEmails,
// identity.ErrEmailTaken, or identity.ErrTooManySendings.
func (s Store) GiveEmail(
	ctx context.Context, userID uuid.UUID, address string, verified bool,
) (*identity.Email, error) {
	now := s.Now()
	email, err := identity.NewEmail(userID, address, verified, now)
	if err != nil {
		return nil, err
	}
	if !verified {
		if err := s.MaySend(ctx, identity.MessageVerifyEmail, email.AddressKey); err != nil {
			return nil, err
		}
	}
	given, err := storage.Write(ctx, s.Database, func(ctx context.Context, tx bun.Tx) (*identity.Email, error) {
		user, held, err := s.holder(ctx, tx, userID)
		if err != nil {
			return nil, err
		}
		switch {
		case slices.ContainsFunc(held, func(e identity.Email) bool { return e.AddressKey == email.AddressKey }):
			return nil, identity.ErrEmailListed
		case len(held) >= identity.MaxEmails:
			return nil, identity.ErrTooManyEmails
		}
		given := *email
		given.IsPrimary = verified && primaryOf(held) == nil
		if err := s.tell(ctx, tx, now, user, identity.MessageEmailAdded, given.Address); err != nil {
			return nil, err
		}
		if _, err := tx.NewInsert().Model(&given).Exec(ctx); err != nil {
			return nil, err
		}
		if !verified {
			if err := s.Emails().SendProof(ctx, tx, now, user, &given); err != nil {
				return nil, err
			}
		}
		return &given, audit.Record(ctx, tx, now, audit.Change{
			Entity: "email", EntityID: given.ID.String(), Action: "added", UserID: userID,
			New: audit.Values{"address": given.Address, "verified": verified},
		})
	})
	switch {
	case storage.Violates(err, "address"): // another account has verified it
		return nil, identity.ErrEmailTaken
	case err != nil:
		return nil, fmt.Errorf("give e-mail: %w", err)
	}
	return given, nil
}

// TakeEmail removes an address from somebody's account, as an administrator wishes; where it was the primary one, the
// oldest other that is verified takes its place. The owner is told, there too, and can take it back: so it returns
// identity.ErrEmailTooNew while no other address was verified before it or as long ago as that takes, or
// identity.ErrLastEmail where there is no other at all; and storage.ErrNotFound.
func (s Store) TakeEmail(ctx context.Context, userID, emailID uuid.UUID) error {
	return s.changeEmail(ctx, userID, emailID, "removed", func(
		ctx context.Context, tx bun.Tx, email *identity.Email, held []identity.Email,
	) error {
		if err := s.mayLose(email, held); err != nil {
			return err
		}
		if _, err := tx.NewDelete().Model(email).WherePK().Exec(ctx); err != nil {
			return err
		}
		if !email.IsPrimary {
			return nil
		}
		for i := range held {
			if held[i].ID != email.ID && held[i].VerifiedAt != nil {
				return setPrimary(ctx, tx, &held[i], true)
			}
		}
		return nil
	})
}

// mayLose returns an error where an address is the last way back into the account for its owner.
func (s Store) mayLose(doomed *identity.Email, held []identity.Email) error {
	if doomed.VerifiedAt == nil {
		return nil
	}
	refused := identity.ErrLastEmail
	for i := range held {
		if held[i].ID == doomed.ID || held[i].VerifiedAt == nil {
			continue
		}
		since := *held[i].VerifiedAt
		if !since.After(*doomed.VerifiedAt) || s.Now().Sub(since) >= identity.NotMeProofLifetime {
			return nil
		}
		refused = identity.ErrEmailTooNew
	}
	return refused
}

// PreferEmail makes a verified address of somebody's the primary one, as an administrator wishes. The owner is told. It
// returns storage.ErrNotFound, also for one that is not verified.
func (s Store) PreferEmail(ctx context.Context, userID, emailID uuid.UUID) error {
	return s.changeEmail(ctx, userID, emailID, "made_primary", func(
		ctx context.Context, tx bun.Tx, email *identity.Email, held []identity.Email,
	) error {
		if email.VerifiedAt == nil {
			return storage.ErrNotFound
		}
		if primary := primaryOf(held); primary != nil {
			if err := setPrimary(ctx, tx, primary, false); err != nil {
				return err
			}
		}
		return setPrimary(ctx, tx, email, true)
	})
}

// changeEmail changes something about an address of somebody's, and tells them.
func (s Store) changeEmail(
	ctx context.Context, userID, emailID uuid.UUID, action string,
	change func(ctx context.Context, tx bun.Tx, email *identity.Email, held []identity.Email) error,
) error {
	now := s.Now()
	err := s.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		user, held, err := s.holder(ctx, tx, userID)
		if err != nil {
			return err
		}
		for i := range held {
			if held[i].ID != emailID {
				continue
			}
			if err := s.tell(ctx, tx, now, user, identity.MessageEmailsChanged, ""); err != nil {
				return err
			}
			if err := change(ctx, tx, &held[i], held); err != nil {
				return err
			}
			return audit.Record(ctx, tx, now, audit.Change{
				Entity: "email", EntityID: emailID.String(), Action: action, UserID: userID,
				New: audit.Values{"address": held[i].Address},
			})
		}
		return storage.ErrNotFound
	})
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return fmt.Errorf("change e-mail: %w", err)
	}
	return err
}

// holder reads somebody with their addresses, the oldest first, and keeps others from changing these until the commit.
func (s Store) holder(
	ctx context.Context, tx bun.Tx, userID uuid.UUID,
) (user *identity.User, held []identity.Email, err error) {
	if err := s.LockContacts(ctx, tx, userID); err != nil {
		return nil, nil, err
	}
	user = new(identity.User)
	if err := tx.NewSelect().Model(user).Where("id = ?", userID).Scan(ctx); err != nil {
		return nil, nil, storage.NotFound(err)
	}
	err = tx.NewSelect().Model(&held).Where("user_id = ?", userID).Order("created_at", "id").Scan(ctx)
	return user, held, err
}

// tell tells somebody at their verified addresses what an administrator did, who may have been deceived: the link in it
// takes that back.
func (s Store) tell(
	ctx context.Context, tx bun.Tx, now time.Time, user *identity.User, message, address string,
) error {
	var values map[string]string
	if address != "" {
		values = map[string]string{"address": address}
	}
	return s.TellOwner(ctx, tx, now, user, message, identity.ProofNotMe, identity.NotMeProofLifetime, nil, values)
}

func primaryOf(held []identity.Email) *identity.Email {
	for i := range held {
		if held[i].IsPrimary {
			return &held[i]
		}
	}
	return nil
}

func setPrimary(ctx context.Context, tx bun.Tx, email *identity.Email, primary bool) error {
	return storage.OneRow(tx.NewUpdate().Model((*identity.Email)(nil)).Set("is_primary = ?", primary).
		Where("id = ?", email.ID).Exec(ctx))
}
