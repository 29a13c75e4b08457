package signin

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage/storagetest"
)

func TestPasswordReset(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		client, elsewhere, b := h.AddClient(t, nil), h.NewBrowser(t), h.NewBrowser(t)
		tokens := h.Redeem(t, client, elsewhere.Code(t, client, nil))
		known := b.Post(t, "/forgot-password", url.Values{"login": {harness.Email}})
		unknown := b.Post(t, "/forgot-password", url.Values{"login": {"nobody@example.com"}})
		if known.StatusCode != unknown.StatusCode || known.Text != unknown.Text {
			t.Errorf("known and unknown people are answered differently: %s and %s", known.Status, unknown.Status)
		}
		link, mail := h.Mail(t, "Choose a new password")
		if mail.To != harness.Email || !strings.Contains(mail.Text, "127.0.0.1") {
			t.Errorf("the mail went to %s and says:\n%s", mail.To, mail.Text)
		}
		for _, weak := range []string{"short", "password1", "alice example"} {
			if shown := b.FollowLink(
				t, link, url.Values{"password": {weak}},
			); shown.StatusCode != http.StatusUnprocessableEntity {
				t.Errorf("the password %q: %s", weak, shown.Status)
			}
		}
		if shown := b.FollowLink(t, link, url.Values{"password": {harness.NewPassword}}); shown.StatusCode != http.StatusOK {
			t.Fatalf("reset: %s\n%s", shown.Status, shown.Text)
		}
		if shown := b.FollowLink(
			t, link, url.Values{"password": {harness.NewPassword}},
		); shown.StatusCode != http.StatusBadRequest {
			t.Errorf("the link worked twice: %s", shown.Status)
		}
		if a := h.Refresh(t, client, tokens.Text("refresh_token")); a.Text("error") != "invalid_grant" {
			t.Errorf("a session from before lives on: %v", a.JSON)
		}
		if shown := b.SignIn(t, harness.Page{}); shown.StatusCode != http.StatusUnauthorized {
			t.Errorf("the old password: %s", shown.Status)
		}
		shown := b.Post(t, "/sign-in", url.Values{"username": {harness.Username}, "password": {harness.NewPassword}})
		if shown.StatusCode != http.StatusOK || !strings.Contains(shown.Text, "Alice Example") {
			t.Errorf("the new password: %s", shown.Status)
		}
		h.Mail(t, "Your password was changed")
	})
}

// Whoever asks for links in somebody's name, again and again, does not void the one that its owner got: all are good
// until one is used.
func TestForeignResetRequestsLeaveTheOwnersLink(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		b := h.NewBrowser(t)
		for range 8 {
			b.Post(t, "/forgot-password", url.Values{"login": {harness.Username}})
		}
		links := map[string]bool{}
		storagetest.Eventually(t, 15*time.Second, "five links", func() bool {
			for _, mail := range h.Config().Outbox.Messages() {
				if mail.Subject == "Choose a new password" {
					links[harness.MailedLink.FindString(mail.Text)] = true
				}
			}
			return len(links) == 5
		})
		for link := range links {
			if shown := b.Get(t, link); !strings.Contains(shown.Text, `id="choose"`) {
				t.Errorf("a link among others: %s", shown.Status)
			}
		}
		used := false
		for link := range links {
			want := map[bool]int{false: http.StatusOK, true: http.StatusBadRequest}[used]
			shown := b.FollowLink(t, link, url.Values{"password": {harness.NewPassword}})
			if shown.StatusCode != want {
				t.Errorf("a link, after one was used %t: %s", used, shown.Status)
			}
			used = true
		}
	})
}

func TestLockedAccountIsOpenedByMail(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		b := h.NewBrowser(t)
		for range 10 {
			b.Post(t, "/sign-in", url.Values{"username": {harness.Username}, "password": {"wrong password"}})
		}
		if shown := b.SignIn(t, harness.Page{}); shown.StatusCode != http.StatusUnauthorized {
			t.Fatalf("the right password opens a locked account: %s", shown.Status)
		}
		link, _ := h.Mail(t, "Your account is locked for a while")
		if shown := b.FollowLink(t, link, nil); shown.StatusCode != http.StatusOK {
			t.Fatalf("unlock: %s", shown.Status)
		}
		// The browser is known by now: the next lock, by others elsewhere, does not hold there.
		for range 10 {
			h.NewBrowser(t).Post(t, "/sign-in", url.Values{"username": {harness.Username}, "password": {"wrong password"}})
		}
		if shown := h.NewBrowser(t).SignIn(t, harness.Page{}); shown.StatusCode != http.StatusUnauthorized {
			t.Errorf("the account is not locked again: %s", shown.Status)
		}
		shown := b.SignIn(t, harness.Page{})
		if shown.StatusCode != http.StatusOK {
			t.Errorf("after unlocking: %s", shown.Status)
		}
		history := b.Get(t, "/account/activity").Text
		if strings.Count(history, "Wrong password") == 0 || !strings.Contains(history, "account was locked") {
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
		if outcomes["wrong_password"] != 20 || outcomes["locked"] != 2 || outcomes["success"] != 1 ||
			len(report.Hours) == 0 || report.Addresses[0].Count != 22 {
			t.Errorf("the report says %+v", report)
		}
	})
}

func TestUnfamiliarSignInCanBeDisowned(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		client, mine, theirs := h.AddClient(t, nil), h.NewBrowser(t), h.NewBrowser(t)
		mine.Code(t, client, nil)
		theirs.UserAgent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
		tokens := h.Redeem(t, client, theirs.Code(t, client, nil))
		link, mail := h.Mail(t, "A new sign-in to your account")
		if !strings.Contains(mail.Text, "Firefox on Linux") {
			t.Errorf("the mail does not say with what:\n%s", mail.Text)
		}
		shown := h.NewBrowser(t).FollowLink(t, link, nil)
		if !strings.Contains(shown.Text, `id="choose"`) {
			t.Fatalf("no way to another password: %s\n%s", shown.Status, shown.Text)
		}
		if a := h.Userinfo(t, tokens.Text("access_token")); a.Status != http.StatusUnauthorized {
			t.Errorf("their access token works: %d", a.Status)
		}
		if again := theirs.SignIn(t, harness.Page{}); again.StatusCode != http.StatusUnauthorized {
			t.Errorf("the password that they know works: %s", again.Status)
		}
		token := harness.HiddenToken.FindStringSubmatch(shown.Text)[1]
		if done := mine.Post(
			t, "/reset-password", url.Values{"token": {token}, "password": {harness.NewPassword}},
		); done.StatusCode != http.StatusOK {
			t.Errorf("choosing another password: %s", done.Status)
		}
	})
}

func TestEmailsAreClaimedAndVerified(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		h.Register(t, identity.NewUser{
			Username: "bob", Email: "bob@example.com", EmailVerified: true, Password: harness.Password,
		})
		b := h.NewBrowser(t)
		b.SignIn(t, harness.Page{})
		if shown := b.Post(
			t, "/account/emails/add", url.Values{"address": {"Alice@Work.example"}},
		); shown.StatusCode != http.StatusOK {
			t.Fatalf("add: %s\n%s", shown.Status, shown.Text)
		}
		link, mail := h.Mail(t, "Verify your email address")
		if mail.To != "Alice@Work.example" {
			t.Errorf("the link went to %s", mail.To)
		}
		signIn := url.Values{"username": {"alice@work.example"}, "password": {harness.Password}}
		if shown := h.NewBrowser(t).Post(t, "/sign-in", signIn); shown.StatusCode != http.StatusUnauthorized {
			t.Errorf("an address that is not verified signs in: %s", shown.Status)
		}
		if shown := b.FollowLink(t, link, nil); shown.StatusCode != http.StatusOK {
			t.Fatalf("verify: %s", shown.Status)
		}
		if shown := h.NewBrowser(t).Post(t, "/sign-in", signIn); shown.StatusCode != http.StatusOK {
			t.Errorf("a verified address does not sign in: %s", shown.Status)
		}
		if shown := b.FollowLink(t, link, nil); shown.StatusCode != http.StatusBadRequest {
			t.Errorf("the link worked twice: %s", shown.Status)
		}
		// Bob's address can be claimed, and nothing tells that it is his until somebody reads his mail.
		if shown := b.Post(
			t, "/account/emails/add", url.Values{"address": {"bob@example.com"}},
		); shown.StatusCode != http.StatusOK {
			t.Errorf("claiming somebody else's address: %s", shown.Status)
		}
		emails, err := h.Identity.Emails().List(t.Context(), h.User.ID)
		if err != nil || len(emails) != 3 {
			t.Fatalf("%v, %v", emails, err)
		}
		primary, work := emails[0], emails[1]
		for _, step := range []struct {
			path string
			id   string
			want string
		}{
			{"remove", primary.ID.String(), "primary email address"},
			{"primary", emails[2].ID.String(), ""}, // not verified: nothing happens
			{"primary", work.ID.String(), "primary address now"},
			{"remove", primary.ID.String(), "less than a week ago"}, // it was primary a moment ago
			{"remove", emails[2].ID.String(), "removed"},
			{"remove", work.ID.String(), "primary email address"},
		} {
			shown := b.Post(t, "/account/emails/"+step.path, url.Values{"id": {step.id}})
			if !strings.Contains(shown.Text, step.want) {
				t.Errorf("%s: %s, without %q", step.path, shown.Status, step.want)
			}
		}
		if left, _ := h.Identity.Emails().List(t.Context(), h.User.ID); len(left) != 2 || left[0].ID != work.ID ||
			!left[0].IsPrimary {
			t.Errorf("left are %+v", left)
		}
	})
}

func TestRolesAreToldToAppsThatMayAsk(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		if err := h.Identity.Roles().Grant(t.Context(), h.User.ID, "admin"); err != nil {
			t.Fatal(err)
		}
		if err := h.Identity.Roles().Grant(t.Context(), h.User.ID, "admin"); err != identity.ErrRoleHeld {
			t.Errorf("granted twice: %v", err)
		}
		may := h.AddClient(t, func(c *clients.Client) { c.Scopes, c.IsTrusted = []string{"openid", "roles"}, true })
		mayNot := h.AddClient(t, func(c *clients.Client) { c.IsTrusted = true })
		scope := url.Values{"scope": {"openid roles"}}
		b := h.NewBrowser(t)
		access := h.Redeem(t, may, b.Code(t, may, scope)).Text("access_token")
		if roles, _ := h.Userinfo(t, access).JSON["roles"].([]any); len(roles) != 1 || roles[0] != "admin" {
			t.Errorf("the app that may ask is told %v", roles)
		}
		if _, told := h.Userinfo(t, h.Redeem(t, mayNot, b.Code(t, mayNot, scope)).Text("access_token")).JSON["roles"]; told {
			t.Error("an app that may not ask is told")
		}
		if err := h.Identity.Roles().Revoke(t.Context(), h.User.ID, "admin"); err != nil {
			t.Fatal(err)
		}
		if roles, _ := h.Userinfo(t, access).JSON["roles"].([]any); len(roles) != 0 {
			t.Errorf("after revoking: %v", roles)
		}
		if history, err := h.Identity.Roles().List(t.Context(), h.User.ID, true); err != nil || len(history) != 1 ||
			history[0].IsActive || history[0].RevokedAt == nil {
			t.Errorf("history: %+v, %v", history, err)
		}
	})
}

func TestPasswordChange(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		client, elsewhere, b := h.AddClient(t, nil), h.NewBrowser(t), h.NewBrowser(t)
		there, here := h.Redeem(t, client, elsewhere.Code(t, client, nil)), h.Redeem(t, client, b.Code(t, client, nil))
		if shown := b.Post(
			t, "/account/password", url.Values{"present": {"wrong password"}, "password": {harness.NewPassword}},
		); !strings.Contains(shown.Text, "current password is wrong") {
			t.Errorf("a wrong current password: %s", shown.Status)
		}
		if shown := b.Post(
			t, "/account/password", url.Values{"present": {harness.Password}, "password": {harness.NewPassword}},
		); shown.StatusCode != http.StatusOK {
			t.Fatalf("change: %s", shown.Status)
		}
		if a := h.Refresh(t, client, there.Text("refresh_token")); a.Text("error") != "invalid_grant" {
			t.Errorf("another device lives on: %v", a.JSON)
		}
		if a := h.Refresh(t, client, here.Text("refresh_token")); a.Status != http.StatusOK {
			t.Errorf("this device ended: %v", a.JSON)
		}
	})
}

// disownedWithApp has alice add an authenticator app and make backup codes, and then a mail that was written before
// says by its link that a sign-in was not her. It returns the app's secret and the page that the link leads to.
func disownedWithApp(t *testing.T, h *harness.Server) (secret string, shown harness.Page) {
	t.Helper()
	mine, other := h.NewBrowser(t), h.NewBrowser(t)
	mine.SignIn(t, harness.Page{})
	other.UserAgent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
	other.SignIn(t, harness.Page{})
	link, _ := h.Mail(t, "A new sign-in to your account")
	secret, _ = mine.AddAuthenticator(t, "")
	if made := mine.Post(t, "/account/backup-codes", nil); !harness.ShownBackupCode.MatchString(made.Text) {
		t.Fatalf("backup codes: %s\n%s", made.Status, made.Text)
	}
	shown = h.NewBrowser(t).FollowLink(t, link, nil)
	if !strings.Contains(shown.Text, "Every device is signed out") {
		t.Fatalf("the page does not say that a second factor waits: %s\n%s", shown.Status, shown.Text)
	}
	return secret, shown
}

var nextLink = regexp.MustCompile(`id="next" href="([^"]+)"`)

// Whoever reads a person's mail does not take their second factor: it is still asked for, and its owner keeps it.
func TestSecondFactorIsKeptAfterNotMe(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		secret, shown := disownedWithApp(t, h)
		owner, next := h.NewBrowser(t), nextLink.FindStringSubmatch(shown.Text)[1]
		question := owner.Get(t, next)
		if !harness.AsksForCode(question) {
			t.Fatalf("a password is chosen without the second factor: %s\n%s", question.Request.URL, question.Text)
		}
		_, mail := h.Mail(t, "A second factor will be removed from your account")
		for _, want := range []string{"An authenticator app, added on", "The backup codes, added on"} {
			if !strings.Contains(mail.Text, want) {
				t.Errorf("the mail lacks %q:\n%s", want, mail.Text)
			}
		}
		chosen := owner.AnswerSecondStep(t, question, harness.TOTPCode(t, secret, 0))
		token := harness.HiddenToken.FindStringSubmatch(chosen.Text)[1]
		owner.Post(t, "/reset-password", url.Values{"token": {token}, "password": {harness.NewPassword}})
		question = owner.Post(t, "/sign-in", url.Values{"username": {harness.Username}, "password": {harness.NewPassword}})
		owner.AnswerSecondStep(t, question, harness.TOTPCode(t, secret, 1))
		page := owner.Get(t, "/account/security")
		if !strings.Contains(page.Text, `id="keep-factors"`) || !strings.Contains(page.Text, "They will be removed.") ||
			strings.Contains(page.Text, `class="badge bad"`) {
			t.Errorf("the page should say that the backup codes go, and the app not:\n%s", page.Text)
		}
		page = owner.Post(t, "/account/factors/keep", nil)
		if !strings.Contains(page.Text, "Nothing will be removed") || strings.Contains(page.Text, `id="keep-factors"`) {
			t.Errorf("keeping them: %s\n%s", page.Status, page.Text)
		}
	})
}

// A second factor that nobody uses is gone a day later, and then mail alone leads back into the account.
func TestSecondFactorIsRemovedADayAfterNotMe(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		disownedWithApp(t, h)
		yesterday := identity.Clock().Add(-24 * time.Hour)
		for _, table := range []string{"totps", "backup_codes"} {
			h.SQL(t, "UPDATE "+table+" SET removal_due_at = ? WHERE removal_due_at IS NOT NULL", yesterday)
		}
		if _, err := h.SignIns.Expire(t.Context()); err != nil {
			t.Fatal(err)
		}
		_, mail := h.Mail(t, "A second factor was removed from your account")
		if !strings.Contains(mail.Text, "An authenticator app, added on") {
			t.Errorf("the mail does not say what went:\n%s", mail.Text)
		}
		b := h.NewBrowser(t)
		b.Post(t, "/forgot-password", url.Values{"login": {harness.Email}})
		link, _ := h.Mail(t, "Choose a new password")
		if shown := b.Get(t, link); !strings.Contains(shown.Text, `id="choose"`) {
			t.Errorf("a second step is asked for: %s\n%s", shown.Request.URL, shown.Text)
		}
	})
}
