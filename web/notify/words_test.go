package notify

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"

	"github.com/wicket-id/wicket/identity"
)

// Every email and text message has words, no words are for a message that does not exist, and each value of a message
// is told.
func TestMessagesAndWordsMatch(t *testing.T) {
	file, err := os.ReadFile("../locales/en.toml")
	if err != nil {
		t.Fatal(err)
	}
	var words struct {
		Email map[string]any    `toml:"email"`
		SMS   map[string]string `toml:"sms"`
	}
	if err := toml.Unmarshal(file, &words); err != nil {
		t.Fatal(err)
	}
	for name, kind := range kinds {
		message, ok := words.Email[name].(map[string]any)
		if !ok {
			t.Errorf("the email %s has no words", name)
			continue
		}
		text := message["text"].(string)
		for _, value := range kind.values {
			if !strings.Contains(text, "{{."+value+"}}") {
				t.Errorf("the email %s does not tell %s", name, value)
			}
		}
	}
	for name, table := range words.Email {
		if message, ok := table.(map[string]any); ok && message["text"] != nil {
			if _, known := kinds[name]; !known {
				t.Errorf("there are words for the email %s, which does not exist", name)
			}
		}
	}
	for name := range textMessages {
		if words.SMS[name] == "" {
			t.Errorf("the text message %s has no words", name)
		}
	}
	if len(words.SMS) != len(textMessages) {
		t.Errorf("there are words for %d text messages of %d", len(words.SMS), len(textMessages))
	}
}

// Values are codes and times; jobs of older versions have words instead, which are kept.
func TestValuesAreToldInWords(t *testing.T) {
	for _, c := range []struct {
		message string
		values  map[string]string
		tells   []string
	}{
		{identity.MessageFactorAdded, map[string]string{"factor": "passkey"}, []string{"A passkey was added"}},
		{identity.MessageFactorAdded, map[string]string{"factor": "A key"}, []string{"A key was added"}},
		{identity.MessageErasure, map[string]string{"date": "2026-02-03T04:05:06Z"}, []string{"on 3 February 2026."}},
		{identity.MessageErasure, map[string]string{"date": "3 February 2026"}, []string{"on 3 February 2026."}},
		{identity.MessageErasureCancelled, map[string]string{"ip": "192.0.2.7", "device": "Firefox"}, []string{
			"192.0.2.7, with Firefox, so it stays.",
		}},
		{identity.MessageNewSignIn, map[string]string{"time": "2026-02-03T04:05:06Z"}, []string{
			"on 3 February 2026 at 04:05 UTC,",
		}},
		{identity.MessageFactorsDisowned, map[string]string{
			"factors": "totp 2026-02-03T04:05:06Z\nbackup_codes 2026-02-04T04:05:06Z", "time": "2026-02-05T04:05:06Z",
		}, []string{
			"removed on 5 February 2026 at 04:05 UTC: ",
			"An authenticator app, added on 3 February 2026; The backup codes, added on 4 February 2026.",
		}},
		{identity.MessageFactorsKept, map[string]string{
			"factors": "totp 2026-02-03T04:05:06Z", "ip": "192.0.2.7", "device": "Firefox",
		}, []string{"192.0.2.7, with Firefox: An authenticator app, added on 3 February 2026."}},
		{identity.MessageBackupCodeUsed, map[string]string{"left": "7"}, []string{"There are 7 left.\n"}},
		{identity.MessageBackupCodeUsed, map[string]string{"left": "1", "few": "yes"}, []string{
			"There is one left. Make new ones before you run out",
		}},
	} {
		email, err := writeEmail(
			"https://id.example.com", identity.Message{Name: c.message, Person: "grace", Values: c.values}, "",
		)
		if err != nil {
			t.Fatal(err)
		}
		if slices.ContainsFunc(c.tells, func(told string) bool { return !strings.Contains(email.Text, told) }) {
			t.Errorf("%s with %v: it lacks one of %q:\n%s", c.message, c.values, c.tells, email.Text)
		}
	}
}
