package identifier

import (
	"regexp"
	"strings"
	"unicode"

	"github.com/nyaruka/phonenumbers"

	"github.com/wicket-id/wicket/identity/refusal"
)

// ErrPhoneInvalid says that something is no number.
var ErrPhoneInvalid = refusal.New(
	"phone.invalid", "not a phone number with its country code, such as +49 30 1234567",
)

const maxPhoneAsTyped = 64 // bytes

var e164 = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)

// PhoneNumber is the number that was typed as E.164: without the spaces, dots, dashes and parentheses that people put
// in. Nothing is guessed: without a country code it is no number.
func PhoneNumber(typed string) (string, error) {
	if len(typed) > maxPhoneAsTyped {
		return "", ErrPhoneInvalid
	}
	number := strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.Is(unicode.Pd, r) || r == '.' || r == '(' || r == ')' {
			return -1
		}
		return r
	}, typed)
	if !e164.MatchString(number) {
		return "", ErrPhoneInvalid
	}
	return number, nil
}

// IsPossiblePhone tells whether there can be a phone with that number: its country exists and has numbers of that
// length.
func IsPossiblePhone(number string) bool {
	parsed, err := phonenumbers.Parse(number, "")
	return err == nil && phonenumbers.IsPossibleNumber(parsed)
}

// PhoneCountry returns the country that a number belongs to, by ISO 3166-1 alpha-2, and whether it is an ordinary one:
// of a country, and of no kind whose calls or messages cost more than others. A number of a kind that nobody knows may
// be of one.
func PhoneCountry(number string) (country string, ordinary bool) {
	parsed, err := phonenumbers.Parse(number, "")
	if err != nil {
		return "", false
	}
	country = phonenumbers.GetRegionCodeForCountryCode(int(parsed.GetCountryCode()))
	if of := phonenumbers.GetRegionCodeForNumber(parsed); of != "" {
		country = of // of the several that share a code
	}
	switch phonenumbers.GetNumberType(parsed) {
	case phonenumbers.PREMIUM_RATE, phonenumbers.SHARED_COST, phonenumbers.TOLL_FREE, phonenumbers.PERSONAL_NUMBER,
		phonenumbers.PAGER, phonenumbers.UAN, phonenumbers.VOICEMAIL, phonenumbers.UNKNOWN:
		return country, false
	}
	return country, len(country) == 2 // satellites and the like have the country 001
}

// IsCountry tells whether there are phone numbers of a country, named by ISO 3166-1 alpha-2.
func IsCountry(code string) bool { return phonenumbers.GetSupportedRegions()[code] }
