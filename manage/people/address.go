package people

import (
	"context"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/manage"
)

// Address is an e-mail address or a phone number of a person.
type Address struct {
	ID        uuid.UUID `json:"id"`
	Address   string    `json:"address"`
	IsPrimary bool      `json:"is_primary"`
	Verified  bool      `json:"verified"`
}

// Addresses lists a person's e-mail addresses, and their phone numbers as E.164 writes them. It returns a
// *manage.ForbiddenError or storage.ErrNotFound.
func (s *Store) Addresses(
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
