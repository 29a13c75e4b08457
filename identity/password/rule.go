package password

import (
	"strings"
	"unicode/utf8"

	"github.com/wicket-id/wicket/identity/refusal"
)

// What can go wrong with a password.

var (
	ErrWeak = refusal.NewWith(
		"password.length", "a password has at least 8 characters, and at most 256",
		refusal.Params{"Min": minPassword, "Max": maxPassword},
	)
	ErrCommon   = refusal.New("password.common", "the password is among the most common ones")
	ErrPersonal = refusal.New(
		"password.personal", "the password is little more than the name or address of the person",
	)
)

const (
	minPassword = 8
	maxPassword = 256 // bytes; more only costs time
)

// Check says what is wrong with a password whoever chooses it: ErrWeak or ErrCommon.
func Check(password string) error {
	if utf8.RuneCountInString(password) < minPassword || len(password) > maxPassword {
		return ErrWeak
	}
	if Strength(password, nil) < minStrength {
		return ErrCommon
	}
	return nil
}

// CheckOwn is Check for somebody of whom own is known.
func CheckOwn(password string, own []string) error {
	if err := Check(password); err != nil {
		return err
	}
	if Strength(password, own) < minStrength || isPersonal(password, own) {
		return ErrPersonal
	}
	return nil
}

// isPersonal tells whether a password is little more than what anybody knows of its owner.
func isPersonal(password string, own []string) bool {
	folded := strings.ToLower(password)
	for _, known := range own {
		known = strings.ToLower(strings.TrimSpace(known))
		if utf8.RuneCountInString(known) >= 3 && strings.Contains(folded, known) &&
			utf8.RuneCountInString(folded)-utf8.RuneCountInString(known) < minPassword/2 {
			return true
		}
	}
	return false
}

// ErrMissing says that no password was chosen.
var ErrMissing = refusal.New("password.missing", "a password is missing")
