package identity

import (
	"context"
	"crypto/hmac"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity/identifier"
	"github.com/wicket-id/wicket/identity/refusal"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

// Phone is one of a person's phone numbers. Anyone may claim a number; one person can have verified it.
type Phone struct {
	bun.BaseModel `bun:"table:phones,alias:phone"`

	ID         uuid.UUID  `bun:"id,pk,type:uuid"`
	UserID     uuid.UUID  `bun:"user_id,type:uuid"`
	Number     string     `bun:"number"` // E.164
	IsPrimary  bool       `bun:"is_primary"`
	VerifiedAt *time.Time `bun:"verified_at"`
	CreatedAt  time.Time  `bun:"created_at"`
	ModifiedAt time.Time  `bun:"modified_at"`
}

// What can be wrong with a phone number.
var (
	ErrPhoneListed   = refusal.New("phone.listed", "the person has this phone number already")
	ErrPrimaryPhone  = refusal.New("phone.primary", "this is the primary phone number")
	ErrTooManyPhones = refusal.New("phone.limit", "a person has ten phone numbers at most")
	ErrPhoneTaken    = refusal.New("phone.taken", "this phone number belongs to another account")
)

const MaxPhones = 10 // of one person

// Add claims another number for a person and sends six digits there that verify it. Whether somebody else has the
// number shows only to who can read what is sent there. It returns ErrPhoneInvalid, ErrPhoneListed where it is theirs
// already, ErrTooManyPhones, or why no text message is sent: ErrNoTexts and its kin.
func (s Phones) Add(ctx context.Context, by *Reauthenticated, number string) (*Phone, error) {
	user := by.User
	number, err := identifier.PhoneNumber(number)
	if err != nil {
		return nil, err
	}
	if !identifier.IsPossiblePhone(number) {
		return nil, identifier.ErrPhoneInvalid
	}
	message, err := s.mayText(ctx, user, number)
	if err != nil {
		return nil, err
	}
	now := s.Now()
	phone := &Phone{ID: storage.NewID(), UserID: user.ID, Number: number, CreatedAt: now, ModifiedAt: now}
	err = s.write(ctx, by, func(ctx context.Context, tx bun.Tx) error {
		held, err := tx.NewSelect().Model((*Phone)(nil)).Where("user_id = ?", user.ID).Count(ctx)
		if err != nil {
			return err
		}
		if held >= MaxPhones {
			return ErrTooManyPhones
		}
		if _, err := tx.NewInsert().Model(phone).Exec(ctx); err != nil {
			return err
		}
		if err := s.sendCode(ctx, tx, now, user, phone, message); err != nil {
			return err
		}
		if err := s.TellOwner(
			ctx, tx, now, user, MessagePhoneAdded, ProofNotMe, NotMeProofLifetime, &by.ID, map[string]string{"number": number},
		); err != nil {
			return err
		}
		return audit.Record(ctx, tx, now, phone.change("added"))
	})
	message.countRefused(ctx, err)
	if storage.Violates(err, "number") {
		return nil, ErrPhoneListed
	}
	if known := refusal.OneOf(err, ErrTooManyPhones, ErrTooManyTexts, ErrTextsExhausted); known != nil {
		return nil, known
	}
	if err != nil {
		return nil, fmt.Errorf("add phone: %w", err)
	}
	return phone, nil
}

// Resend sends another code for a number that is not verified; older ones are void. It returns
// storage.ErrNotFound, or why no text message is sent: ErrNoTexts and its kin.
func (s Phones) Resend(ctx context.Context, by *Reauthenticated, phoneID uuid.UUID) error {
	user := by.User
	phone := new(Phone)
	err := s.Database.Reader().NewSelect().Model(phone).
		Where("id = ? AND user_id = ? AND verified_at IS NULL", phoneID, user.ID).Scan(ctx)
	if err != nil {
		return storage.NotFound(err)
	}
	message, err := s.mayText(ctx, user, phone.Number)
	if err != nil {
		return err
	}
	now := s.Now()
	err = s.write(ctx, by, func(ctx context.Context, tx bun.Tx) error {
		// It may have been verified or removed meanwhile.
		exists, err := tx.NewSelect().Model((*Phone)(nil)).Where("id = ? AND verified_at IS NULL", phoneID).Exists(ctx)
		if err != nil {
			return err
		}
		if !exists {
			return storage.ErrNotFound
		}
		if err := s.sendCode(ctx, tx, now, user, phone, message); err != nil {
			return err
		}
		return audit.Record(ctx, tx, now, phone.change("code_sent"))
	})
	message.countRefused(ctx, err)
	return err
}

func (s Phones) sendCode(
	ctx context.Context, tx bun.Tx, now time.Time, user *User, phone *Phone, message *text,
) error {
	if err := s.takeText(ctx, tx, now, message); err != nil {
		return err
	}
	_, err := tx.NewUpdate().Model((*Proof)(nil)).
		Set("used_at = ?", now).
		Where("phone_id = ? AND used_at IS NULL", phone.ID).Exec(ctx)
	if err != nil {
		return err
	}
	proof, code := s.newCode(user.ID, proofOfPhone, phoneProofLifetime, now)
	proof.PhoneID = uuid.NullUUID{UUID: phone.ID, Valid: true}
	if _, err := tx.NewInsert().Model(proof).Exec(ctx); err != nil {
		return err
	}
	return storage.Enqueue(ctx, s.Jobs, tx, s.text(MessageVerifyPhone, user, phone.Number, code, proof.ExpiresAt))
}

// Verify takes the six digits that were sent to a number: from now on it signs in. It returns ErrProof where they
// are wrong, used, older than ten minutes or tried too often, or ErrPhoneTaken where somebody else has verified the
// number meanwhile. What cannot be a code costs no try.
func (s Phones) Verify(ctx context.Context, by *Reauthenticated, phoneID uuid.UUID, code string) (*Phone, error) {
	code = strings.Join(strings.Fields(code), "") // people type "123 456"
	if !sixDigits.MatchString(code) {
		return nil, ErrProof
	}
	now := s.Now()
	phone, err := storage.Write(ctx, s.Database, func(ctx context.Context, tx bun.Tx) (*Phone, error) {
		if err := s.begin(ctx, tx, by); err != nil {
			return nil, err
		}
		proof, right, err := s.tryCode(ctx, tx, now, by.User.ID, phoneID, code)
		if err != nil {
			return nil, err
		}
		if proof == nil {
			return nil, ErrProof
		}
		phone := new(Phone)
		if err := tx.NewSelect().Model(phone).Where("id = ?", phoneID).Scan(ctx); err != nil {
			return nil, err
		}
		refuse := func(action string, reason error) error {
			if err := audit.Record(ctx, tx, now, phone.change(action)); err != nil {
				return err
			}
			return storage.Refuse(reason)
		}
		if !right {
			return nil, refuse("code_refused", ErrProof)
		}
		// Asked beforehand, for a violation would undo that the code was used. The lock makes the answer stay true.
		if err := s.Database.Lock(ctx, tx, "phone "+phone.Number); err != nil {
			return nil, err
		}
		taken, err := tx.NewSelect().Model((*Phone)(nil)).
			Where("number = ? AND verified_at IS NOT NULL AND id <> ?", phone.Number, phoneID).Exists(ctx)
		if err != nil {
			return nil, err
		}
		if taken {
			return nil, refuse("refused_as_taken", ErrPhoneTaken)
		}
		err = tx.NewUpdate().Model(phone).Set("verified_at = ?", now).
			Set(
				"is_primary = NOT EXISTS (SELECT 1 FROM phones AS other WHERE other.user_id = ? AND other.is_primary AND other.id <> ?)",
				by.User.ID, phoneID,
			).
			Where("id = ?", phoneID).Returning("*").Scan(ctx)
		if err != nil {
			return nil, err
		}
		return phone, audit.Record(ctx, tx, now, phone.change("verified"))
	})
	if known := refusal.OneOf(err, ErrProof, ErrPhoneTaken); known != nil {
		return nil, known
	} else if err != nil {
		return nil, fmt.Errorf("verify phone: %w", err)
	}
	return phone, nil
}

var sixDigits = regexp.MustCompile(`^[0-9]{6}$`)

// tryCode counts a try at the code that was sent to a phone, and uses the code up if it is right. It returns no proof
// where there is none to try at. The count is one conditional update, so that parallel tries are not more than the
// allowed ones.
func (s Phones) tryCode(
	ctx context.Context, tx bun.Tx, now time.Time, userID, phoneID uuid.UUID, code string,
) (proof *Proof, right bool, err error) {
	proof = new(Proof)
	err = tx.NewUpdate().Model(proof).Set("tries = tries + 1").
		Where(
			"phone_id = ? AND user_id = ? AND purpose = ? AND used_at IS NULL AND expires_at > ? AND tries < ?", phoneID, userID,
			proofOfPhone, now, maxCodeTries,
		).
		Returning("*").Scan(ctx)
	if errors.Is(storage.NotFound(err), storage.ErrNotFound) {
		return nil, false, nil
	} else if err != nil {
		return nil, false, err
	}
	for _, candidate := range s.codeHashes(proof.ID, code) { // the master key may have been changed since
		right = hmac.Equal(candidate, proof.SecretHash) || right
	}
	if !right {
		return proof, false, nil
	}
	_, err = tx.NewUpdate().Model(proof).
		Set("used_at = ?", now).
		Set("used_ip = ?", audit.ActorOf(ctx).IP).
		WherePK().Exec(ctx)
	return proof, true, err
}

// MakePrimary makes a verified number the one that is told to apps, or returns storage.ErrNotFound.
func (s Phones) MakePrimary(ctx context.Context, by *Reauthenticated, phoneID uuid.UUID) error {
	now, userID := s.Now(), by.UserID
	return s.write(ctx, by, func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.NewUpdate().Model((*Phone)(nil)).
			Set("is_primary = ?", false).
			Where("user_id = ? AND is_primary", userID).Exec(ctx); err != nil {
			return err
		}
		phone := new(Phone)
		err := tx.NewUpdate().Model(phone).
			Set("is_primary = ?", true).
			Where("id = ? AND user_id = ? AND verified_at IS NOT NULL", phoneID, userID).
			Returning("*").Scan(ctx)
		if err != nil {
			return storage.NotFound(err)
		}
		return audit.Record(ctx, tx, now, phone.change("made_primary"))
	})
}

// Remove drops a number. It returns storage.ErrNotFound, or ErrPrimaryPhone for the primary one while another
// verified one could take its place. The last one may go: a phone is not the way back into an account, and a person who
// has given theirs away must be able to say so.
func (s Phones) Remove(ctx context.Context, by *Reauthenticated, phoneID uuid.UUID) error {
	now, userID := s.Now(), by.UserID
	return s.write(ctx, by, func(ctx context.Context, tx bun.Tx) error {
		phone := new(Phone)
		if err := tx.NewSelect().Model(phone).Where("id = ? AND user_id = ?", phoneID, userID).Scan(ctx); err != nil {
			return storage.NotFound(err)
		}
		if phone.IsPrimary {
			another, err := tx.NewSelect().Model((*Phone)(nil)).
				Where("user_id = ? AND verified_at IS NOT NULL AND id <> ?", userID, phoneID).Exists(ctx)
			if err != nil {
				return err
			}
			if another {
				return ErrPrimaryPhone
			}
		}
		if err := storage.OneRow(tx.NewDelete().Model(phone).WherePK().Exec(ctx)); err != nil {
			return err
		}
		change := phone.change("removed")
		change.Old, change.New = change.New, nil
		return audit.Record(ctx, tx, now, change)
	})
}

// write is a transaction of a session on its person's addresses or phones: the rules look at several rows.
func (s Phones) write(
	ctx context.Context, by *Reauthenticated, do func(ctx context.Context, tx bun.Tx) error,
) error {
	return s.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		if err := s.begin(ctx, tx, by); err != nil {
			return err
		}
		return do(ctx, tx)
	})
}

// begin is how a transaction of a session on its person's addresses or phones begins.
func (s Phones) begin(ctx context.Context, tx bun.Tx, by *Reauthenticated) error {
	if err := s.LockContacts(ctx, tx, by.UserID); err != nil {
		return err
	}
	return by.Stands(ctx, tx)
}

// change is an entry of the audit trail.
func (p *Phone) change(action string) audit.Change {
	return audit.Change{
		Entity: "phone", EntityID: p.ID.String(), Action: action, UserID: p.UserID, New: audit.Values{"number": p.Number},
	}
}

// List lists a person's numbers: the primary one first, then by age.
func (s Phones) List(ctx context.Context, userID uuid.UUID) ([]Phone, error) {
	var phones []Phone
	err := s.Database.Reader().NewSelect().Model(&phones).
		Where("user_id = ?", userID).
		Order("is_primary DESC", "created_at", "id").Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("phones of %s: %w", userID, err)
	}
	return phones, nil
}
