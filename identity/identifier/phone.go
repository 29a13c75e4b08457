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
