package main

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/web/notify"
)

var mailedLink = regexp.MustCompile(`(?m)^https?://\S+$`)

// mail waits for a letter with that subject and returns the link in it.
func (h *openHouse) mail(t testing.TB, subject string) (link string, letter notify.KeptMessage) {
	t.Helper()
	for deadline := time.Now().Add(15 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) { // polling
		for _, letter := range h.Config().Outbox.Messages() {
			if letter.Subject == subject {
				return mailedLink.FindString(letter.Text), letter
			}
		}
	}
	t.Fatalf("no mail with the subject %q came; there are %v", subject, h.Config().Outbox.Messages())
	return "", notify.KeptMessage{}
}

var hiddenToken = regexp.MustCompile(`name="token" value="([^"]*)"`)

// follow opens a mailed link and presses the button of the page that it leads to.
func (b *browser) follow(t testing.TB, link string, form url.Values) page {
	t.Helper()
	shown := b.get(t, link)
	match := hiddenToken.FindStringSubmatch(shown.body)
	if match == nil {
		return shown
	}
	if form == nil {
		form = url.Values{}
	}
	form.Set("token", match[1])
	return b.post(t, shown.Request.URL.Path, form)
}

const newPassword = "purple elephants dance at noon"

func TestPasswordReset(t *testing.T) {
	inEachHouse(t, func(t *testing.T, h *openHouse) {
		client, elsewhere, b := h.client(t, nil), h.browser(t), h.browser(t)
		tokens := h.redeem(t, client, elsewhere.code(t, client, nil))
		known := b.post(t, "/forgot-password", url.Values{"login": {testEmail}})
		unknown := b.post(t, "/forgot-password", url.Values{"login": {"nobody@example.com"}})
		if known.StatusCode != unknown.StatusCode || known.body != unknown.body {
			t.Errorf("known and unknown people are answered differently: %s and %s", known.Status, unknown.Status)
		}
		link, letter := h.mail(t, "Choose a new password")
		if letter.To != testEmail || !strings.Contains(letter.Text, "127.0.0.1") {
			t.Errorf("the letter went to %s and says:\n%s", letter.To, letter.Text)
		}
		for _, weak := range []string{"short", "password1", "alice example"} {
			if shown := b.follow(t, link, url.Values{"password": {weak}}); shown.StatusCode != http.StatusUnprocessableEntity {
				t.Errorf("the password %q: %s", weak, shown.Status)
			}
		}
		if shown := b.follow(t, link, url.Values{"password": {newPassword}}); shown.StatusCode != http.StatusOK {
			t.Fatalf("reset: %s\n%s", shown.Status, shown.body)
		}
		if shown := b.follow(t, link, url.Values{"password": {newPassword}}); shown.StatusCode != http.StatusBadRequest {
			t.Errorf("the link worked twice: %s", shown.Status)
		}
		if a := h.refresh(t, client, tokens.text("refresh_token")); a.text("error") != "invalid_grant" {
			t.Errorf("a session from before lives on: %v", a.json)
		}
		if shown := b.signIn(t, page{}); shown.StatusCode != http.StatusUnauthorized {
			t.Errorf("the old password: %s", shown.Status)
		}
		shown := b.post(t, "/sign-in", url.Values{"username": {testUsername}, "password": {newPassword}})
		if shown.StatusCode != http.StatusOK || !strings.Contains(shown.body, "Alice Example") {
			t.Errorf("the new password: %s", shown.Status)
		}
		h.mail(t, "Your password was changed")
	})
}

func TestOlderResetLinksAreVoid(t *testing.T) {
	inEachHouse(t, func(t *testing.T, h *openHouse) {
		b := h.browser(t)
		b.post(t, "/forgot-password", url.Values{"login": {testUsername}})
		older, _ := h.mail(t, "Choose a new password")
		b.post(t, "/forgot-password", url.Values{"login": {testUsername}})
		for deadline := time.Now().Add(15 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) { // polling
			if younger, _ := h.mail(t, "Choose a new password"); younger != older {
				break
			}
		}
		if shown := b.get(t, older); shown.StatusCode != http.StatusBadRequest {
			t.Errorf("the older link: %s", shown.Status)
		}
	})
}

func TestLockedAccountIsOpenedByMail(t *testing.T) {
	inEachHouse(t, func(t *testing.T, h *openHouse) {
		b := h.browser(t)
		for range 10 {
			b.post(t, "/sign-in", url.Values{"username": {testUsername}, "password": {"wrong password"}})
		}
		if shown := b.signIn(t, page{}); shown.StatusCode != http.StatusUnauthorized {
			t.Fatalf("the right password opens a locked account: %s", shown.Status)
		}
		link, _ := h.mail(t, "Your account is locked for a while")
		if shown := b.follow(t, link, nil); shown.StatusCode != http.StatusOK {
			t.Fatalf("unlock: %s", shown.Status)
		}
		shown := b.signIn(t, page{})
		if shown.StatusCode != http.StatusOK {
			t.Errorf("after unlocking: %s", shown.Status)
		}
		history := b.get(t, "/account/security").body
		if strings.Count(history, "Wrong password") != 10 || !strings.Contains(history, "account was locked") {
			t.Errorf("the person's history does not show the attempts:\n%s", history)
		}
		report, err := h.SignIns.Attempts().Report(t.Context(), identity.Clock().Add(-time.Hour), 5)
		if err != nil {
			t.Fatal(err)
		}
		outcomes := map[string]int64{}
		for _, outcome := range report.Outcomes {
			outcomes[outcome.Key] = outcome.Count
		}
		if outcomes["wrong_password"] != 10 || outcomes["locked"] != 1 || outcomes["success"] != 1 || len(report.Hours) == 0 || report.Addresses[0].Count != 11 {
			t.Errorf("the report says %+v", report)
		}
	})
}

func TestUnfamiliarSignInCanBeDisowned(t *testing.T) {
	inEachHouse(t, func(t *testing.T, h *openHouse) {
		client, mine, theirs := h.client(t, nil), h.browser(t), h.browser(t)
		mine.code(t, client, nil)
		theirs.agent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
		tokens := h.redeem(t, client, theirs.code(t, client, nil))
		link, letter := h.mail(t, "A new sign-in to your account")
		if !strings.Contains(letter.Text, "Firefox on Linux") {
			t.Errorf("the letter does not say with what:\n%s", letter.Text)
		}
		shown := h.browser(t).follow(t, link, nil)
		if !strings.Contains(shown.body, `id="choose"`) {
			t.Fatalf("no way to another password: %s\n%s", shown.Status, shown.body)
		}
		if a := h.userinfo(t, tokens.text("access_token")); a.status != http.StatusUnauthorized {
			t.Errorf("their access token works: %d", a.status)
		}
		if again := theirs.signIn(t, page{}); again.StatusCode != http.StatusUnauthorized {
			t.Errorf("the password that they know works: %s", again.Status)
		}
		token := hiddenToken.FindStringSubmatch(shown.body)[1]
		if done := mine.post(t, "/reset-password", url.Values{"token": {token}, "password": {newPassword}}); done.StatusCode != http.StatusOK {
			t.Errorf("choosing another password: %s", done.Status)
		}
	})
}

func TestEmailsAreClaimedAndVerified(t *testing.T) {
	inEachHouse(t, func(t *testing.T, h *openHouse) {
		h.register(t, identity.NewUser{Username: "bob", Email: "bob@example.com", EmailVerified: true, Password: testPassword})
		b := h.browser(t)
		b.signIn(t, page{})
		if shown := b.post(t, "/account/emails/add", url.Values{"address": {"Alice@Work.example"}}); shown.StatusCode != http.StatusOK {
			t.Fatalf("add: %s\n%s", shown.Status, shown.body)
		}
		link, letter := h.mail(t, "Verify your email address")
		if letter.To != "Alice@Work.example" {
			t.Errorf("the link went to %s", letter.To)
		}
		signIn := url.Values{"username": {"alice@work.example"}, "password": {testPassword}}
		if shown := h.browser(t).post(t, "/sign-in", signIn); shown.StatusCode != http.StatusUnauthorized {
			t.Errorf("an address that is not verified signs in: %s", shown.Status)
		}
		if shown := b.follow(t, link, nil); shown.StatusCode != http.StatusOK {
			t.Fatalf("verify: %s", shown.Status)
		}
		if shown := h.browser(t).post(t, "/sign-in", signIn); shown.StatusCode != http.StatusOK {
			t.Errorf("a verified address does not sign in: %s", shown.Status)
		}
		if shown := b.follow(t, link, nil); shown.StatusCode != http.StatusBadRequest {
			t.Errorf("the link worked twice: %s", shown.Status)
		}
		// Bob's address can be claimed, and nothing tells that it is his until somebody reads his mail.
		if shown := b.post(t, "/account/emails/add", url.Values{"address": {"bob@example.com"}}); shown.StatusCode != http.StatusOK {
			t.Errorf("claiming somebody else's address: %s", shown.Status)
		}
		emails, err := h.Identity.Emails().List(t.Context(), h.user.ID)
		if err != nil || len(emails) != 3 {
			t.Fatalf("%v, %v", emails, err)
		}
		primary, work := emails[0], emails[1]
		for _, step := range []struct {
			path string
			id   string
			want string
		}{
			{"remove", primary.ID.String(), "primary e-mail address"},
			{"primary", emails[2].ID.String(), ""}, // not verified: nothing happens
			{"primary", work.ID.String(), "primary address now"},
			{"remove", primary.ID.String(), "less than a week ago"}, // it was primary a moment ago
			{"remove", emails[2].ID.String(), "removed"},
			{"remove", work.ID.String(), "primary e-mail address"},
		} {
			shown := b.post(t, "/account/emails/"+step.path, url.Values{"id": {step.id}})
			if !strings.Contains(shown.body, step.want) {
				t.Errorf("%s: %s, without %q", step.path, shown.Status, step.want)
			}
		}
		if left, _ := h.Identity.Emails().List(t.Context(), h.user.ID); len(left) != 2 || left[0].ID != work.ID || !left[0].IsPrimary {
			t.Errorf("left are %+v", left)
		}
	})
}

func TestRolesAreToldToAppsThatMayAsk(t *testing.T) {
	inEachHouse(t, func(t *testing.T, h *openHouse) {
		if err := h.Identity.Roles().Grant(t.Context(), h.user.ID, "admin"); err != nil {
			t.Fatal(err)
		}
		if err := h.Identity.Roles().Grant(t.Context(), h.user.ID, "admin"); err != identity.ErrRoleHeld {
			t.Errorf("granted twice: %v", err)
		}
		may := h.client(t, func(c *clients.Client) { c.Scopes, c.IsTrusted = []string{"openid", "roles"}, true })
		mayNot := h.client(t, func(c *clients.Client) { c.IsTrusted = true })
		scope := url.Values{"scope": {"openid roles"}}
		b := h.browser(t)
		access := h.redeem(t, may, b.code(t, may, scope)).text("access_token")
		if roles, _ := h.userinfo(t, access).json["roles"].([]any); len(roles) != 1 || roles[0] != "admin" {
			t.Errorf("the app that may ask is told %v", roles)
		}
		if _, told := h.userinfo(t, h.redeem(t, mayNot, b.code(t, mayNot, scope)).text("access_token")).json["roles"]; told {
			t.Error("an app that may not ask is told")
		}
		if err := h.Identity.Roles().Revoke(t.Context(), h.user.ID, "admin"); err != nil {
			t.Fatal(err)
		}
		if roles, _ := h.userinfo(t, access).json["roles"].([]any); len(roles) != 0 {
			t.Errorf("after revoking: %v", roles)
		}
		if history, err := h.Identity.Roles().List(t.Context(), h.user.ID, true); err != nil || len(history) != 1 || history[0].IsActive || history[0].RevokedAt == nil {
			t.Errorf("history: %+v, %v", history, err)
		}
	})
}

func TestPasswordChange(t *testing.T) {
	inEachHouse(t, func(t *testing.T, h *openHouse) {
		client, elsewhere, b := h.client(t, nil), h.browser(t), h.browser(t)
		there, here := h.redeem(t, client, elsewhere.code(t, client, nil)), h.redeem(t, client, b.code(t, client, nil))
		if shown := b.post(t, "/account/password", url.Values{"present": {"wrong password"}, "password": {newPassword}}); !strings.Contains(shown.body, "current password is wrong") {
			t.Errorf("a wrong current password: %s", shown.Status)
		}
		if shown := b.post(t, "/account/password", url.Values{"present": {testPassword}, "password": {newPassword}}); shown.StatusCode != http.StatusOK {
			t.Fatalf("change: %s", shown.Status)
		}
		if a := h.refresh(t, client, there.text("refresh_token")); a.text("error") != "invalid_grant" {
			t.Errorf("another device lives on: %v", a.json)
		}
		if a := h.refresh(t, client, here.text("refresh_token")); a.status != http.StatusOK {
			t.Errorf("this device ended: %v", a.json)
		}
	})
}
