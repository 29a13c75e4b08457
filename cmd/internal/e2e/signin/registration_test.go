package signin

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/cmd/internal/server"
	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/storage/audit"
	"github.com/wicket-id/wicket/storage/seal"
	"github.com/wicket-id/wicket/storage/storagetest"
)

func TestRegistration(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		b := h.NewBrowser(t)
		if shown := b.Get(t, "/sign-in"); !strings.Contains(shown.Text, `href="/register"`) {
			t.Errorf("the sign-in page does not lead to registration:\n%s", shown.Text)
		}
		shown := b.Post(t, "/register", harness.SignUpForm(nil))
		if shown.StatusCode != http.StatusOK || !strings.Contains(shown.Text, "Carol Example") ||
			!strings.Contains(shown.Text, "We have sent a link to your email address") {
			t.Fatalf("register: %s\n%s", shown.Status, shown.Text)
		}
		if again := b.Get(t, "/register"); again.Request.URL.Path != "/account" {
			t.Errorf("whoever is signed in is sent to %s", again.Request.URL)
		}
		carol, err := h.Identity.Users().Find(t.Context(), "carol")
		if err != nil || carol.CreatedBy != carol.Actor() || carol.LastLoginAt == nil {
			t.Fatalf("%+v, %v", carol, err)
		}
		link, mail := h.Mail(t, "Verify your email address")
		if mail.To != "carol@example.com" {
			t.Errorf("the link went to %s", mail.To)
		}
		signIn := url.Values{"username": {"carol@example.com"}, "password": {harness.NewPassword}}
		if shown := h.NewBrowser(t).Post(t, "/sign-in", signIn); shown.StatusCode != http.StatusUnauthorized {
			t.Errorf("an address that is not verified signs in: %s", shown.Status)
		}
		if shown := b.FollowLink(t, link, nil); shown.StatusCode != http.StatusOK {
			t.Fatalf("verify: %s", shown.Status)
		}
		if shown := h.NewBrowser(t).Post(t, "/sign-in", signIn); shown.StatusCode != http.StatusOK {
			t.Errorf("a verified address does not sign in: %s", shown.Status)
		}
		sessions, err := h.Identity.Sessions().List(t.Context(), carol.ID)
		if err != nil || len(sessions) != 2 || strings.Join(sessions[1].AMR, " ") != "pwd" ||
			sessions[1].ACR != identity.ACRPassword {
			t.Errorf("sessions: %+v, %v", sessions, err)
		}
		for _, line := range []struct{ entity, action string }{{"user", "created"}, {"session", "started"}} {
			entries, err := audit.Entries(t.Context(), h.Database, audit.Filter{
				UserID: carol.ID, Entity: line.entity, Action: line.action, Limit: 5,
			})
			if err != nil || len(entries) == 0 || entries[len(entries)-1].Actor != carol.Actor() ||
				entries[len(entries)-1].IP == "" {
				t.Errorf("the audit trail on %s %s: %+v, %v", line.entity, line.action, entries, err)
			}
		}
	})
}

func TestRegistrationForAWaitingApp(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		b, client := h.NewBrowser(t), h.AddClient(t, nil)
		shown := b.Get(t, h.AuthorizeURL(client, url.Values{"login_hint": {"carol@example.com"}}))
		_, link, found := strings.Cut(shown.Text, `id="create-account" href="`)
		link, _, _ = strings.Cut(link, `"`)
		if !found || !strings.HasPrefix(link, "/register?continue=") {
			t.Fatalf("no way from the sign-in page to registration:\n%s", shown.Text)
		}
		shown = b.Get(t, link)
		if !strings.Contains(shown.Text, "Test app") || !strings.Contains(shown.Text, `value="carol@example.com"`) {
			t.Errorf("the page tells neither for which app, nor the hint: %s\n%s", shown.Status, shown.Text)
		}
		if !strings.Contains(shown.Header.Get("Content-Security-Policy"), "http://localhost:9999") {
			t.Errorf("the form may not lead to the app: %s", shown.Header.Get("Content-Security-Policy"))
		}
		// A refusal does not lose the app.
		shown = b.Post(t, "/register", harness.SignUpForm(url.Values{"password": {"short"}, "continue": {shown.Continue()}}))
		if shown.StatusCode != http.StatusUnprocessableEntity || shown.Continue() == "" ||
			!strings.Contains(shown.Text, "Test app") {
			t.Fatalf("a refusal: %s\n%s", shown.Status, shown.Text)
		}
		shown = b.Post(t, "/register", harness.SignUpForm(url.Values{"continue": {shown.Continue()}}))
		if !strings.Contains(shown.Text, `id="allow"`) {
			t.Fatalf("after registration no consent page but %s at %s", shown.Status, shown.Request.URL)
		}
		location, err := b.Allow(t, shown).Location()
		if err != nil || location.Query().Get("state") != "the-state" {
			t.Fatalf("%v, %v", location, err)
		}
		told := h.Userinfo(t, h.Redeem(t, client, location.Query().Get("code")).Text("access_token")).JSON
		if told["preferred_username"] != "carol" || told["name"] != "Carol Example" || told["email"] != "carol@example.com" ||
			told["email_verified"] != false {
			t.Errorf("the app is told %v", told)
		}
		// Somebody else at the same browser: the session before ends.
		shown = b.Get(t, h.AuthorizeURL(client, url.Values{"prompt": {"login"}}))
		shown = b.Post(t, "/register", harness.SignUpForm(url.Values{"username": {"dave"}, "continue": {shown.Continue()}}))
		carol, err := h.Identity.Users().Find(t.Context(), "carol")
		if err != nil {
			t.Fatal(err)
		}
		if sessions, err := h.Identity.Sessions().List(t.Context(), carol.ID); err != nil || len(sessions) != 0 ||
			!strings.Contains(shown.Text, `id="allow"`) {
			t.Errorf("%+v, %v, %s", sessions, err, shown.Status)
		}
	})
}

func TestRegistrationIsRefused(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		b := h.NewBrowser(t)
		for _, c := range []struct {
			change url.Values
			field  string
			says   string
		}{
			{url.Values{"username": {"ALICE"}}, "username", "This username is taken."},
			{url.Values{"username": {"a b"}}, "username", "A username has"},
			{url.Values{"username": {"carol@example.com"}}, "username", "A username has"},
			{url.Values{"username": {""}}, "username", "A username has"},
			{url.Values{"email": {"carol"}}, "email", "This is not an email address"},
			{url.Values{"email": {""}}, "email", "This is not an email address"},
			{url.Values{"name": {strings.Repeat("é", 201)}}, "name", "one line of text"},
			{url.Values{"password": {""}}, "password", "Choose a password."},
			{url.Values{"password": {"qzx9vbk"}}, "password", "at least 8 characters"},
			{url.Values{"password": {strings.Repeat("purple ", 40)}}, "password", "at most 256"},
			{url.Values{"password": {"password1"}}, "password", "everybody tries first"},
			{url.Values{"password": {"quorvyn blathex"}, "name": {"Quorvyn Blathex"}}, "password", "your name or address"},
			{url.Values{"password": {"zigglesnort7"}, "email": {"zigglesnort@example.com"}}, "password", "your name or address"},
		} {
			form := harness.SignUpForm(c.change)
			shown := b.Post(t, "/register", form)
			if shown.StatusCode != http.StatusUnprocessableEntity || strings.Count(shown.Text, `class="fault"`) != 1 ||
				!strings.Contains(shown.Text, `id="`+c.field+`-failure"`) || !strings.Contains(shown.Text, c.says) ||
				strings.Count(shown.Text, "autofocus") != 1 {
				t.Errorf("%v: %s\n%s", c.change, shown.Status, shown.Text)
			}
			for _, kept := range []string{"username", "email", "name"} {
				if !strings.Contains(shown.Text, `value="`+form.Get(kept)+`"`) {
					t.Errorf("%v: %s is lost", c.change, kept)
				}
			}
			password := form.Get("password")
			if password != "" && strings.Contains(shown.Text, password) {
				t.Errorf("%v: the password comes back", c.change)
			}
			if rated := strings.Contains(shown.Text, `<span class="on">`); rated != (password != "") {
				t.Errorf("%v: rated: %t", c.change, rated)
			}
			if len(shown.Cookies()) > 0 {
				t.Errorf("%v: cookies %v", c.change, shown.Cookies())
			}
		}
		ratings := map[string]string{"password1": "Very easy to guess", harness.NewPassword: "Very strong"}
		for password, words := range ratings {
			if shown := b.Post(
				t, "/register", harness.SignUpForm(url.Values{"username": {"alice"}, "password": {password}}),
			); !strings.Contains(shown.Text, `polite">`+words) {
				t.Errorf("%q is not rated %s", password, words)
			}
		}
		if _, err := h.Identity.Users().Find(t.Context(), "carol"); err == nil {
			t.Error("there is an account after all")
		}
		if mails := h.Config().Outbox.Messages(); len(mails) > 0 {
			t.Errorf("mails went out: %v", mails)
		}
		// Everything is said at once.
		if shown := b.Post(
			t, "/register", url.Values{"username": {"Alice"}},
		); strings.Count(shown.Text, `class="fault"`) != 3 || !strings.Contains(shown.Text, "taken") {
			t.Errorf("three faults: %s\n%s", shown.Status, shown.Text)
		}
	})
}

func TestParallelRegistrationsOfOneUsername(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		const parallel = 6
		shown := make([]harness.Page, parallel)
		var group sync.WaitGroup
		for i := range parallel {
			b := h.NewBrowser(t)
			username := []string{"carol", "Carol", "CAROL"}[i%3]
			group.Go(func() {
				shown[i] = b.Post(t, "/register", harness.SignUpForm(url.Values{
					"username": {username}, "email": {fmt.Sprintf("carol%d@example.com", i)},
				}))
			})
		}
		group.Wait()
		won := 0
		for _, shown := range shown {
			switch {
			case shown.StatusCode == http.StatusOK && shown.Request.URL.Path == "/account":
				won++
			case shown.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(shown.Text, "This username is taken."):
				t.Errorf("%s\n%s", shown.Status, shown.Text)
			}
		}
		if won != 1 {
			t.Errorf("%d won", won)
		}
		users, err := h.Identity.Users().List(t.Context(), h.User.ID, 10)
		if err != nil || len(users) != 1 {
			t.Fatalf("%+v, %v", users, err)
		}
		var emails, profiles int
		for table, count := range map[string]*int{"emails": &emails, "profiles": &profiles} {
			if err := h.Database.Reader().NewRaw("SELECT count(*) FROM "+table).Scan(t.Context(), count); err != nil {
				t.Fatal(err)
			}
		}
		if emails != 2 || profiles != 2 {
			t.Errorf("%d addresses and %d profiles of two people", emails, profiles)
		}
	})
}

func TestRegistrationDoesNotTellWhoseAnAddressIs(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		taken, free := h.NewBrowser(t), h.NewBrowser(t)
		first := taken.Post(t, "/register", harness.SignUpForm(url.Values{"email": {harness.Email}}))
		link, mail := h.Mail(t, "Verify your email address")
		if mail.To != harness.Email {
			t.Fatalf("the link went to %s", mail.To)
		}
		second := free.Post(t, "/register", harness.SignUpForm(url.Values{
			"username": {"caril"}, "email": {"calla@example.com"},
		}))
		if first.StatusCode != second.StatusCode || first.Request.URL.String() != second.Request.URL.String() {
			t.Errorf("answered differently: %s %s and %s %s", first.Status, first.Request.URL, second.Status, second.Request.URL)
		}
		for _, b := range []*harness.Browser{taken, free} {
			if shown := b.Get(t, "/account/emails"); strings.Count(shown.Text, "Not verified") != 1 {
				t.Errorf("the addresses:\n%s", shown.Text)
			}
		}
		// It is alice's still; that shows to who reads her mail.
		if shown := taken.FollowLink(t, link, nil); shown.StatusCode != http.StatusConflict {
			t.Errorf("verifying: %s", shown.Status)
		}
		if user, err := h.Identity.Users().Find(t.Context(), harness.Email); err != nil || user.ID != h.User.ID {
			t.Errorf("%s belongs to %+v, %v", harness.Email, user, err)
		}
		// How often an address may be tried is the same too.
		for name, address := range map[string]string{"taken": harness.Email, "free": "calla@example.com"} {
			for i := range 5 {
				shown := h.NewBrowser(t).Post(t, "/register", harness.SignUpForm(url.Values{
					"username": {fmt.Sprintf("%s%d", name, i)}, "email": {address},
				}))
				if want := map[bool]int{true: http.StatusOK, false: http.StatusTooManyRequests}[i < 4]; shown.StatusCode != want {
					t.Errorf("%s, time %d: %s", name, i, shown.Status)
				}
			}
		}
	})
}

func TestOneAddressMakesFewAccounts(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		b := h.NewBrowser(t)
		for i := range 20 {
			b.Post(t, "/register", harness.SignUpForm(url.Values{"username": {harness.Username}})) // a slip costs nothing
			shown := b.Post(t, "/register", harness.SignUpForm(url.Values{
				"username": {fmt.Sprintf("carol%d", i)}, "email": {fmt.Sprintf("carol%d@example.com", i)},
			}))
			if shown.StatusCode != http.StatusOK {
				t.Fatalf("account %d: %s", i, shown.Status)
			}
		}
		shown := b.Post(t, "/register", harness.SignUpForm(nil))
		if shown.StatusCode != http.StatusTooManyRequests || !strings.Contains(shown.Text, "try again in an hour") ||
			!strings.Contains(shown.Text, `value="carol@example.com"`) {
			t.Errorf("%s\n%s", shown.Status, shown.Text)
		}
		for range 100 {
			shown = b.Post(t, "/register", harness.SignUpForm(url.Values{"username": {harness.Username}}))
		}
		if shown.StatusCode != http.StatusTooManyRequests || strings.Contains(shown.Text, "taken") {
			t.Errorf("usernames can be tried without end: %s", shown.Status)
		}
	})
}

func TestRegistrationIsOffUnlessOpened(t *testing.T) {
	t.Parallel()
	storagetest.EachURL(t, func(t *testing.T, databaseURL string) {
		settings := map[string]string{"WICKET_DATABASE_URL": databaseURL, "WICKET_SECRET": seal.NewMasterKey()}
		env := server.Environment(settings)
		config, err := server.Load(env)
		if err != nil || config.Registration {
			t.Fatalf("%+v, %v", config, err)
		}
		h := harness.Start(t, databaseURL, func(c *harness.Config) { c.Registration = config.Registration })
		b, client := h.NewBrowser(t), h.AddClient(t, nil)
		for _, shown := range []harness.Page{b.Get(t, "/register"), b.Post(t, "/register", harness.SignUpForm(nil))} {
			if shown.StatusCode != http.StatusNotFound {
				t.Errorf("%s %s: %s", shown.Request.Method, shown.Request.URL, shown.Status)
			}
		}
		for _, shown := range []harness.Page{b.Get(t, "/sign-in"), b.Get(t, h.AuthorizeURL(client, nil))} {
			if !strings.Contains(shown.Text, `id="sign-in"`) || strings.Contains(shown.Text, "/register") {
				t.Errorf("the sign-in page leads to registration:\n%s", shown.Text)
			}
		}
		settings["WICKET_REGISTRATION"] = "open"
		if config, err := server.Load(env); err != nil || !config.Registration {
			t.Errorf("open: %v", err)
		}
		settings["WICKET_REGISTRATION"] = "yes"
		if _, err := server.Load(env); err == nil || !strings.Contains(err.Error(), "WICKET_REGISTRATION") {
			t.Errorf("a mistyped setting: %v", err)
		}
	})
}
