package password

import (
	"github.com/ccojocar/zxcvbn-go"
)

// Strength estimates how hard a password is to guess, from 0 (at once) to 4 (never): what people choose, what is in
// dictionaries and on the lists of breached passwords, keyboard walks, dates, repetition; and own, what is known of the
// person. A password must reach minStrength.
func Strength(password string, own []string) int {
	// The estimate's cost grows steeply with length, and a long password is strong by its beginning or not at all.
	runes := []rune(password)
	return zxcvbn.PasswordStrength(string(runes[:min(len(runes), 24)]), own).Score
}

const minStrength = 2
