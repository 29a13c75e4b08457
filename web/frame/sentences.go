package frame

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/password"
)

// Sentence is an error that is meant for people, as a sentence.
func Sentence(err error) string {
	text := err.Error()
	first, size := utf8.DecodeRuneInString(text)
	return strings.TrimSuffix(string(unicode.ToUpper(first))+text[size:], ".") + "."
}

// Sentences says at each field what is wrong with it.
func Sentences(faults identity.FieldFaults) map[string]string {
	said := make(map[string]string, len(faults))
	for name, err := range faults {
		said[name] = Sentence(err)
	}
	return said
}

// OneOf returns the first of some known errors that err is; nil where it is none of them.
func OneOf(err error, known []error) error {
	for _, candidate := range known {
		if errors.Is(err, candidate) {
			return candidate
		}
	}
	return nil
}

// PasswordFaults are the reasons why a password cannot be chosen.
var PasswordFaults = []error{password.ErrWeak, password.ErrCommon, password.ErrPersonal}
