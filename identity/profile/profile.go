// Package profile is what a person tells of themself, and the rules for it. Begin with Profile and Store.
package profile

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/uptrace/bun"
	"golang.org/x/text/language"

	"github.com/wicket-id/wicket/identity/refusal"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

// Profile is what a person tells of themself: the standard claims of OpenID Connect Core, section 5.1, apart from
// e-mail and phone, which are rows of their own. An empty field was not told.
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

// What can be wrong with a field of a profile, besides its length.
var (
	ErrURLInvalid       = refusal.New("profile.url", "not a web address, such as https://example.com/me")
	ErrBirthdateInvalid = refusal.New(
		"profile.birthdate", "a date of birth is YYYY, YYYY-MM-DD, or 0000-MM-DD without the year",
	)
	ErrBirthdateFuture = refusal.New("profile.birthdate_future", "the date of birth is in the future")
	ErrZoneinfoInvalid = refusal.New("profile.zoneinfo", "not a known time zone, such as Europe/Berlin")
	ErrLocaleInvalid   = refusal.New("profile.locale", "not a known language, such as en or de-CH")
)

const (
	MaxName         = 200 // characters, as all of these
	maxProfileWord  = 100
	maxProfileURL   = 2000
	maxZoneinfo     = 64
	maxLocale       = 35 // RFC 5646, section 4.4.1
	maxAddressLine  = 200
	maxAddressLines = 500
)

// Field is a part of a profile that a person can change, under the name of its claim.
type Field struct {
	Name  string
	Value *string // into the profile
	rule  func(string) (string, error)
}

// Fields returns the parts of a profile that a person can change, those of the address among them; an address that is
// missing is made for it.
func (p *Profile) Fields() []Field {
	if p.Address == nil {
		p.Address = new(Address)
	}
	return []Field{
		{"name", &p.Name, OneLine(MaxName)},
		{"given_name", &p.GivenName, OneLine(maxProfileWord)},
		{"middle_name", &p.MiddleName, OneLine(maxProfileWord)},
		{"family_name", &p.FamilyName, OneLine(maxProfileWord)},
		{"nickname", &p.Nickname, OneLine(maxProfileWord)},
		{"gender", &p.Gender, OneLine(maxProfileWord)},
		{"birthdate", &p.Birthdate, birthdate},
		{"profile", &p.Profile, webAddress},
		{"picture", &p.Picture, webAddress},
		{"website", &p.Website, webAddress},
		{"locale", &p.Locale, locale},
		{"zoneinfo", &p.Zoneinfo, zoneinfo},
		{"formatted", &p.Address.Formatted, lines(maxAddressLines)},
		{"street_address", &p.Address.StreetAddress, lines(maxAddressLines)},
		{"postal_code", &p.Address.PostalCode, OneLine(maxProfileWord)},
		{"locality", &p.Address.Locality, OneLine(maxAddressLine)},
		{"region", &p.Address.Region, OneLine(maxAddressLine)},
		{"country", &p.Address.Country, OneLine(maxAddressLine)},
	}
}

// OneLine is the rule for one line of text: characters that can be read, at most so many.
func OneLine(most int) func(string) (string, error) {
	return func(text string) (string, error) {
		if !isText(text, most) || strings.ContainsRune(text, '\n') {
			return "", refusal.NewWith(
				"profile.line", fmt.Sprintf("this must be one line of text, at most %d characters", most),
				refusal.Params{"Max": most},
			)
		}
		return text, nil
	}
}

// lines is the rule for text of several lines. Browsers end a line with CR and LF; LF is kept.
func lines(most int) func(string) (string, error) {
	return func(text string) (string, error) {
		text = strings.ReplaceAll(text, "\r\n", "\n")
		if !isText(text, most) {
			return "", refusal.NewWith(
				"profile.text", fmt.Sprintf("this must be text, at most %d characters", most), refusal.Params{"Max": most},
			)
		}
		return text, nil
	}
}

// isText tells whether text is UTF-8 of at most so many characters, without control characters but the line feed: NUL,
// which PostgreSQL does not take, is one of them.
func isText(text string, most int) bool {
	return utf8.ValidString(text) && utf8.RuneCountInString(text) <= most &&
		!strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) && r != '\n' })
}

// webAddress is the rule for links. Apps show them to other people, so no other scheme gets through, and nothing that
// looks like another host.
func webAddress(text string) (string, error) {
	if !isText(text, maxProfileURL) || strings.ContainsFunc(text, unicode.IsSpace) {
		return "", ErrURLInvalid
	}
	address, err := url.Parse(text)
	if err != nil || address.Scheme != "https" && address.Scheme != "http" || address.Hostname() == "" ||
		address.User != nil {
		return "", ErrURLInvalid
	}
	return text, nil
}

// birthdate is the rule of OpenID Connect Core, section 5.1: a day, a year alone, or a day of the year 0000, which is
// left out. Whether a day has come yet depends on where one is; see clean.
func birthdate(text string) (string, error) {
	if _, err := time.Parse(time.DateOnly, text); err == nil {
		return text, nil
	}
	if _, err := time.Parse("2006", text); err != nil || text == "0000" {
		return "", ErrBirthdateInvalid
	}
	return text, nil
}

// zoneinfo is a name of the IANA database; "Local", which Go would take, is none.
func zoneinfo(text string) (string, error) {
	if _, err := time.LoadLocation(text); err != nil || len(text) > maxZoneinfo || text == "Local" {
		return "", ErrZoneinfoInvalid
	}
	return text, nil
}

// locale is a language tag of BCP 47, which is kept in its usual spelling: de-CH for de_ch.
func locale(text string) (string, error) {
	if len(text) > maxLocale {
		return "", ErrLocaleInvalid
	}
	tag, err := language.Raw.Parse(text)
	if err != nil || tag == language.Und {
		return "", ErrLocaleInvalid
	}
	return tag.String(), nil
}

// Clean brings every field into the form that is kept, or says what is wrong with which.
func (p *Profile) Clean(now time.Time) error {
	faults := make(refusal.FieldFaults)
	for _, field := range p.Fields() {
		text := strings.TrimSpace(*field.Value)
		if text != "" {
			var err error
			text, err = field.rule(text)
			faults.Add(field.Name, err)
		}
		*field.Value = text
	}
	// Somewhere on earth it is tomorrow already. Both forms are in the order of time.
	if p.Birthdate > now.Add(14*time.Hour).Format(time.DateOnly) {
		faults["birthdate"] = ErrBirthdateFuture
	}
	if len(faults) > 0 {
		return faults
	}
	return nil
}

// Store keeps profiles; set both fields.
type Store struct {
	Database *storage.Database
	Now      func() time.Time // UTC, to the microsecond
}

// Update changes what a person tells of themself to what told says, fields that are empty included. It returns
// refusal.FieldFaults where a field is not good, or storage.ErrNotFound. The audit trail holds what changed and nothing
// else; where nothing did, nothing is written.
func (s Store) Update(ctx context.Context, userID uuid.UUID, told Profile) error {
	now := s.Now()
	if told.Address != nil { // the caller's stays as it is
		address := *told.Address
		told.Address = &address
	}
	if err := told.Clean(now); err != nil {
		return err
	}
	err := s.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		return s.Change(ctx, tx, now, userID, func(*Profile) Profile { return told })
	})
	if err != nil {
		return fmt.Errorf("profile of %s: %w", userID, err)
	}
	return nil
}

// Change makes a profile what change makes of it, which must be clean, and records what changed.
func (s Store) Change(
	ctx context.Context, tx bun.Tx, now time.Time, userID uuid.UUID, change func(before *Profile) Profile,
) error {
	// the old values must be those that are replaced
	if err := s.Database.Lock(ctx, tx, "profile "+userID.String()); err != nil {
		return err
	}
	before := new(Profile)
	if err := tx.NewSelect().Model(before).Where("user_id = ?", userID).Scan(ctx); err != nil {
		return storage.NotFound(err)
	}
	told := change(before)
	was, is := audit.Values{}, audit.Values{}
	old := before.Fields()
	for i, field := range told.Fields() {
		if *field.Value != *old[i].Value {
			was[field.Name], is[field.Name] = *old[i].Value, *field.Value
		}
	}
	if len(is) == 0 {
		return nil
	}
	told.UserID, told.CreatedAt, told.ModifiedAt = userID, before.CreatedAt, now
	if *told.Address == (Address{}) {
		told.Address = nil
	}
	if err := storage.OneRow(tx.NewUpdate().Model(&told).WherePK().Exec(ctx)); err != nil {
		return err
	}
	return audit.Record(ctx, tx, now, audit.Change{
		Entity: "profile", EntityID: userID.String(), Action: "changed", UserID: userID, Old: was, New: is,
	})
}

// With returns the profile with fields changed, as they come from elsewhere: what is no good, or no field, is left out.
func (p *Profile) With(values map[string]string) Profile {
	changed := *p
	if p.Address != nil {
		address := *p.Address
		changed.Address = &address
	}
	for _, field := range changed.Fields() {
		if text := strings.TrimSpace(values[field.Name]); text != "" {
			if clean, err := field.rule(text); err == nil {
				*field.Value = clean
			}
		}
	}
	return changed
}

// Of returns a person's profile, or storage.ErrNotFound.
func (s Store) Of(ctx context.Context, userID uuid.UUID) (*Profile, error) {
	profile := new(Profile)
	err := s.Database.Reader().NewSelect().Model(profile).Where("user_id = ?", userID).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("profile of %s: %w", userID, storage.NotFound(err))
	}
	return profile, nil
}
