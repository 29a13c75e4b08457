package factors

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage/storagetest"
)

func TestTOTPThroughThePages(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		client, b := h.AddClient(t, nil), h.NewBrowser(t)
		if claims := harness.IDClaims(t, h.Redeem(t, client, b.Code(t, client, nil))); claims.ACR != identity.ACRPassword ||
			strings.Join(claims.AMR, " ") != "pwd" {
			t.Errorf("after a password: %+v", claims)
		}
		if early := b.Post(t, "/account/backup-codes", nil); early.StatusCode != http.StatusUnprocessableEntity ||
			!strings.Contains(early.Text, "add one first") {
			t.Errorf("backup codes before there is a factor: %s", early.Status)
		}
		secret, shown := b.AddAuthenticator(t, "")
		if shown.StatusCode != http.StatusOK || !strings.Contains(shown.Text, "Save backup codes") ||
			!strings.Contains(b.Get(t, "/account/security").Text, "My phone") {
			t.Fatalf("added: %s\n%s", shown.Status, shown.Text)
		}
		link, mail := h.Mail(t, "A new way to sign in to your account")
		if link == "" || !strings.Contains(mail.Text, "An authenticator app was added") {
			t.Errorf("the mail says\n%s", mail.Text)
		}
		// Who adds a factor has shown it: the session is of two factors now.
		if claims := harness.IDClaims(
			t, h.Redeem(t, client, b.Code(t, client, nil)),
		); claims.ACR != identity.ACRMultiFactor || strings.Join(claims.AMR, " ") != "pwd otp mfa" {
			t.Errorf("after adding an app: %+v", claims)
		}
		made := b.Post(t, "/account/backup-codes", nil)
		codes := harness.ShownBackupCode.FindAllStringSubmatch(made.Text, -1)
		if len(codes) != 10 {
			t.Fatalf("%d backup codes: %s\n%s", len(codes), made.Status, made.Text)
		}
		if again := b.Get(t, "/account/security"); strings.Contains(again.Text, codes[0][1]) ||
			!strings.Contains(again.Text, "You have 10 left") {
			t.Errorf("the security page:\n%s", again.Text)
		}

		elsewhere := h.NewBrowser(t)
		shown = elsewhere.SignIn(t, elsewhere.Get(t, h.AuthorizeURL(client, nil)))
		if !harness.AsksForCode(shown) || !strings.Contains(shown.Text, client.Name) {
			t.Fatalf("no second step: %s at %s\n%s", shown.Status, shown.Request.URL, shown.Text)
		}
		if account := elsewhere.Get(t, "/account"); !strings.Contains(account.Text, `id="sign-in"`) {
			t.Error("the password alone opens the account page")
		}
		wrong := elsewhere.AnswerSecondStep(t, shown, "123456")
		if wrong.StatusCode != http.StatusUnauthorized || !harness.AsksForCode(wrong) {
			t.Errorf("a wrong code: %s", wrong.Status)
		}
		if claims := elsewhere.ReachApp(
			t, client, elsewhere.AnswerSecondStep(t, wrong, harness.TOTPCode(t, secret, 0)),
		); claims.ACR != identity.ACRMultiFactor || strings.Join(claims.AMR, " ") != "pwd otp mfa" {
			t.Errorf("after password and code: %+v", claims)
		}

		third := h.NewBrowser(t)
		shown = third.SignIn(t, harness.Page{})
		if shown = third.AnswerSecondStep(t, shown, codes[3][1]); shown.StatusCode != http.StatusOK ||
			!strings.Contains(shown.Text, "Alice Example") {
			t.Errorf("a backup code: %s\n%s", shown.Status, shown.Text)
		}
		_, mail = h.Mail(t, "A backup code was used")
		if !strings.Contains(mail.Text, "There are 9 left") {
			t.Errorf("the mail says\n%s", mail.Text)
		}
		history := third.Get(t, "/account/activity").Text
		for _, want := range []string{"a second step was asked for", "Second step failed", "Signed in"} {
			if !strings.Contains(history, want) {
				t.Errorf("the person's history lacks %q", want)
			}
		}
	})
}

// The page of a second step belongs to the browser in which the password was typed, and to nobody else.
func TestSecondStepWithoutAFirst(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		b := h.NewBrowser(t)
		b.SignIn(t, harness.Page{})
		secret, _ := b.AddAuthenticator(t, "")
		visitor := h.NewBrowser(t)
		for _, shown := range []harness.Page{visitor.Get(t, "/second-step"), visitor.AnswerSecondStep(
			t, harness.Page{}, harness.TOTPCode(t, secret, 0),
		)} {
			if shown.StatusCode != http.StatusBadRequest || !strings.Contains(shown.Text, "took too long") {
				t.Errorf("%s: %s", shown.Request.Method, shown.Status)
			}
		}
	})
}

func TestTrustedDeviceThroughThePages(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		b := h.NewBrowser(t)
		b.SignIn(t, harness.Page{})
		secret, _ := b.AddAuthenticator(t, "")
		mine := h.NewBrowser(t)
		mine.SignIn(t, harness.Page{})
		mine.Post(t, "/second-step", url.Values{"code": {harness.TOTPCode(t, secret, 0)}, "trust": {"yes"}})
		mine.Post(t, "/account/sign-out", nil)
		if shown := mine.SignIn(t, harness.Page{}); harness.AsksForCode(shown) ||
			!strings.Contains(shown.Text, "Alice Example") {
			t.Fatalf("a trusted browser is asked again: %s", shown.Status)
		}
		// What could weaken the account asks all the same.
		if shown := mine.Get(t, "/account/totps/new"); !harness.AsksForCode(shown) ||
			shown.Request.URL.Path != "/second-step" {
			t.Errorf("adding a factor from a trusted browser: %s at %s", shown.Status, shown.Request.URL)
		}
		if shown := mine.Post(t, "/account/backup-codes", nil); shown.Request.URL.Path != "/second-step" {
			t.Errorf("making backup codes from a trusted browser: %s at %s", shown.Status, shown.Request.URL)
		}
		if shown := h.NewBrowser(t).SignIn(t, harness.Page{}); !harness.AsksForCode(shown) {
			t.Error("another browser is not asked")
		}
	})
}

func TestResetAsksForTheSecondFactor(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		b := h.NewBrowser(t)
		b.SignIn(t, harness.Page{})
		secret, _ := b.AddAuthenticator(t, "")
		lost := h.NewBrowser(t)
		lost.Post(t, "/forgot-password", url.Values{"login": {harness.Email}})
		link, _ := h.Mail(t, "Choose a new password")
		shown := lost.Get(t, link)
		if !harness.AsksForCode(shown) || shown.Request.URL.Path != "/second-step" {
			t.Fatalf("the link: %s at %s\n%s", shown.Status, shown.Request.URL, shown.Text)
		}
		token, err := url.Parse(link)
		if err != nil {
			t.Fatal(err)
		}
		// Round the question.
		form := url.Values{"token": {token.Query().Get("token")}, "password": {harness.NewPassword}}
		if around := lost.Post(t, "/reset-password", form); around.Request.URL.Path != "/second-step" {
			t.Errorf("without an answer: %s at %s", around.Status, around.Request.URL)
		}
		if wrong := lost.AnswerSecondStep(t, shown, "000000"); wrong.StatusCode != http.StatusUnauthorized {
			t.Errorf("a wrong code: %s", wrong.Status)
		}
		shown = lost.AnswerSecondStep(t, shown, harness.TOTPCode(t, secret, 0))
		if !strings.Contains(shown.Text, `name="password"`) {
			t.Fatalf("after the code: %s at %s\n%s", shown.Status, shown.Request.URL, shown.Text)
		}
		if other := h.NewBrowser(t).Post(t, "/reset-password", form); other.Request.URL.Path != "/second-step" {
			t.Errorf("the answer counts in another browser: %s", other.Status)
		}
		if shown = lost.Post(t, "/reset-password", form); shown.StatusCode != http.StatusOK ||
			!strings.Contains(shown.Text, "Your password is changed") {
			t.Fatalf("reset: %s\n%s", shown.Status, shown.Text)
		}
		shown = lost.Post(t, "/sign-in", url.Values{"username": {harness.Username}, "password": {harness.NewPassword}})
		if !harness.AsksForCode(shown) {
			t.Errorf("after the reset the password alone signs in: %s", shown.Status)
		}
	})
}

// Step-up (RFC 9470): the same session, raised.
func TestStepUp(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		client, b := h.AddClient(t, nil), h.NewBrowser(t)
		mfa := url.Values{"acr_values": {identity.ACRMultiFactor}}
		essential := url.Values{
			"claims": {`{"id_token":{"acr":{"essential":true,"values":["` + identity.ACRMultiFactor + `"]}}}`},
		}

		// Who has no second factor is not kept out by a wish, and is asked to get one by a demand.
		first := harness.IDClaims(t, h.Redeem(t, client, b.Code(t, client, mfa)))
		if first.ACR != identity.ACRPassword {
			t.Errorf("a wish that nobody could meet: %+v", first)
		}
		shown := b.Get(t, h.AuthorizeURL(client, essential))
		if !strings.Contains(shown.Text, `id="add-totp"`) {
			t.Fatalf("a demand: %s at %s\n%s", shown.Status, shown.Request.URL, shown.Text)
		}
		declined := b.Post(t, "/enrol/decline", url.Values{"continue": {shown.Continue()}})
		if location, err := declined.Location(); err != nil ||
			location.Query().Get("error") != "unmet_authentication_requirements" {
			t.Errorf("declined: %s %v", declined.Status, location)
		}
		silent := b.Get(t, h.AuthorizeURL(client, url.Values{"claims": essential["claims"], "prompt": {"none"}}))
		if location, err := silent.Location(); err != nil || location.Query().Get("error") != "interaction_required" {
			t.Errorf("silently: %s %v", silent.Status, location)
		}
		unknown := b.Get(t, h.AuthorizeURL(client, url.Values{
			"claims": {`{"id_token":{"acr":{"essential":true,"value":"https://example.com/loa9"}}}`},
		}))
		if location, err := unknown.Location(); err != nil ||
			location.Query().Get("error") != "unmet_authentication_requirements" {
			t.Errorf("a class that nobody knows: %s %v", unknown.Status, location)
		}
		continued := regexp.MustCompile(
			`id="add-totp" href="/account/totps/new(\?continue=[^"]+)"`,
		).FindStringSubmatch(shown.Text)
		secret, next := b.AddAuthenticator(t, html.UnescapeString(continued[1]))
		if claims := b.ReachApp(t, client, next); claims.ACR != identity.ACRMultiFactor || claims.Session != first.Session {
			t.Errorf("after enrolling: %+v, the session before was %s", claims, first.Session)
		}

		// Signed in with a trusted browser, which is a password's worth.
		mine := h.NewBrowser(t)
		mine.SignIn(t, harness.Page{})
		mine.Post(t, "/second-step", url.Values{"code": {harness.TOTPCode(t, secret, 0)}, "trust": {"yes"}})
		mine.Post(t, "/account/sign-out", nil)
		mine.SignIn(t, harness.Page{})
		plain := mine.ReachApp(t, client, mine.Get(t, h.AuthorizeURL(client, nil)))
		if plain.ACR != identity.ACRPassword {
			t.Errorf("from a trusted browser: %+v", plain)
		}
		shown = mine.Get(t, h.AuthorizeURL(client, mfa))
		if !harness.AsksForCode(shown) {
			t.Fatalf("no step-up: %s at %s\n%s", shown.Status, shown.Request.URL, shown.Text)
		}
		raised := mine.ReachApp(t, client, mine.AnswerSecondStep(t, shown, harness.TOTPCode(t, secret, 1)))
		if raised.ACR != identity.ACRMultiFactor || raised.Session != plain.Session || raised.AuthTime != plain.AuthTime ||
			!slices.Contains(raised.AMR, "otp") {
			t.Errorf("raised from %+v to %+v", plain, raised)
		}
		if shown = mine.Get(t, h.AuthorizeURL(client, mfa)); harness.AsksForCode(shown) {
			t.Error("asked once more")
		}
	})
}

// An app, or the operator, may demand two factors of a sign-in.
func TestDemandedTwoFactors(t *testing.T) {
	t.Parallel()
	storagetest.EachURL(t, func(t *testing.T, databaseURL string) {
		h := harness.Start(t, databaseURL, func(c *harness.Config) {
			c.TwoFactors = identity.TwoFactorRule{Roles: []string{"clerk", "admin"}}
		})
		bank, shop := h.AddClient(t, func(c *clients.Client) { c.RequiredACR = identity.ACRMultiFactor }), h.AddClient(t, nil)
		b := h.NewBrowser(t)
		if shown := b.SignIn(t, b.Get(t, h.AuthorizeURL(bank, nil))); !strings.Contains(shown.Text, `id="add-passkey"`) {
			t.Errorf("the bank: %s at %s", shown.Status, shown.Request.URL)
		}
		b.Code(t, shop, nil)
		if err := h.Identity.Roles().Grant(t.Context(), h.User.ID, "clerk"); err != nil {
			t.Fatal(err)
		}
		if shown := b.Get(t, h.AuthorizeURL(shop, nil)); !strings.Contains(shown.Text, `id="add-passkey"`) {
			t.Errorf("a clerk in the shop: %s at %s", shown.Status, shown.Request.URL)
		}
		if err := h.Identity.Roles().Revoke(t.Context(), h.User.ID, "clerk"); err != nil {
			t.Fatal(err)
		}
		b.Code(t, shop, nil)
	})
}

// Who has no password cannot be given one by whoever found their browser open, whatever is typed as the present one.
func TestPasswordIsNotAddedToAnOpenBrowser(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		b := h.NewBrowser(t)
		b.SignIn(t, harness.Page{})
		h.SQL(t, "UPDATE users SET password_hash = NULL")
		h.SQL(t, "UPDATE sessions SET auth_time = '2024-01-01 00:00:00+00:00'")
		for _, present := range []string{"", "x"} {
			shown := b.Post(t, "/account/password", url.Values{"present": {present}, "password": {harness.NewPassword}})
			if shown.Path() != "/sign-in" {
				t.Errorf("with %q as the present one: %s at %s", present, shown.Status, shown.Request.URL)
			}
		}
		h.SQL(t, "UPDATE sessions SET auth_time = '2099-01-01 00:00:00+00:00'")
		if shown := b.Post(
			t, "/account/password", url.Values{"present": {"x"}, "password": {harness.NewPassword}},
		); shown.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("a guess, freshly: %s", shown.Status)
		}
		if user, err := h.Identity.Users().ByID(t.Context(), h.User.ID); err != nil || user.PasswordHash != "" {
			t.Errorf("there is a password now, %v", err)
		}
	})
}
