package identity

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/storage"
)

// Profile is what a person tells of themself: the standard claims of OpenID Connect Core, section 5.1, apart from e-mail
// and phone, which are rows of their own. An empty field was not told.
type Profile struct {
	bun.BaseModel `bun:"table:profiles,alias:profile"`

	UserID     uuid.UUID `bun:"user_id,pk,type:uuid"`
	Name       string    `bun:"name"`
	GivenName  string    `bun:"given_name"`
	FamilyName string    `bun:"family_name"`
	MiddleName string    `bun:"middle_name"`
	Nickname   string    `bun:"nickname"`
	Profile    string    `bun:"profile"`
	Picture    string    `bun:"picture"`
	Website    string    `bun:"website"`
	Gender     string    `bun:"gender"`
	Birthdate  string    `bun:"birthdate"`
	Zoneinfo   string    `bun:"zoneinfo"`
	Locale     string    `bun:"locale"`
	Address    *Address  `bun:"address,type:jsonb"`
	CreatedAt  time.Time `bun:"created_at"`
	ModifiedAt time.Time `bun:"modified_at"`
}

// Address is a postal address: OpenID Connect Core, section 5.1.1. The tags are those of its JSON column.
type Address struct {
	Formatted     string `json:"formatted,omitempty"`
	StreetAddress string `json:"street_address,omitempty"`
	Locality      string `json:"locality,omitempty"`
	Region        string `json:"region,omitempty"`
	PostalCode    string `json:"postal_code,omitempty"`
	Country       string `json:"country,omitempty"`
}

// Profile returns a person's profile, or storage.ErrNotFound.
func (s *Store) Profile(ctx context.Context, userID uuid.UUID) (*Profile, error) {
	profile := new(Profile)
	err := s.Database.Reader().NewSelect().Model(profile).Where("user_id = ?", userID).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("profile of %s: %w", userID, storage.NotFound(err))
	}
	return profile, nil
}
