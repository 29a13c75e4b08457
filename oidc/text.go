package oidc

import (
	"errors"
	"net/url"
	"strings"
	"unicode/utf8"
)

var errText = errors.New("text must be UTF-8 without NUL")

// CheckText refuses what no protocol text may hold and no database would take.
func CheckText(text string) error {
	if !utf8.ValidString(text) || strings.IndexByte(text, 0) >= 0 {
		return errText
	}
	return nil
}

// CheckForm says what is wrong with the parameters of a request whatever they mean: text that is not UTF-8, or one that
// is longer than any that Wicket knows.
func CheckForm(form url.Values) *Error {
	for name, values := range form {
		if CheckText(name) != nil || len(name) > 200 {
			return InvalidRequest("The name of a parameter is not UTF-8 text of at most 200 bytes.")
		}
		for _, value := range values {
			if CheckText(value) != nil || len(value) > maxParameter {
				return InvalidRequest("The value of " + name + " is not UTF-8 text of at most 8192 bytes.")
			}
		}
	}
	return nil
}

const maxParameter = 8192
