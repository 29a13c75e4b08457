package authorize

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
	userCodeLetters = "BCDFGHJKLMNPQRSTVWXZ"
	userCodeLength  = 8
	maxUserCodeText = 100 // bytes that are looked at
)

func newUserCode() string {
	code := make([]byte, userCodeLength)
	for i := range code {
		n, err := rand.Int(rand.Reader, big.NewInt(int64(len(userCodeLetters))))
		if err != nil {
			panic(err) // never, says its documentation, with this reader
		}
		code[i] = userCodeLetters[n.Int64()]
	}
	return string(code)
}

// ParseUserCode reads a code as a person types it, in whichever case, with dashes and spaces wherever they like, and
// tells whether it is one.
func ParseUserCode(typed string) (code string, ok bool) {
	if len(typed) > maxUserCodeText {
		return "", false
	}
	code = strings.ToUpper(strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.Is(unicode.Pd, r) {
			return -1
		}
		return r
	}, typed))
	return code, len(code) == userCodeLength && strings.Trim(code, userCodeLetters) == ""
}

// ShownUserCode is a code as it is shown to people.
func ShownUserCode(code string) string {
	return code[:userCodeLength/2] + "-" + code[userCodeLength/2:]
}
