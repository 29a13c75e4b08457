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
		strings.Repeat("ż", 40):      "Hello " + strings.Repeat("ż", 40) + ",",
		strings.Repeat("ż", 41):      "Hello,",
	} {
		email, err := writeEmail(
			"https://id.example.com", identity.Message{Name: identity.MessagePasswordChanged, Person: name}, "secret",
		)
		if err != nil {
			t.Fatal(err)
		}
		first, rest, _ := strings.Cut(email.Text, "\n\n")
		if first != want || !strings.HasPrefix(rest, "the password of your") {
			t.Errorf("%q: %q, want %q; then %.30q", name, first, want, rest)
		}
		if want == "Hello," && name != "" && (strings.Contains(email.Text, name) || strings.Contains(email.HTML, name)) {
			t.Errorf("%q stands in the mail", name)
		}
	}
}

// Whoever types somebody else's address at the sign-up chooses nothing that is written there.
func TestMailsToUnprovedAddressesHoldNoName(t *testing.T) {
	for _, name := range []string{identity.MessageVerifyEmail, identity.MessageInvitation} {
		message := identity.Message{
			Name: name, Person: "congratulations", Values: map[string]string{"until": "2024-05-06T07:08:09Z"},
		}
		email, err := writeEmail("https://id.example.com", message, "secret")
		if err != nil {
			t.Fatal(err)
		}
		all := email.Subject + email.Text + email.HTML
		if !strings.HasPrefix(email.Text, "Hello,\n") || strings.Contains(all, message.Person) {
			t.Errorf("%s greets by a name:\n%s", name, email.Text)
		}
	}
}
