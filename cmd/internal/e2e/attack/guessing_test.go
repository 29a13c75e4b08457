package attack

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

var hidden = regexp.MustCompile(`name="(?:continue|token|state)" value="[^"]*"|data-options="[^"]*"`)

// guess tries a password, and tells what is said of it, without what was typed, and how long that took.
func (to *target) guess(t *testing.T, username string) (status int, text string, took time.Duration) {
	t.Helper()
	b := to.NewBrowser(t)
	began := time.Now()
	shown := b.Post(t, "/sign-in", url.Values{"username": {username}, "password": {"a wrong password"}})
	return shown.StatusCode, hidden.ReplaceAllString(strings.ReplaceAll(shown.Text, username, ""), ""), time.Since(began)
}

// Neither words nor time tell who has an account.
func TestNamesAreNotTold(t *testing.T) {
	t.Parallel()
	eachTarget(t, func(t *testing.T, to *target) {
		// What a busy machine tells by chance it does not tell again.
		apart := make(map[bool]int)
		for len(apart) < 2 && apart[true]+apart[false] < 4 {
			one, other := to.guessBoth(t)
			if (one - other).Abs() <= max(one, other)/3+20*time.Millisecond {
				break
			}
			t.Logf("somebody is refused after %s, nobody after %s", one, other)
			apart[one > other]++
		}
		if apart[true] == 4 || apart[false] == 4 {
			t.Error("the time tells who has an account")
		}
		unknown := nobody()
		b := to.NewBrowser(t)
		first := b.Post(t, "/forgot-password", url.Values{"login": {to.username}})
		second := b.Post(t, "/forgot-password", url.Values{"login": {unknown}})
		if first.StatusCode != second.StatusCode ||
			strings.ReplaceAll(first.Text, to.username, "") != strings.ReplaceAll(second.Text, unknown, "") {
			t.Errorf("a reset tells who has an account: %s and %s", first.Status, second.Status)
		}
	})
}

// guessBoth tries passwords of the test person and of nobody, by turns, and returns how long either refusal took: the
// shortest of a few, for the network makes others longer. The person is not tried often enough to be slowed down, and
// has no failures left afterwards.
func (to *target) guessBoth(t *testing.T) (somebody, none time.Duration) {
	t.Helper()
	const tries = 3
	unknown := nobody()
	var known, strange []time.Duration
	for range tries {
		status, text, took := to.guess(t, to.username)
		otherStatus, otherText, otherTook := to.guess(t, unknown)
		if status != otherStatus || text != otherText {
			t.Errorf("somebody gets %d\n%s\nand nobody %d\n%s", status, text, otherStatus, otherText)
		}
		known, strange = append(known, took), append(strange, otherTook)
	}
	to.signIn(t)
	return slices.Min(known), slices.Min(strange)
}

// Who goes on guessing waits longer and longer, for a name that nobody has, too, and hears nothing new.
func TestGuessesAreSlowedDown(t *testing.T) {
	t.Parallel()
	eachTarget(t, func(t *testing.T, to *target) {
		name := nobody()
		status, text, first := to.guess(t, name)
		var last time.Duration
		for range 24 { // replicas without Redis count by themselves
			var again int
			var said string
			if again, said, last = to.guess(t, name); again != status || said != text {
				t.Errorf("at first %d\n%s\nthen %d\n%s", status, text, again, said)
			}
			if last > first+500*time.Millisecond {
				return
			}
		}
		t.Errorf("the first guess took %s, the last %s", first, last)
	})
}

// Codes of a second step cannot be tried without a first.
func TestSecondStepIsNotReachedAlone(t *testing.T) {
	t.Parallel()
	eachTarget(t, func(t *testing.T, to *target) {
		shown := to.NewBrowser(t).Post(t, "/second-step", url.Values{"method": {"totp"}, "code": {"000000"}})
		if shown.Path() != "/sign-in" && shown.StatusCode < http.StatusBadRequest {
			t.Errorf("%s at %s", shown.Status, shown.Path())
		}
	})
}
