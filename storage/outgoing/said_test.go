package outgoing_test

import (
	"strings"
	"testing"

	"github.com/wicket-id/wicket/storage/outgoing"
)

const most = 200

// What others say is kept in so far as a database takes it, and a terminal can show it.
func TestWhatOthersSayIsCleaned(t *testing.T) {
	for text, want := range map[string]string{
		"":                              "",
		"  not\r\n\tthis  one ":         "not this one",
		"\x1b[2Jboo\x00!\u202e":         "[2Jboo !",
		"caf\xe9 caf\u00e9":             "caf café",
		strings.Repeat("a", 300):        strings.Repeat("a", most) + "…",
		strings.Repeat("a", 199) + "éé": strings.Repeat("a", 199) + "…",
	} {
		if got := outgoing.Said(text, most); got != want {
			t.Errorf("%q is kept as %q, want %q", text, got, want)
		}
	}
}

func FuzzSaid(f *testing.F) {
	f.Add("\x1b[31mred\x00")
	f.Fuzz(func(t *testing.T, text string) {
		kept := outgoing.Said(text, most)
		if len(kept) > most+len("…") || strings.ToValidUTF8(kept, "") != kept ||
			strings.ContainsAny(kept, "\x00\x1b\r\n") || outgoing.Said(kept, most) != kept && len(kept) <= most {
			t.Fatalf("%q is kept as %q", text, kept)
		}
	})
}
