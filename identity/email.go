package identity

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity/identifier"
	"github.com/wicket-id/wicket/identity/refusal"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

// Email is one of a person's e-mail addresses. Anyone may claim an address; one person can have verified it.
type Email struct {
	bun.BaseModel `bun:"table:emails,alias:email"`

	ID         uuid.UUID  `bun:"id,pk,type:uuid"`
	UserID     uuid.UUID  `bun:"user_id,type:uuid"`
	Address    string     `bun:"address"`
	AddressKey string     `bun:"address_key"` // Address as it is compared
	IsPrimary  bool       `bun:"is_primary"`
	VerifiedAt *time.Time `bun:"verified_at"`
	CreatedAt  time.Time  `bun:"created_at"`
	ModifiedAt time.Time  `bun:"modified_at"`
}

// What can be wrong with an e-mail address.
var (
	ErrEmailListed  = refusal.New("email.listed", "the person has this e-mail address already")
	ErrLastEmail    = refusal.New("email.last", "this is the last verified e-mail address")
	ErrPrimaryEmail = refusal.New("email.primary", "this is the primary e-mail address")
	// ErrEmailTooNew keeps an address for as long as its reader may say that a change was not theirs: whoever takes over
	// an account would else remove the owner's.
	ErrEmailTooNew = refusal.New(
		"email.too_new", "this e-mail address was verified or the primary one less than a week ago",
	)
	ErrTooManyEmails = refusal.New("email.limit", "a person has ten e-mail addresses at most")
	ErrEmailTaken    = refusal.New("email.taken", "this e-mail address belongs to another account")
)

const MaxEmails = 10 // of one person

// NewEmail is the row of an address that a person claims, or that is verified already. It returns ErrEmailInvalid.
func NewEmail(userID uuid.UUID, address string, verified bool, now time.Time) (*Email, error) {
	address = strings.TrimSpace(address)
	key, err := identifier.EmailKey(address)
	if err != nil {
		return nil, err
	}
	email := &Email{
		ID: storage.NewID(), UserID: userID, Address: address, AddressKey: key, CreatedAt: now, ModifiedAt: now,
	}
	if verified {
		email.VerifiedAt = &now
	}
	return email, nil
}

// Known is what an address says of its owner, for the rules about passwords.
func (e *Email) Known() []string {
	local, _, _ := strings.Cut(e.AddressKey, "@")
	return []string{local, e.AddressKey}
}

// Add claims another address for a person and sends a link there that verifies it. Whether somebody else has the
// address shows only to who can read what is sent there. It returns ErrEmailInvalid, ErrEmailListed where it is theirs
// already, ErrTooManyEmails or ErrTooManySendings.
func (s Emails) Add(ctx context.Context, by *Reauthenticated, address string) (*Email, error) {
	user := by.User
	now := s.Now()
	email, err := NewEmail(user.ID, address, false, now)
	if err != nil {
		return nil, err
	}
	for _, to := range []string{user.ID.String(), email.AddressKey} {
		if err := s.MaySend(ctx, MessageVerifyEmail, to); err != nil {
			return nil, err
		}
	}
	err = s.Phones().write(ctx, by, func(ctx context.Context, tx bun.Tx) error {
		held, err := tx.NewSelect().Model((*Email)(nil)).Where("user_id = ?", user.ID).Count(ctx)
		if err != nil {
			return err
		}
		if held >= MaxEmails {
			return ErrTooManyEmails
		}
		if _, err := tx.NewInsert().Model(email).Exec(ctx); err != nil {
			return err
		}
		if err := s.SendProof(ctx, tx, now, user, email); err != nil {
			return err
		}
		if err := s.TellOwner(
			ctx, tx, now, user, MessageEmailAdded, ProofNotMe, NotMeProofLifetime, &by.ID,
			map[string]string{"address": email.Address},
		); err != nil {
			return err
		}
		return audit.Record(ctx, tx, now, audit.Change{
			Entity: "email", EntityID: email.ID.String(), Action: "added", UserID: user.ID,
			New: audit.Values{"address": email.Address},
		})
	})
	switch {
	case storage.Violates(err, "address_key"):
		return nil, ErrEmailListed
	case errors.Is(err, ErrTooManyEmails):
		return nil, ErrTooManyEmails
	case err != nil:
		return nil, fmt.Errorf("add e-mail: %w", err)
	}
	return email, nil
}

// Resend sends the link for an address that is not verified once more; older links are void. It returns
// storage.ErrNotFound or ErrTooManySendings.
func (s Emails) Resend(ctx context.Context, by *Reauthenticated, emailID uuid.UUID) error {
	user := by.User
	email := new(Email)
	err := s.Database.Reader().NewSelect().Model(email).
		Where("id = ? AND user_id = ? AND verified_at IS NULL", emailID, user.ID).Scan(ctx)
	if err != nil {
		return storage.NotFound(err)
	}
	if err := s.MaySend(ctx, MessageVerifyEmail, email.AddressKey); err != nil {
		return err
	}
	return s.Phones().write(ctx, by, func(ctx context.Context, tx bun.Tx) error {
		return s.SendProof(ctx, tx, s.Now(), user, email)
	})
}

// SendProof sends the link that verifies an address, as part of tx.
func (s Emails) SendProof(ctx context.Context, tx bun.Tx, now time.Time, user *User, email *Email) error {
	_, err := tx.NewUpdate().Model((*Proof)(nil)).
		Set("used_at = ?", now).
		Where("email_id = ? AND used_at IS NULL", email.ID).Exec(ctx)
	if err != nil {
		return err
	}
	proof, secret := NewLink(user.ID, ProofOfEmail, emailProofLifetime, now)
	proof.EmailID = uuid.NullUUID{UUID: email.ID, Valid: true}
	if _, err := tx.NewInsert().Model(proof).Exec(ctx); err != nil {
		return err
	}
	return storage.Enqueue(ctx, s.Jobs, tx, s.Mail(MessageVerifyEmail, user, email.Address, secret, nil))
}

// MarkVerified notes that a person has brought back what was sent to an address, as part of tx: from now on it signs in
// and recovers. It fails where somebody else has verified the address meanwhile. The caller holds LockContacts.
func (s Emails) MarkVerified(ctx context.Context, tx bun.Tx, now time.Time, proof *Proof) (*Email, error) {
	email := new(Email)
	err := tx.NewUpdate().Model(email).Set("verified_at = ?", now).
		Set(
			"is_primary = NOT EXISTS (SELECT 1 FROM emails AS other WHERE other.user_id = ? AND other.is_primary AND other.id <> ?)",
			proof.UserID, proof.EmailID,
		).
		Where("id = ?", proof.EmailID).Returning("*").Scan(ctx)
	if err != nil {
		return nil, err
	}
	return email, audit.Record(ctx, tx, now, audit.Change{
		Entity: "email", EntityID: email.ID.String(), Action: "verified", UserID: proof.UserID,
		New: audit.Values{"address": email.Address},
	})
}

// MakePrimary makes a verified address the one that is written to and told to apps, or returns storage.ErrNotFound.
func (s Emails) MakePrimary(ctx context.Context, by *Reauthenticated, emailID uuid.UUID) error {
	userID := by.UserID
	return s.change(ctx, by, emailID, "made_primary", func(tx bun.Tx) error {
		if _, err := tx.NewUpdate().Model((*Email)(nil)).
			Set("is_primary = ?", false).
			Where("user_id = ? AND is_primary", userID).Exec(ctx); err != nil {
			return err
		}
		return storage.OneRow(tx.NewUpdate().Model((*Email)(nil)).
			Set("is_primary = ?", true).
			Where("id = ? AND user_id = ? AND verified_at IS NOT NULL", emailID, userID).Exec(ctx))
	})
}

// Remove drops an address. It returns ErrLastEmail for the last verified one, which is the way back in, ErrPrimaryEmail
// for the primary one, and ErrEmailTooNew.
func (s Emails) Remove(ctx context.Context, by *Reauthenticated, emailID uuid.UUID) error {
	userID := by.UserID
	return s.change(ctx, by, emailID, "removed", func(tx bun.Tx) error {
		var emails []Email
		if err := tx.NewSelect().Model(&emails).Where("user_id = ?", userID).Scan(ctx); err != nil {
			return err
		}
		verified := 0
		var doomed *Email
		for i := range emails {
			if emails[i].VerifiedAt != nil {
				verified++
			}
			if emails[i].ID == emailID {
				doomed = &emails[i]
			}
		}
		switch {
		case doomed == nil:
			return storage.ErrNotFound
		case doomed.VerifiedAt != nil && verified == 1:
			return ErrLastEmail
		case doomed.IsPrimary:
			return ErrPrimaryEmail
		case doomed.VerifiedAt != nil && s.Now().Sub(doomed.ModifiedAt) < NotMeProofLifetime:
			return ErrEmailTooNew
		}
		return storage.OneRow(tx.NewDelete().Model((*Email)(nil)).Where("id = ? AND user_id = ?", emailID, userID).Exec(ctx))
	})
}

// change changes something about a person's addresses and tells all of those that were verified before.
func (s Emails) change(
	ctx context.Context, by *Reauthenticated, emailID uuid.UUID, action string, change func(tx bun.Tx) error,
) error {
	now, userID := s.Now(), by.UserID
	return s.Phones().write(ctx, by, func(ctx context.Context, tx bun.Tx) error {
		if err := s.TellOwner(
			ctx, tx, now, by.User, MessageEmailsChanged, ProofNotMe, NotMeProofLifetime, &by.ID, nil,
		); err != nil {
			return err
		}
		if err := change(tx); err != nil {
			return err
		}
		return audit.Record(ctx, tx, now, audit.Change{
			Entity: "email", EntityID: emailID.String(), Action: action, UserID: userID,
		})
	})
}

// Primary returns a person's primary address, or nil where there is none.
func (s Emails) Primary(ctx context.Context, userID uuid.UUID) (*Email, error) {
	email := new(Email)
	err := storage.NotFound(s.Database.Reader().NewSelect().Model(email).
		Where("user_id = ? AND is_primary", userID).Scan(ctx))
	if errors.Is(err, storage.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("e-mail of %s: %w", userID, err)
	}
	return email, nil
}

// List lists a person's addresses: the primary one first, then by age.
func (s Emails) List(ctx context.Context, userID uuid.UUID) ([]Email, error) {
	var emails []Email
	err := s.Database.Reader().NewSelect().Model(&emails).
		Where("user_id = ?", userID).
		Order("is_primary DESC", "created_at").Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("e-mails of %s: %w", userID, err)
	}
	return emails, nil
}

// VerifiedPrimary returns the address that a person can be written to, or an empty one.
func VerifiedPrimary(ctx context.Context, db bun.IDB, userID uuid.UUID) (address string, err error) {
	err = db.NewSelect().Model((*Email)(nil)).Column("address").
		Where("user_id = ? AND verified_at IS NOT NULL", userID).
		Order("is_primary DESC", "created_at").
		Limit(1).Scan(ctx, &address)
	if errors.Is(storage.NotFound(err), storage.ErrNotFound) {
		return "", nil
	}
	return address, err
}
