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

// Single returns the parameters that may be given once (RFC 6749, section 3.1), and the name of one that is given
// several times: client_id or redirect_uri if it is one of them, for then nothing else can be trusted. An empty parameter
// counts as left out.
func Single(form url.Values) (clean url.Values, doubled string) {
	clean = make(url.Values, len(form))
	for name, values := range form {
		if len(values) > 1 && doubled != "client_id" && (doubled != "redirect_uri" || name == "client_id") {
			doubled = name
		}
		if len(values) > 0 && values[0] != "" {
			clean[name] = values[:1]
		}
	}
	return clean, doubled
}
