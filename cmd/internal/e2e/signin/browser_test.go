package signin

import (
	"net/url"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// The other pages, on which nobody happens by on the way.
func TestPagesInABrowser(t *testing.T) {
	t.Parallel()
	w := harness.OpenWindow(t)
	h := harness.Start(t, storagetest.URL(t, storage.SQLite))
	client := h.AddClient(t, func(c *clients.Client) {
		c.Name, c.ClientURI, c.PolicyURI, c.TOSURI = "The Long-Named Library of Alexandria", "https://library.example/", "https://library.example/privacy", "https://library.example/terms"
	})
	native := h.AddClient(t, func(c *clients.Client) { c.Name, c.AuthMethod = "Pocket Atlas", clients.AuthNone })
	for range 2 { // on other devices
		h.NewBrowser(t).Code(t, client, nil)
		h.NewBrowser(t).Code(t, native, nil)
	}
	for _, number := range []string{"+493012345", "+12025550199", "+493012346"} {
		phone, err := h.Identity.Phones().Add(t.Context(), h.Reauthenticated(t, h.User), number)
		if err != nil {
			t.Fatal(err)
		}
		if number == harness.PhoneNumber {
			if _, err := h.Identity.Phones().Verify(
				t.Context(), h.Reauthenticated(t, h.User), phone.ID, h.TextMessages(t, number, 1),
			); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, c := range []struct {
		name  string
		url   string
		press string // on the way
		want  string
	}{
		{name: "welcome", url: h.Issuer + "/", want: "One account for all your apps"},
		{name: "error", url: h.Issuer + "/authorize?client_id=nobody", want: "This link does not work"},
		{name: "not-found", url: h.Issuer + "/nowhere", want: "There is no such page"},
		{name: "signin-account", url: h.Issuer + "/account", want: "to your account"},
		{name: "account-overview", want: "Add a passkey"}, // signs in
		{name: "account-devices", url: h.Issuer + "/account/devices", want: "Sign out everywhere"},
		{name: "account-activity", url: h.Issuer + "/account/activity", want: "Signed in"},
		{name: "account-emails", url: h.Issuer + "/account/emails", want: "alice@example.com"},
		{name: "account-security", url: h.Issuer + "/account/security", want: "Recommended"},
		{name: "account-privacy", url: h.Issuer + "/account/privacy", want: "Download your data"},
		{name: "usable-apps", url: h.Issuer + "/apps", want: "Your apps"},
		{name: "account-apps", url: h.Issuer + "/account/apps", want: "See your email address"},
		{name: "account-app-removal", press: "li.item form button", want: "has to ask you again"},
		{name: "continue-to-app", url: h.AuthorizeURL(native, nil), want: "Continue to Pocket Atlas?"},
		{name: "account-phones", url: h.Issuer + "/account/phones", want: "The six digits"},
		{name: "signin-again", url: h.AuthorizeURL(client, url.Values{"prompt": {"login"}}), want: "Confirm it’s you"},
		{name: "select-account", url: h.AuthorizeURL(
			client, url.Values{"prompt": {"select_account"}},
		), want: "Choose an account"},
		{name: "consent-links", url: h.AuthorizeURL(
			client, url.Values{"prompt": {"consent"}, "scope": {"openid profile email phone address offline_access"}},
		), want: "wants to use your account"},
		{name: "signout", url: h.Issuer + "/logout?client_id=" + client.ID, want: "Sign out?"},
		{name: "signed-out", press: "#sign-out", want: "You are signed out"},
	} {
		switch {
		case c.url != "":
			w.Open(c.url)
		case c.press != "":
			w.Press(c.press)
		default:
			w.SignIn(harness.Username, harness.Password)
		}
		w.Reads("main", c.want)
		w.Look(c.name)
	}
}

// Somebody makes an account, at the second try, and says who they are.
func TestNewcomerInABrowser(t *testing.T) {
	t.Parallel()
	w := harness.OpenWindow(t)
	h := harness.Start(t, storagetest.URL(t, storage.SQLite))
	w.Open(h.AuthorizeURL(h.AddClient(t, nil), nil))
	w.Look("signin-or-register")
	w.Press("#create-account")
	w.Look("register")
	w.Do(chromedp.SendKeys(
		chromedp.CSS("#username"), harness.Username,
	), chromedp.SendKeys(chromedp.CSS("#email"), "carol@example.com"),
		chromedp.SendKeys(chromedp.CSS("#name"), "Carol Example"), chromedp.SendKeys(chromedp.CSS("#password"), "sunshine99"))
	w.Press("#register")
	w.Reads("main", "This username is taken", "everybody tries first", "Very easy to guess")
	w.Look("register-refused")
	w.Do(
		chromedp.SetValue(chromedp.CSS("#username"), "carol"),
		chromedp.SendKeys(chromedp.CSS("#password"), harness.NewPassword),
	)
	w.Press("#register")
	w.Reads("main", "Carol Example", "carol@example.com")
	w.Open(h.Issuer + "/account/profile")
	w.Look("profile")
	w.Click("#postal > summary")
	w.Do(chromedp.SendKeys(chromedp.CSS("#birthdate"), "31.12.1990"), chromedp.SendKeys(
		chromedp.CSS("#street_address"), "Gasse 1\nHaus 2",
	),
		chromedp.SendKeys(chromedp.CSS("#locality"), "Zürich"))
	w.Press("#save")
	w.Reads("main", "Nothing is saved yet", "A date of birth is")
	w.Look("profile-refused")
	w.Do(chromedp.SetValue(chromedp.CSS("#birthdate"), "1990-12-31"))
	w.Press("#save")
	w.Reads("main", "Your profile is saved")

	// The address of the account, and then a new password: both say what else signs in.
	carol, err := h.Identity.Users().Find(t.Context(), "carol")
	if err != nil {
		t.Fatal(err)
	}
	_, account := addWaysIn(t, h, carol.ID)
	h.NewBrowser(t).Post(t, "/sign-in", url.Values{"username": {"carol"}, "password": {harness.NewPassword}})
	link, _ := h.Mail(t, "Verify your email address")
	w.Open(link)
	w.Reads("main", "Mallory's phone", "mallory@acme.example", "Other browsers that are remembered")
	w.Look("verify-email")
	w.Do(chromedp.Click(chromedp.CSS(`[value="` + account.String() + `"]`)))
	w.Press("#confirm")
	w.Reads("main", "Your address is verified")
	w.Open(h.Issuer + "/forgot-password")
	w.Do(chromedp.SendKeys(chromedp.CSS("#login"), "carol"))
	w.Press("#send")
	link, _ = h.Mail(t, "Choose a new password")
	w.Open(link)
	w.Reads("main", "mallory@acme.example")
	w.Look("new-password")
}

// Somebody who reads a person's mail disowns a sign-in, and the person keeps their second factor.
func TestDisownedFactorsInABrowser(t *testing.T) {
	t.Parallel()
	w := harness.OpenWindow(t)
	h := harness.Start(t, storagetest.URL(t, storage.SQLite))
	mine, other := h.NewBrowser(t), h.NewBrowser(t)
	mine.SignIn(t, harness.Page{})
	other.UserAgent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
	other.SignIn(t, harness.Page{})
	link, _ := h.Mail(t, "A new sign-in to your account")
	secret, _ := mine.AddAuthenticator(t, "")
	mine.Post(t, "/account/backup-codes", nil)
	w.Open(link)
	w.Look("not-me")
	w.Press("#confirm")
	w.Reads("main", "Every device is signed out", "it will be removed on")
	w.Look("not-me-waiting")
	w.Press("#next")
	w.Do(chromedp.SendKeys(chromedp.CSS("#code"), harness.TOTPCode(t, secret, 0)))
	w.Press("#verify")
	w.Do(chromedp.SendKeys(chromedp.CSS("#password"), harness.NewPassword))
	w.Press("#choose")
	w.Open(h.Issuer + "/sign-in")
	w.SignIn(harness.Username, harness.NewPassword)
	w.Do(chromedp.SendKeys(chromedp.CSS("#code"), harness.TOTPCode(t, secret, 1)))
	w.Press("#verify")
	h.SQL(t, "UPDATE totps SET removal_due_at = ?", identity.Clock().Add(time.Hour)) // to see it marked
	w.Open(h.Issuer + "/account/security")
	w.Reads("main", "What was added lately will be removed", "Will be removed", "They will be removed.")
	w.Look("security-disowned")
	w.Press("#keep-factors")
	w.Reads("main", "Kept. Nothing will be removed.")
}
