package identity

import (
	"context"
	"errors"
	"fmt"
	"net/mail"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"
	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"

	"github.com/wicket-id/wicket/storage"
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
	ErrEmailInvalid = errors.New("this is not an e-mail address, such as name@example.com")
	ErrEmailTaken   = errors.New("this e-mail address belongs to another account")
)

const maxEmail = 254 // RFC 5321, section 4.5.3.1.3, less the angle brackets

// emailKey is the address as it is compared: normalised and in lower case, the domain in its ASCII form. Whether the
// local part minds case is the recipient's business by RFC 5321; in practice nobody's does, and two accounts that differ
// in case alone are an attack.
func emailKey(address string) (string, error) {
	parsed, err := mail.ParseAddress(address)
	if err != nil || parsed.Address != address || len(address) > maxEmail {
		return "", ErrEmailInvalid
	}
	at := strings.LastIndexByte(address, '@')
	domain, err := idna.Lookup.ToASCII(address[at+1:])
	if err != nil {
		return "", ErrEmailInvalid
	}
	return strings.ToLower(norm.NFC.String(address[:at])) + "@" + domain, nil
}

func newEmail(userID uuid.UUID, address string, verified bool, now time.Time) (*Email, error) {
	address = strings.TrimSpace(address)
	key, err := emailKey(address)
	if err != nil {
		return nil, err
	}
	email := &Email{ID: newID(), UserID: userID, Address: address, AddressKey: key, CreatedAt: now, ModifiedAt: now}
	if verified {
		email.VerifiedAt = &now
	}
	return email, nil
}

// PrimaryEmail returns a person's primary address, or nil where there is none.
func (s *Store) PrimaryEmail(ctx context.Context, userID uuid.UUID) (*Email, error) {
	email := new(Email)
	err := storage.NotFound(s.Database.Reader().NewSelect().Model(email).Where("user_id = ? AND is_primary", userID).Scan(ctx))
	if errors.Is(err, storage.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("e-mail of %s: %w", userID, err)
	}
	return email, nil
}
