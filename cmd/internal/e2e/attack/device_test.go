package attack

import (
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/oidc"
)

// A device gets nothing until the person that its code was shown to has pressed the button, and then once; codes can
// be tried only so often, and what is wrong with one is not told.
func TestCodesOfDevices(t *testing.T) {
	t.Parallel()
	eachTarget(t, func(t *testing.T, to *target) {
		if to.device.ID == "" {
			t.Skip("ATTACK_DEVICE_CLIENT_ID is not set")
		}
		b := to.signIn(t)
		asked := to.BeginDevice(t, to.device, "openid profile offline_access")
		deviceCode, userCode := asked.Text("device_code"), asked.Text("user_code")
		shown := b.Get(t, asked.Text("verification_uri_complete"))
		if !strings.Contains(shown.Text, `id="approve"`) || !strings.Contains(shown.Text, userCode) {
			t.Fatalf("the page does not ask about the device: %s\n%s", shown.Status, shown.Text)
		}
		to.decidesForAnother(t, shown, userCode)
		if told := to.PollDevice(t, to.device, deviceCode); told.Text("error") != "authorization_pending" {
			t.Fatalf("nobody has approved it: %d %v", told.Status, told.JSON)
		}
		for name, c := range map[string]struct {
			client harness.Client
			code   string
		}{
			"in the hands of another app": {to.app, deviceCode}, "by the code that people type": {to.device, userCode},
			"made up": {to.device, strings.Repeat("A", len(deviceCode))}, "changed": {to.device, deviceCode[1:] + "A"},
		} {
			if told := to.PollDevice(t, c.client, c.code); told.Status < 400 || told.Text("error") == "authorization_pending" {
				t.Errorf("a device code, %s: %d %v", name, told.Status, told.JSON)
			}
		}
		denied := to.BeginDevice(t, to.device, "openid")
		b.DecideDevice(t, b.Get(t, denied.Text("verification_uri_complete")), "deny")
		b.DecideDevice(t, shown, "approve")
		to.redeemsOnce(t, deviceCode, denied.Text("device_code"))
		if again := b.DecideDevice(t, shown, "approve"); again.StatusCode != http.StatusBadRequest {
			t.Errorf("the same answer again: %s", again.Status)
		}
		to.guessesUserCodes(t, b, userCode)
	})
}

// decidesForAnother answers the page that somebody else was shown.
func (to *target) decidesForAnother(t *testing.T, shown harness.Page, userCode string) {
	t.Helper()
	for name, other := range map[string]*harness.Browser{"nobody": to.NewBrowser(t), "another session": to.signIn(t)} {
		if done := other.DecideDevice(t, shown, "approve"); strings.Contains(done.Text, "is connected") {
			t.Errorf("%s has approved what was shown to somebody else", name)
		}
		for _, form := range []url.Values{
			{"decision": {"approve"}, "user_code": {userCode}}, {"decision": {"approve"}, "token": {userCode}},
		} {
			if done := other.Post(t, oidc.PathDevice, form); strings.Contains(done.Text, "is connected") {
				t.Errorf("%s has approved a device by its code alone", name)
			}
		}
	}
}

// redeemsOnce redeems a device code that was approved and one that was denied, more than once.
func (to *target) redeemsOnce(t *testing.T, approved, denied string) {
	t.Helper()
	const polls = 8
	answers := make(chan harness.Answer, polls)
	for range polls {
		go func() { answers <- to.PollDevice(t, to.device, approved) }()
	}
	redeemed := 0
	for range polls {
		if answer := <-answers; answer.Text("access_token") != "" {
			redeemed++
		}
	}
	if redeemed > 1 { // none, where all of them were told to ask more slowly
		t.Errorf("one device code gave tokens %d times", redeemed)
	}
	for range 2 {
		if answer := to.PollDevice(t, to.device, denied); answer.Text("error") == "" || answer.Text("access_token") != "" {
			t.Errorf("a device that was denied: %d %v", answer.Status, answer.JSON)
		}
	}
}

// guessesUserCodes tries codes that no device waits with until the page is closed, at which a code that was used is no
// different from one that never was.
func (to *target) guessesUserCodes(t *testing.T, b *harness.Browser, used string) {
	t.Helper()
	try := func(code string) (int, string) {
		shown := b.Get(t, oidc.PathDevice+"?"+url.Values{"user_code": {code}}.Encode())
		return shown.StatusCode, hidden.ReplaceAllString(strings.ReplaceAll(shown.Text, html.EscapeString(code), ""), "")
	}
	status, text := try("BBBB-BBBB")
	for _, code := range []string{used, "no code!!", "' OR 1=1 --"} {
		if other, said := try(code); other != status || said != text {
			t.Errorf("%q: %d\n%s\nand one that nobody has: %d\n%s", code, other, said, status, text)
		}
	}
	for n := range 100 { // replicas without Redis count by themselves
		code := "BCDF-GHJ" + string("BCDFGHJKLMNPQRSTVWXZ"[n%20])
		if status, _ := try(code); status == http.StatusTooManyRequests {
			return
		} else if status != http.StatusBadRequest {
			t.Fatalf("%s: %d", code, status)
		}
	}
	t.Error("a hundred codes were tried")
}
