// Package usercode makes and reads what a person types to say which device is theirs: RFC 8628, section 6.1.
package usercode

import (
	"crypto/rand"
	"math/big"
	"strings"
	"unicode"
)

// A user code is what a person types to say which device is theirs: eight of the twenty letters below, of which none
// makes a word or is mistaken for another (RFC 8628, section 6.1). There are 25,600,000,000; few are good at one time,
// and only so many may be tried.
const (
	letters = "BCDFGHJKLMNPQRSTVWXZ"
	length  = 8
	maxText = 100 // bytes that are looked at
)

// New returns a code, as it is kept.
func New() string {
	code := make([]byte, length)
	for i := range code {
		n, err := rand.Int(rand.Reader, big.NewInt(int64(len(letters))))
		if err != nil {
			panic(err) // never, says its documentation, with this reader
		}
		code[i] = letters[n.Int64()]
	}
	return string(code)
}

// Parse reads a code as a person types it, in whichever case, with dashes and spaces wherever they like, and
// tells whether it is one.
func Parse(typed string) (code string, ok bool) {
	if len(typed) > maxText {
		return "", false
	}
	code = strings.ToUpper(strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.Is(unicode.Pd, r) {
			return -1
		}
		return r
	}, typed))
	return code, len(code) == length && strings.Trim(code, letters) == ""
}

// Shown is a code as it is shown to people.
func Shown(code string) string {
	return code[:length/2] + "-" + code[length/2:]
}
