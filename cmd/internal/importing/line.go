package importing

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/wicket-id/wicket/identity/profile"
	"github.com/wicket-id/wicket/identity/transfer"
)

// personLine is a line of the file: docs/import.md describes it.
type personLine struct {
	Username     string           `json:"username"`
	PasswordHash string           `json:"password_hash"`
	IsActive     *bool            `json:"is_active"` // left out: true
	CreatedAt    time.Time        `json:"created_at"`
	Name         string           `json:"name"`
	GivenName    string           `json:"given_name"`
	FamilyName   string           `json:"family_name"`
	MiddleName   string           `json:"middle_name"`
	Nickname     string           `json:"nickname"`
	Profile      string           `json:"profile"`
	Picture      string           `json:"picture"`
	Website      string           `json:"website"`
	Gender       string           `json:"gender"`
	Birthdate    string           `json:"birthdate"`
	Zoneinfo     string           `json:"zoneinfo"`
	Locale       string           `json:"locale"`
	Address      *profile.Address `json:"address"`
	Emails       []struct {
		Address  string `json:"address"`
		Verified bool   `json:"verified"`
		Primary  bool   `json:"primary"`
	} `json:"emails"`
	Phones []struct {
		Number   string `json:"number"`
		Verified bool   `json:"verified"`
		Primary  bool   `json:"primary"`
	} `json:"phones"`
	Roles []string `json:"roles"`
}

// refused is why a line could not be read.
type refused string

// Error is the reason.
func (r refused) Error() string { return string(r) }

// read reads a line, or says why it cannot; what it says holds no value of the line, for that may be a hash.
func (l *personLine) read(line []byte) error {
	if !utf8.Valid(line) {
		return refused("the line is not UTF-8")
	}
	decoder := json.NewDecoder(bytes.NewReader(line))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(l)
	var wrongType *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	var wrongTime *time.ParseError
	switch {
	case errors.As(err, &wrongType):
		if wrongType.Field == "" {
			return refused("the line is not a JSON object")
		}
		return refused(wrongType.Field + ": this must not be a JSON " + strings.Fields(wrongType.Value)[0])
	case errors.As(err, &wrongTime), err != nil && strings.HasPrefix(err.Error(), "Time."):
		return refused("created_at: this is not a time such as 2019-03-01T12:00:00Z")
	case errors.As(err, &syntax), errors.Is(err, io.ErrUnexpectedEOF):
		return refused("the line is not JSON")
	case err != nil:
		return refused(strings.TrimPrefix(err.Error(), "json: "))
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return refused("the line holds more than one JSON value")
	}
	return nil
}

func (l *personLine) person(dryRun bool) transfer.Import {
	person := transfer.Import{
		Username: l.Username, PasswordHash: l.PasswordHash, IsActive: l.IsActive == nil || *l.IsActive,
		CreatedAt: l.CreatedAt, Roles: l.Roles, DryRun: dryRun,
		Profile: profile.Profile{
			Name: l.Name, GivenName: l.GivenName, FamilyName: l.FamilyName, MiddleName: l.MiddleName, Nickname: l.Nickname,
			Profile: l.Profile, Picture: l.Picture, Website: l.Website, Gender: l.Gender, Birthdate: l.Birthdate,
			Zoneinfo: l.Zoneinfo, Locale: l.Locale, Address: l.Address,
		},
	}
	for _, email := range l.Emails {
		person.Emails = append(person.Emails, transfer.ImportContact{
			Value: email.Address, Verified: email.Verified, Primary: email.Primary,
		})
	}
	for _, phone := range l.Phones {
		person.Phones = append(person.Phones, transfer.ImportContact{
			Value: phone.Number, Verified: phone.Verified, Primary: phone.Primary,
		})
	}
	return person
}
