package identifier_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/wicket-id/wicket/identity/identifier"
)

// Which names somebody may choose; those that are refused may still be somebody's of before.
func TestNewUsernames(t *testing.T) {
	for want, names := range map[error][]string{
		nil: {
			"alice", "Alice", "a", "alice.b_c-d", "o'neil", "müller", "Ολυμπία", "алиса", "田中さくら", "김철수", "김金", "4711",
			"+49", "007", "alice2", "admin2", strings.Repeat("a", 100),
		},
		identifier.ErrUsernameInvalid: {
			"", "a b", "a@b", "a/b", "a:b", "../x", "https://x", "-x", "--help", ".", "..", "...", "a\x00b", "a\u200bb",
			strings.Repeat("a", 101),
		},
		identifier.ErrUsernameNumber: {
			"+4915112345678", "+49-151-1234.5678", "(+49)15112345678", "0190f7a2-7c1e-7b1e-8a52-000000000001",
		},
		identifier.ErrUsernameReserved: {"admin", "Admin", "ADMIN", "ａｄｍｉｎ", "root", "support", "me", "no-reply"},
		// Cyrillic and Greek letters among Latin ones, and the other way round.
		identifier.ErrUsernameScripts: {"аlice", "alicе", "αlice", "алиcа", "aさ", "김さ"},
	} {
		for _, name := range names {
			key, err := identifier.NewUsernameKey(name)
			if !errors.Is(err, want) || (key == "") != (want != nil) {
				t.Errorf("%q: %q, %v; want %v", name, key, err, want)
			}
		}
	}
}
