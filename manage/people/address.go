package people

import (
	"context"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/identity/ownership"
	"github.com/wicket-id/wicket/manage"
)

// Address is an e-mail address or a phone number of a person.
type Address struct {
	ID        uuid.UUID `json:"id"`
	Address   string    `json:"address"`
	IsPrimary bool      `json:"is_primary"`
	Verified  bool      `json:"verified"`
}

// Addresses are the verbs about the e-mail addresses and phone numbers of people.
type Addresses struct{ *Store }

// Addresses are the verbs about the e-mail addresses and phone numbers of people.
func (s *Store) Addresses() Addresses { return Addresses{s} }

// List lists a person's e-mail addresses, and their phone numbers as E.164 writes them. It returns a
// *manage.ForbiddenError or storage.ErrNotFound.
func (s Addresses) List(
	ctx context.Context, by manage.Caller, userID uuid.UUID,
) (emails, phones []Address, err error) {
	if err := s.demandToRead(ctx, by, userID); err != nil {
		return nil, nil, err
	}
	mail, err := s.SignIns.Emails().List(ctx, userID)
	if err != nil {
		return nil, nil, err
	}
	for _, email := range mail {
		emails = append(emails, Address{email.ID, email.Address, email.IsPrimary, email.VerifiedAt != nil})
	}
	numbers, err := s.SignIns.Phones().List(ctx, userID)
	if err != nil {
		return nil, nil, err
	}
	for _, phone := range numbers {
		phones = append(phones, Address{phone.ID, phone.Number, phone.IsPrimary, phone.VerifiedAt != nil})
	}
	return emails, phones, nil
}

// NewEmail is an address that somebody gets.
type NewEmail struct {
	Address  string `json:"address" minLength:"1" maxLength:"254"`
	Verified bool   `json:"verified,omitempty" doc:"You know that it is theirs: they may sign in and recover the account by it. Left out, a mail lets them verify it."`
}

// Add gives somebody an address. One that is verified is a way into the account, and takes manage.RecoverUsers too. It
// returns a *manage.ForbiddenError, a *manage.StepUpError, or what ownership.Store.GiveEmail does.
func (s Addresses) Add(
	ctx context.Context, by manage.Caller, userID uuid.UUID, new NewEmail,
) (*Address, error) {
	if err := s.demandOver(ctx, by, manage.WriteUsers, userID); err != nil {
		return nil, err
	}
	if new.Verified {
		if err := s.demandOver(ctx, by, manage.RecoverUsers, userID); err != nil {
			return nil, err
		}
	}
	email, err := ownership.Of(s.SignIns.Store).GiveEmail(ctx, userID, new.Address, new.Verified)
	if err != nil {
		return nil, err
	}
	return &Address{email.ID, email.Address, email.IsPrimary, email.VerifiedAt != nil}, nil
}

// Remove takes an address from somebody. It returns a *manage.ForbiddenError, a *manage.StepUpError, or what
// ownership.Store.TakeEmail does.
func (s Addresses) Remove(ctx context.Context, by manage.Caller, userID, emailID uuid.UUID) error {
	if err := s.demandOver(ctx, by, manage.RecoverUsers, userID); err != nil {
		return err
	}
	return ownership.Of(s.SignIns.Store).TakeEmail(ctx, userID, emailID)
}

// MakePrimary makes a verified address of somebody's the one that is written to and told to apps. It returns a
// *manage.ForbiddenError, a *manage.StepUpError or storage.ErrNotFound.
func (s Addresses) MakePrimary(ctx context.Context, by manage.Caller, userID, emailID uuid.UUID) error {
	if err := s.demandOver(ctx, by, manage.RecoverUsers, userID); err != nil {
		return err
	}
	return ownership.Of(s.SignIns.Store).PreferEmail(ctx, userID, emailID)
}
