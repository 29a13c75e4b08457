package main

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/wicket-id/wicket/cmd/internal/server"
	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/storage/audit"
	"github.com/wicket-id/wicket/storage/seal"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// newcomer is a form that makes an account, with fields changed.
func newcomer(change url.Values) url.Values {
	form := url.Values{"username": {"carol"}, "email": {"carol@example.com"}, "name": {"Carol Example"}, "password": {newPassword}}
	for name, values := range change {
		form[name] = values
	}
	return form
}

func TestRegistration(t *testing.T) {
	inEachHouse(t, func(t *testing.T, h *openHouse) {
		b := h.browser(t)
		if shown := b.get(t, "/sign-in"); !strings.Contains(shown.body, `href="/register"`) {
			t.Errorf("the sign-in page does not lead to registration:\n%s", shown.body)
		}
		shown := b.post(t, "/register", newcomer(nil))
		if shown.StatusCode != http.StatusOK || !strings.Contains(shown.body, "Carol Example") || !strings.Contains(shown.body, "We have sent a link to your email address") {
			t.Fatalf("register: %s\n%s", shown.Status, shown.body)
		}
		if again := b.get(t, "/register"); again.Request.URL.Path != "/account" {
			t.Errorf("whoever is signed in is sent to %s", again.Request.URL)
		}
		carol, err := h.Identity.Users().Find(t.Context(), "carol")
		if err != nil || carol.CreatedBy != carol.Actor() || carol.LastLoginAt == nil {
			t.Fatalf("%+v, %v", carol, err)
		}
		link, letter := h.mail(t, "Verify your email address")
		if letter.To != "carol@example.com" {
			t.Errorf("the link went to %s", letter.To)
		}
		signIn := url.Values{"username": {"carol@example.com"}, "password": {newPassword}}
		if shown := h.browser(t).post(t, "/sign-in", signIn); shown.StatusCode != http.StatusUnauthorized {
			t.Errorf("an address that is not verified signs in: %s", shown.Status)
		}
		if shown := b.follow(t, link, nil); shown.StatusCode != http.StatusOK {
			t.Fatalf("verify: %s", shown.Status)
		}
		if shown := h.browser(t).post(t, "/sign-in", signIn); shown.StatusCode != http.StatusOK {
			t.Errorf("a verified address does not sign in: %s", shown.Status)
		}
		sessions, err := h.Identity.Sessions().List(t.Context(), carol.ID)
		if err != nil || len(sessions) != 2 || strings.Join(sessions[1].AMR, " ") != "pwd" || sessions[1].ACR != identity.ACRPassword {
			t.Errorf("sessions: %+v, %v", sessions, err)
		}
		for _, line := range []struct{ entity, action string }{{"user", "created"}, {"session", "started"}} {
			entries, err := audit.Entries(t.Context(), h.Database, audit.Filter{UserID: carol.ID, Entity: line.entity, Action: line.action, Limit: 5})
			if err != nil || len(entries) == 0 || entries[len(entries)-1].Actor != carol.Actor() || entries[len(entries)-1].IP == "" {
				t.Errorf("the ledger on %s %s: %+v, %v", line.entity, line.action, entries, err)
			}
		}
	})
}

func TestRegistrationForAWaitingApp(t *testing.T) {
	inEachHouse(t, func(t *testing.T, h *openHouse) {
		b, client := h.browser(t), h.client(t, nil)
		shown := b.get(t, h.authorizeURL(client, url.Values{"login_hint": {"carol@example.com"}}))
		_, link, found := strings.Cut(shown.body, `id="create-account" href="`)
		link, _, _ = strings.Cut(link, `"`)
		if !found || !strings.HasPrefix(link, "/register?continue=") {
			t.Fatalf("no way from the sign-in page to registration:\n%s", shown.body)
		}
		shown = b.get(t, link)
		if !strings.Contains(shown.body, "Test app") || !strings.Contains(shown.body, `value="carol@example.com"`) {
			t.Errorf("the page tells neither for which app, nor the hint: %s\n%s", shown.Status, shown.body)
		}
		if !strings.Contains(shown.Header.Get("Content-Security-Policy"), "http://localhost:9999") {
			t.Errorf("the form may not lead to the app: %s", shown.Header.Get("Content-Security-Policy"))
		}
		// A refusal does not lose the app.
		shown = b.post(t, "/register", newcomer(url.Values{"password": {"short"}, "continue": {shown.held()}}))
		if shown.StatusCode != http.StatusUnprocessableEntity || shown.held() == "" || !strings.Contains(shown.body, "Test app") {
			t.Fatalf("a refusal: %s\n%s", shown.Status, shown.body)
		}
		shown = b.post(t, "/register", newcomer(url.Values{"continue": {shown.held()}}))
		if !strings.Contains(shown.body, `id="allow"`) {
			t.Fatalf("after registration no consent page but %s at %s", shown.Status, shown.Request.URL)
		}
		location, err := b.allow(t, shown).Location()
		if err != nil || location.Query().Get("state") != "the-state" {
			t.Fatalf("%v, %v", location, err)
		}
		told := h.userinfo(t, h.redeem(t, client, location.Query().Get("code")).text("access_token")).json
		if told["preferred_username"] != "carol" || told["name"] != "Carol Example" || told["email"] != "carol@example.com" || told["email_verified"] != false {
			t.Errorf("the app is told %v", told)
		}
		// Somebody else at the same browser: the session before ends.
		shown = b.get(t, h.authorizeURL(client, url.Values{"prompt": {"login"}}))
		shown = b.post(t, "/register", newcomer(url.Values{"username": {"dave"}, "continue": {shown.held()}}))
		carol, err := h.Identity.Users().Find(t.Context(), "carol")
		if err != nil {
			t.Fatal(err)
		}
		if sessions, err := h.Identity.Sessions().List(t.Context(), carol.ID); err != nil || len(sessions) != 0 || !strings.Contains(shown.body, `id="allow"`) {
			t.Errorf("%+v, %v, %s", sessions, err, shown.Status)
		}
	})
}

func TestRegistrationIsRefused(t *testing.T) {
	inEachHouse(t, func(t *testing.T, h *openHouse) {
		b := h.browser(t)
		for _, c := range []struct {
			change url.Values
			field  string
			says   string
		}{
			{url.Values{"username": {"ALICE"}}, "username", "This username is taken."},
			{url.Values{"username": {"a b"}}, "username", "A username has"},
			{url.Values{"username": {"carol@example.com"}}, "username", "A username has"},
			{url.Values{"username": {""}}, "username", "A username has"},
			{url.Values{"email": {"carol"}}, "email", "This is not an e-mail address"},
			{url.Values{"email": {""}}, "email", "This is not an e-mail address"},
			{url.Values{"name": {strings.Repeat("é", 201)}}, "name", "one line of text"},
			{url.Values{"password": {""}}, "password", "Choose a password."},
			{url.Values{"password": {"qzx9vbk"}}, "password", "at least 8 characters"},
			{url.Values{"password": {strings.Repeat("purple ", 40)}}, "password", "at most 256"},
			{url.Values{"password": {"password1"}}, "password", "everybody tries first"},
			{url.Values{"password": {"quorvyn blathex"}, "name": {"Quorvyn Blathex"}}, "password", "your name or address"},
			{url.Values{"password": {"zigglesnort7"}, "email": {"zigglesnort@example.com"}}, "password", "your name or address"},
		} {
			form := newcomer(c.change)
			shown := b.post(t, "/register", form)
			if shown.StatusCode != http.StatusUnprocessableEntity || strings.Count(shown.body, `class="fault"`) != 1 ||
				!strings.Contains(shown.body, `id="`+c.field+`-failure"`) || !strings.Contains(shown.body, c.says) || strings.Count(shown.body, "autofocus") != 1 {
				t.Errorf("%v: %s\n%s", c.change, shown.Status, shown.body)
			}
			for _, kept := range []string{"username", "email", "name"} {
				if !strings.Contains(shown.body, `value="`+form.Get(kept)+`"`) {
					t.Errorf("%v: %s is lost", c.change, kept)
				}
			}
			password := form.Get("password")
			if password != "" && strings.Contains(shown.body, password) {
				t.Errorf("%v: the password comes back", c.change)
			}
			if rated := strings.Contains(shown.body, `id="strength"`); rated != (password != "") {
				t.Errorf("%v: rated: %t", c.change, rated)
			}
			if len(shown.Cookies()) > 0 {
				t.Errorf("%v: cookies %v", c.change, shown.Cookies())
			}
		}
		for password, words := range map[string]string{"password1": "guessed at once", newPassword: "very good"} {
			if shown := b.post(t, "/register", newcomer(url.Values{"username": {"alice"}, "password": {password}})); !strings.Contains(shown.body, "Rating: "+words) {
				t.Errorf("%q is not rated %s", password, words)
			}
		}
		if _, err := h.Identity.Users().Find(t.Context(), "carol"); err == nil {
			t.Error("there is an account after all")
		}
		if letters := h.Config().Outbox.Messages(); len(letters) > 0 {
			t.Errorf("letters went out: %v", letters)
		}
		// Everything is said at once.
		if shown := b.post(t, "/register", url.Values{"username": {"Alice"}}); strings.Count(shown.body, `class="fault"`) != 3 || !strings.Contains(shown.body, "taken") {
			t.Errorf("three faults: %s\n%s", shown.Status, shown.body)
		}
	})
}

func TestParallelRegistrationsOfOneUsername(t *testing.T) {
	inEachHouse(t, func(t *testing.T, h *openHouse) {
		const parallel = 6
		shown := make([]page, parallel)
		var group sync.WaitGroup
		for i := range parallel {
			b := h.browser(t)
			username := []string{"carol", "Carol", "CAROL"}[i%3]
			group.Go(func() {
				shown[i] = b.post(t, "/register", newcomer(url.Values{"username": {username}, "email": {fmt.Sprintf("carol%d@example.com", i)}}))
			})
		}
		group.Wait()
		won := 0
		for _, shown := range shown {
			switch {
			case shown.StatusCode == http.StatusOK && shown.Request.URL.Path == "/account":
				won++
			case shown.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(shown.body, "This username is taken."):
				t.Errorf("%s\n%s", shown.Status, shown.body)
			}
		}
		if won != 1 {
			t.Errorf("%d won", won)
		}
		users, err := h.Identity.Users().List(t.Context(), h.user.ID, 10)
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
	inEachHouse(t, func(t *testing.T, h *openHouse) {
		taken, free := h.browser(t), h.browser(t)
		first := taken.post(t, "/register", newcomer(url.Values{"email": {testEmail}}))
		link, letter := h.mail(t, "Verify your email address")
		if letter.To != testEmail {
			t.Fatalf("the link went to %s", letter.To)
		}
		second := free.post(t, "/register", newcomer(url.Values{"username": {"caril"}, "email": {"calla@example.com"}}))
		if first.StatusCode != second.StatusCode || first.Request.URL.String() != second.Request.URL.String() {
			t.Errorf("answered differently: %s %s and %s %s", first.Status, first.Request.URL, second.Status, second.Request.URL)
		}
		for _, b := range []*browser{taken, free} {
			if shown := b.get(t, "/account/emails"); strings.Count(shown.body, "Not verified") != 1 {
				t.Errorf("the addresses:\n%s", shown.body)
			}
		}
		// It is alice's still; that shows to who reads her mail.
		if shown := taken.follow(t, link, nil); shown.StatusCode != http.StatusConflict {
			t.Errorf("verifying: %s", shown.Status)
		}
		if user, err := h.Identity.Users().Find(t.Context(), testEmail); err != nil || user.ID != h.user.ID {
			t.Errorf("%s belongs to %+v, %v", testEmail, user, err)
		}
		// How often an address may be tried is the same too.
		for name, address := range map[string]string{"taken": testEmail, "free": "calla@example.com"} {
			for i := range 5 {
				shown := h.browser(t).post(t, "/register", newcomer(url.Values{"username": {fmt.Sprintf("%s%d", name, i)}, "email": {address}}))
				if want := map[bool]int{true: http.StatusOK, false: http.StatusTooManyRequests}[i < 4]; shown.StatusCode != want {
					t.Errorf("%s, time %d: %s", name, i, shown.Status)
				}
			}
		}
	})
}

func TestOneAddressMakesFewAccounts(t *testing.T) {
	inEachHouse(t, func(t *testing.T, h *openHouse) {
		b := h.browser(t)
		for i := range 20 {
			b.post(t, "/register", newcomer(url.Values{"username": {testUsername}})) // a slip costs nothing
			shown := b.post(t, "/register", newcomer(url.Values{"username": {fmt.Sprintf("carol%d", i)}, "email": {fmt.Sprintf("carol%d@example.com", i)}}))
			if shown.StatusCode != http.StatusOK {
				t.Fatalf("account %d: %s", i, shown.Status)
			}
		}
		shown := b.post(t, "/register", newcomer(nil))
		if shown.StatusCode != http.StatusTooManyRequests || !strings.Contains(shown.body, "try again in an hour") || !strings.Contains(shown.body, `value="carol@example.com"`) {
			t.Errorf("%s\n%s", shown.Status, shown.body)
		}
		for range 100 {
			shown = b.post(t, "/register", newcomer(url.Values{"username": {testUsername}}))
		}
		if shown.StatusCode != http.StatusTooManyRequests || strings.Contains(shown.body, "taken") {
			t.Errorf("usernames can be tried without end: %s", shown.Status)
		}
	})
}

func TestRegistrationIsOffUnlessOpened(t *testing.T) {
	storagetest.EachURL(t, func(t *testing.T, databaseURL string) {
		settings := map[string]string{"WICKET_DATABASE_URL": databaseURL, "WICKET_SECRET": seal.NewMasterKey()}
		env := server.Environment(settings)
		config, err := server.Load(env)
		if err != nil || config.Registration {
			t.Fatalf("%+v, %v", config, err)
		}
		h := openTestHouse(t, databaseURL, func(c *configuration) { c.Registration = config.Registration })
		b, client := h.browser(t), h.client(t, nil)
		for _, shown := range []page{b.get(t, "/register"), b.post(t, "/register", newcomer(nil))} {
			if shown.StatusCode != http.StatusNotFound {
				t.Errorf("%s %s: %s", shown.Request.Method, shown.Request.URL, shown.Status)
			}
		}
		for _, shown := range []page{b.get(t, "/sign-in"), b.get(t, h.authorizeURL(client, nil))} {
			if !strings.Contains(shown.body, `id="sign-in"`) || strings.Contains(shown.body, "/register") {
				t.Errorf("the sign-in page leads to registration:\n%s", shown.body)
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
