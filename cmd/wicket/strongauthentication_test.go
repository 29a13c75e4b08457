package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/oidc/authorize"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage/storagetest"
)

var (
	shownSecret = regexp.MustCompile(`id="secret">([A-Z2-7 ]+)<`)
	shownID     = regexp.MustCompile(`name="id" value="([^"]+)"`)
	shownCode   = regexp.MustCompile(`<code>([0-9a-z]{4}-[0-9a-z]{4}-[0-9a-z]{4})</code>`)
)

// totpCode is what an authenticator app shows, as another library has it. A code works once, so that a test has three: of
// the step before, of this one and of the next.
func totpCode(t testing.TB, secret string, steps int) string {
	t.Helper()
	code, err := totp.GenerateCode(secret, time.Now().Add(time.Duration(steps)*30*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// addApp adds an authenticator app by the pages, with the code of the step before, and returns its secret and what comes
// next. more is the query of the page, such as continue.
func (b *browser) addApp(t testing.TB, more string) (secret string, next page) {
	t.Helper()
	shown := b.get(t, "/account/totps/new"+more)
	match := shownSecret.FindStringSubmatch(shown.body)
	if match == nil {
		t.Fatalf("no secret at %s: %s\n%s", shown.Request.URL, shown.Status, shown.body)
	}
	secret = strings.ReplaceAll(match[1], " ", "")
	form := url.Values{"id": {shownID.FindStringSubmatch(shown.body)[1]}, "continue": {shown.held()}, "name": {"My phone"}}
	form.Set("code", "000000")
	if wrong := b.post(t, "/account/totps/confirm", form); wrong.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(wrong.body, match[1]) {
		t.Errorf("a wrong code: %s\n%s", wrong.Status, wrong.body)
	}
	form.Set("code", totpCode(t, secret, -1))
	return secret, b.post(t, "/account/totps/confirm", form)
}

// verify answers the page that asks for a second step.
func (b *browser) verify(t testing.TB, shown page, code string) page {
	t.Helper()
	return b.post(t, "/second-step", url.Values{"code": {code}, "continue": {shown.held()}})
}

func asksForCode(shown page) bool { return strings.Contains(shown.body, `id="code"`) }

// idClaims are the claims of an ID token that came fresh from the token endpoint.
func idClaims(t testing.TB, tokens answer) (claims struct {
	ACR      string   `json:"acr"`
	AMR      []string `json:"amr"`
	AuthTime int64    `json:"auth_time"`
	Session  string   `json:"sid"`
}) {
	t.Helper()
	parts := strings.Split(tokens.text("id_token"), ".")
	if len(parts) != 3 {
		t.Fatalf("no ID token: %v", tokens.json)
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(payload, &claims); err != nil {
		t.Fatal(err)
	}
	return claims
}

// reachApp takes a browser that is past its sign-in through consent to the app, and returns what the ID token says.
func (b *browser) reachApp(t testing.TB, client testClient, shown page) (claims struct {
	ACR      string   `json:"acr"`
	AMR      []string `json:"amr"`
	AuthTime int64    `json:"auth_time"`
	Session  string   `json:"sid"`
}) {
	t.Helper()
	if strings.Contains(shown.body, `id="allow"`) {
		shown = b.allow(t, shown)
	}
	location, err := shown.Location()
	if err != nil || location.Query().Get("code") == "" {
		t.Fatalf("no way to the app: %s at %s\n%s", shown.Status, shown.Request.URL, shown.body)
	}
	return idClaims(t, b.house.redeem(t, client, location.Query().Get("code")))
}

func TestTOTPThroughThePages(t *testing.T) {
	inEachHouse(t, func(t *testing.T, h *openHouse) {
		client, b := h.client(t, nil), h.browser(t)
		if claims := idClaims(t, h.redeem(t, client, b.code(t, client, nil))); claims.ACR != identity.ACRPassword || strings.Join(claims.AMR, " ") != "pwd" {
			t.Errorf("after a password: %+v", claims)
		}
		if early := b.post(t, "/account/backup-codes", nil); early.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(early.body, "add one first") {
			t.Errorf("backup codes before there is a factor: %s", early.Status)
		}
		secret, shown := b.addApp(t, "")
		if shown.StatusCode != http.StatusOK || !strings.Contains(shown.body, "My phone") {
			t.Fatalf("added: %s\n%s", shown.Status, shown.body)
		}
		link, letter := h.mail(t, "A new way to sign in to your account")
		if link == "" || !strings.Contains(letter.Text, "An authenticator app was added") {
			t.Errorf("the letter says\n%s", letter.Text)
		}
		// Who adds a factor has shown it: the session is of two factors now.
		if claims := idClaims(t, h.redeem(t, client, b.code(t, client, nil))); claims.ACR != identity.ACRMultiFactor || strings.Join(claims.AMR, " ") != "pwd otp mfa" {
			t.Errorf("after adding an app: %+v", claims)
		}
		made := b.post(t, "/account/backup-codes", nil)
		codes := shownCode.FindAllStringSubmatch(made.body, -1)
		if len(codes) != 10 {
			t.Fatalf("%d backup codes: %s\n%s", len(codes), made.Status, made.body)
		}
		if again := b.get(t, "/account/security"); strings.Contains(again.body, codes[0][1]) || !strings.Contains(again.body, "You have 10 left") {
			t.Errorf("the security page:\n%s", again.body)
		}

		elsewhere := h.browser(t)
		shown = elsewhere.signIn(t, elsewhere.get(t, h.authorizeURL(client, nil)))
		if !asksForCode(shown) || !strings.Contains(shown.body, client.Name) {
			t.Fatalf("no second step: %s at %s\n%s", shown.Status, shown.Request.URL, shown.body)
		}
		if account := elsewhere.get(t, "/account"); !strings.Contains(account.body, `id="sign-in"`) {
			t.Error("the password alone opens the account page")
		}
		wrong := elsewhere.verify(t, shown, "123456")
		if wrong.StatusCode != http.StatusUnauthorized || !asksForCode(wrong) {
			t.Errorf("a wrong code: %s", wrong.Status)
		}
		if claims := elsewhere.reachApp(t, client, elsewhere.verify(t, wrong, totpCode(t, secret, 0))); claims.ACR != identity.ACRMultiFactor || strings.Join(claims.AMR, " ") != "pwd otp mfa" {
			t.Errorf("after password and code: %+v", claims)
		}

		third := h.browser(t)
		shown = third.signIn(t, page{})
		if shown = third.verify(t, shown, codes[3][1]); shown.StatusCode != http.StatusOK || !strings.Contains(shown.body, "Alice Example") {
			t.Errorf("a backup code: %s\n%s", shown.Status, shown.body)
		}
		_, letter = h.mail(t, "A backup code was used")
		if !strings.Contains(letter.Text, "There are 9 left") {
			t.Errorf("the letter says\n%s", letter.Text)
		}
		history := third.get(t, "/account/security").body
		for _, want := range []string{"a second step was asked for", "Second step failed", "Signed in"} {
			if !strings.Contains(history, want) {
				t.Errorf("the person's history lacks %q", want)
			}
		}
	})
}

// The page of a second step belongs to the browser in which the password was typed, and to nobody else.
func TestSecondStepWithoutAFirst(t *testing.T) {
	inEachHouse(t, func(t *testing.T, h *openHouse) {
		b := h.browser(t)
		b.signIn(t, page{})
		secret, _ := b.addApp(t, "")
		stranger := h.browser(t)
		for _, shown := range []page{stranger.get(t, "/second-step"), stranger.verify(t, page{}, totpCode(t, secret, 0))} {
			if shown.StatusCode != http.StatusBadRequest || !strings.Contains(shown.body, "took too long") {
				t.Errorf("%s: %s", shown.Request.Method, shown.Status)
			}
		}
	})
}

func TestTrustedDeviceThroughThePages(t *testing.T) {
	inEachHouse(t, func(t *testing.T, h *openHouse) {
		b := h.browser(t)
		b.signIn(t, page{})
		secret, _ := b.addApp(t, "")
		mine := h.browser(t)
		mine.signIn(t, page{})
		mine.post(t, "/second-step", url.Values{"code": {totpCode(t, secret, 0)}, "trust": {"yes"}})
		mine.post(t, "/account/sign-out", nil)
		if shown := mine.signIn(t, page{}); asksForCode(shown) || !strings.Contains(shown.body, "Alice Example") {
			t.Fatalf("a trusted browser is asked again: %s", shown.Status)
		}
		// What could weaken the account asks all the same.
		if shown := mine.get(t, "/account/totps/new"); !asksForCode(shown) || shown.Request.URL.Path != "/second-step" {
			t.Errorf("adding a factor from a trusted browser: %s at %s", shown.Status, shown.Request.URL)
		}
		if shown := mine.post(t, "/account/backup-codes", nil); shown.Request.URL.Path != "/second-step" {
			t.Errorf("making backup codes from a trusted browser: %s at %s", shown.Status, shown.Request.URL)
		}
		if shown := h.browser(t).signIn(t, page{}); !asksForCode(shown) {
			t.Error("another browser is not asked")
		}
	})
}

func TestResetAsksForTheSecondFactor(t *testing.T) {
	inEachHouse(t, func(t *testing.T, h *openHouse) {
		b := h.browser(t)
		b.signIn(t, page{})
		secret, _ := b.addApp(t, "")
		lost := h.browser(t)
		lost.post(t, "/forgot-password", url.Values{"login": {testEmail}})
		link, _ := h.mail(t, "Choose a new password")
		shown := lost.get(t, link)
		if !asksForCode(shown) || shown.Request.URL.Path != "/second-step" {
			t.Fatalf("the link: %s at %s\n%s", shown.Status, shown.Request.URL, shown.body)
		}
		token, err := url.Parse(link)
		if err != nil {
			t.Fatal(err)
		}
		// Round the question.
		form := url.Values{"token": {token.Query().Get("token")}, "password": {newPassword}}
		if around := lost.post(t, "/reset-password", form); around.Request.URL.Path != "/second-step" {
			t.Errorf("without an answer: %s at %s", around.Status, around.Request.URL)
		}
		if wrong := lost.verify(t, shown, "000000"); wrong.StatusCode != http.StatusUnauthorized {
			t.Errorf("a wrong code: %s", wrong.Status)
		}
		shown = lost.verify(t, shown, totpCode(t, secret, 0))
		if !strings.Contains(shown.body, `name="password"`) {
			t.Fatalf("after the code: %s at %s\n%s", shown.Status, shown.Request.URL, shown.body)
		}
		if other := h.browser(t).post(t, "/reset-password", form); other.Request.URL.Path != "/second-step" {
			t.Errorf("the answer counts in another browser: %s", other.Status)
		}
		if shown = lost.post(t, "/reset-password", form); shown.StatusCode != http.StatusOK || !strings.Contains(shown.body, "Your password is changed") {
			t.Fatalf("reset: %s\n%s", shown.Status, shown.body)
		}
		shown = lost.post(t, "/sign-in", url.Values{"username": {testUsername}, "password": {newPassword}})
		if !asksForCode(shown) {
			t.Errorf("after the reset the password alone signs in: %s", shown.Status)
		}
	})
}

// Step-up (RFC 9470): the same session, raised.
func TestStepUp(t *testing.T) {
	inEachHouse(t, func(t *testing.T, h *openHouse) {
		client, b := h.client(t, nil), h.browser(t)
		mfa := url.Values{"acr_values": {identity.ACRMultiFactor}}
		essential := url.Values{"claims": {`{"id_token":{"acr":{"essential":true,"values":["` + identity.ACRMultiFactor + `"]}}}`}}

		// Who has no second factor is not kept out by a wish, and is asked to get one by a demand.
		first := idClaims(t, h.redeem(t, client, b.code(t, client, mfa)))
		if first.ACR != identity.ACRPassword {
			t.Errorf("a wish that nobody could meet: %+v", first)
		}
		shown := b.get(t, h.authorizeURL(client, essential))
		if !strings.Contains(shown.body, `id="add-totp"`) {
			t.Fatalf("a demand: %s at %s\n%s", shown.Status, shown.Request.URL, shown.body)
		}
		declined := b.post(t, "/enrol/decline", url.Values{"continue": {shown.held()}})
		if location, err := declined.Location(); err != nil || location.Query().Get("error") != "unmet_authentication_requirements" {
			t.Errorf("declined: %s %v", declined.Status, location)
		}
		silent := b.get(t, h.authorizeURL(client, url.Values{"claims": essential["claims"], "prompt": {"none"}}))
		if location, err := silent.Location(); err != nil || location.Query().Get("error") != "interaction_required" {
			t.Errorf("silently: %s %v", silent.Status, location)
		}
		unknown := b.get(t, h.authorizeURL(client, url.Values{"claims": {`{"id_token":{"acr":{"essential":true,"value":"https://example.com/loa9"}}}`}}))
		if location, err := unknown.Location(); err != nil || location.Query().Get("error") != "unmet_authentication_requirements" {
			t.Errorf("a class that nobody knows: %s %v", unknown.Status, location)
		}
		continued := regexp.MustCompile(`id="add-totp" href="/account/totps/new(\?continue=[^"]+)"`).FindStringSubmatch(shown.body)
		secret, next := b.addApp(t, html.UnescapeString(continued[1]))
		if claims := b.reachApp(t, client, next); claims.ACR != identity.ACRMultiFactor || claims.Session != first.Session {
			t.Errorf("after enrolling: %+v, the session before was %s", claims, first.Session)
		}

		// Signed in with a trusted browser, which is a password's worth.
		mine := h.browser(t)
		mine.signIn(t, page{})
		mine.post(t, "/second-step", url.Values{"code": {totpCode(t, secret, 0)}, "trust": {"yes"}})
		mine.post(t, "/account/sign-out", nil)
		mine.signIn(t, page{})
		plain := mine.reachApp(t, client, mine.get(t, h.authorizeURL(client, nil)))
		if plain.ACR != identity.ACRPassword {
			t.Errorf("from a trusted browser: %+v", plain)
		}
		shown = mine.get(t, h.authorizeURL(client, mfa))
		if !asksForCode(shown) {
			t.Fatalf("no step-up: %s at %s\n%s", shown.Status, shown.Request.URL, shown.body)
		}
		raised := mine.reachApp(t, client, mine.verify(t, shown, totpCode(t, secret, 1)))
		if raised.ACR != identity.ACRMultiFactor || raised.Session != plain.Session || raised.AuthTime != plain.AuthTime || !slices.Contains(raised.AMR, "otp") {
			t.Errorf("raised from %+v to %+v", plain, raised)
		}
		if shown = mine.get(t, h.authorizeURL(client, mfa)); asksForCode(shown) {
			t.Error("asked once more")
		}
	})
}

// An app, or the operator, may demand two factors of a sign-in.
func TestDemandedTwoFactors(t *testing.T) {
	storagetest.EachURL(t, func(t *testing.T, databaseURL string) {
		h := openTestHouse(t, databaseURL, func(c *configuration) { c.TwoFactors = authorize.TwoFactorRule{Roles: []string{"clerk", "admin"}} })
		bank, shop := h.client(t, func(c *clients.Client) { c.RequiredACR = identity.ACRMultiFactor }), h.client(t, nil)
		b := h.browser(t)
		if shown := b.signIn(t, b.get(t, h.authorizeURL(bank, nil))); !strings.Contains(shown.body, `id="add-passkey"`) {
			t.Errorf("the bank: %s at %s", shown.Status, shown.Request.URL)
		}
		b.code(t, shop, nil)
		if err := h.Identity.Roles().Grant(t.Context(), h.user.ID, "clerk"); err != nil {
			t.Fatal(err)
		}
		if shown := b.get(t, h.authorizeURL(shop, nil)); !strings.Contains(shown.body, `id="add-passkey"`) {
			t.Errorf("a clerk in the shop: %s at %s", shown.Status, shown.Request.URL)
		}
		if err := h.Identity.Roles().Revoke(t.Context(), h.user.ID, "clerk"); err != nil {
			t.Fatal(err)
		}
		b.code(t, shop, nil)
	})
}

func TestFactorCommands(t *testing.T) {
	storagetest.EachURL(t, func(t *testing.T, databaseURL string) {
		line, issuer := newCommandLine(t, databaseURL)
		server := line.serve(t, issuer)
		line.json(t, &printedUser{}, testPassword, "user", "create", "--username", testUsername, "--email", testEmail, "--email-verified", "--password-stdin")
		h := &openHouse{issuer: issuer}
		b := h.browser(t)
		b.signIn(t, page{})
		b.addApp(t, "")
		var view printedFactors
		line.json(t, &view, "", "user", "factors", testUsername)
		if !view.HasPassword || !view.TwoFactor || len(view.Factors) != 1 || view.Factors[0].Kind != "totp" || view.Factors[0].Name != "My phone" {
			t.Errorf("factors: %+v", view)
		}
		if shown := h.browser(t).signIn(t, page{}); !asksForCode(shown) {
			t.Errorf("no second step: %s", shown.Status)
		}
		var user printedUser
		line.json(t, &user, "", "user", "reset-factors", testUsername)
		line.json(t, &view, "", "user", "factors", testUsername)
		if user.SessionVersion != 2 || len(view.Factors) != 0 || view.TwoFactor {
			t.Errorf("after the reset: %+v, %+v", user, view)
		}
		if shown := h.browser(t).signIn(t, page{}); !strings.Contains(shown.body, `id="sign-out"`) {
			t.Errorf("after the reset a sign-in ends in %s", shown.Status)
		}
		if shown := b.get(t, "/account"); !strings.Contains(shown.body, `id="sign-in"`) {
			t.Error("after the reset a session lives on")
		}
		var entries []map[string]any
		line.json(t, &entries, "", "audit", "list", "--action", "factors_reset")
		if len(entries) != 1 || !strings.HasPrefix(fmt.Sprint(entries[0]["actor"]), "operator") {
			t.Errorf("the ledger: %v", entries)
		}
		server.interrupt(t)
		server.noFaults(t)
	})
}

// Who has no password cannot be given one by whoever found their browser open, whatever is typed as the present one.
func TestPasswordIsNotAddedToAnOpenBrowser(t *testing.T) {
	inEachHouse(t, func(t *testing.T, h *openHouse) {
		b := h.browser(t)
		b.signIn(t, page{})
		h.sql(t, "UPDATE users SET password_hash = NULL")
		h.sql(t, "UPDATE sessions SET auth_time = '2024-01-01 00:00:00+00:00'")
		for _, present := range []string{"", "x"} {
			shown := b.post(t, "/account/password", url.Values{"present": {present}, "password": {newPassword}})
			if !strings.Contains(shown.body, `id="sign-in"`) {
				t.Errorf("with %q as the present one: %s at %s", present, shown.Status, shown.Request.URL)
			}
		}
		h.sql(t, "UPDATE sessions SET auth_time = '2099-01-01 00:00:00+00:00'")
		if shown := b.post(t, "/account/password", url.Values{"present": {"x"}, "password": {newPassword}}); shown.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("a guess, freshly: %s", shown.Status)
		}
		if user, err := h.Identity.Users().ByID(t.Context(), h.user.ID); err != nil || user.PasswordHash != "" {
			t.Errorf("there is a password now, %v", err)
		}
	})
}
