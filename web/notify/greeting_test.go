package notify

import (
	"strings"
	"testing"

	"github.com/wicket-id/wicket/identity"
)

// A name is whatever somebody chose who may not be the reader; in our mail it must not lead anywhere.
func TestNamesInMailsAreNoLinks(t *testing.T) {
	for name, want := range map[string]string{
		"grace":                      "Hello grace,",
		"grace_hopper-2":             "Hello grace_hopper-2,",
		"Grace Hopper":               "Hello Grace Hopper,",
		"grace.":                     "Hello grace.,",
		".grace":                     "Hello .grace,",
		"G. Hopper":                  "Hello G. Hopper,",
		"Żółć":                       "Hello Żółć,",
		"":                           "Hello,",
		"https://evil.example/prize": "Hello,",
		"evil.example":               "Hello,",
		"EVIL.EXAMPLE":               "Hello,",
		"www.evil":                   "Hello,",
		"evil.example.":              "Hello,",
		"win-at-evil.example":        "Hello,",
		"evil。example":               "Hello,",
		"evil．example":               "Hello,",
		"evil｡example":               "Hello,",
		"яндекс.рф":                  "Hello,",
		"192.0.2.7":                  "Hello,",
		"//evil":                     "Hello,",
		"evil/prize":                 "Hello,",
		`\\evil\share`:               "Hello,",
		"tel:+15550100":              "Hello,",
		"mallory@evil":               "Hello,",
		"call evil.example now":      "Hello,",
		"ada.lovelace":               "Hello,", // the price
	} {
		email, err := writeEmail(
			"https://id.example.com", identity.Message{Name: identity.MessageVerifyEmail, Person: name}, "secret",
		)
		if err != nil {
			t.Fatal(err)
		}
		if first, rest, _ := strings.Cut(email.Text, "\n\n"); first != want || !strings.HasPrefix(rest, "someone, probably") {
			t.Errorf("%q: %q, want %q; then %.30q", name, first, want, rest)
		}
		if want == "Hello," && name != "" && (strings.Contains(email.Text, name) || strings.Contains(email.HTML, name)) {
			t.Errorf("%q stands in the mail", name)
		}
	}
}
