package factors

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// Where the operator demands two factors of a person, a session and the tokens of one factor are good for nothing but
// to get there, or to leave.
func TestTwoFactorsAreDemandedEverywhere(t *testing.T) {
	t.Parallel()
	storagetest.EachURL(t, func(t *testing.T, databaseURL string) {
		h := harness.Start(t, databaseURL, func(c *harness.Config) {
			c.TwoFactors = identity.TwoFactorRule{Roles: []string{"clerk"}}
		})
		client, b, other := h.AddClient(t, nil), h.NewBrowser(t), h.NewBrowser(t)
		tokens := h.Redeem(t, client, b.Code(t, client, nil))
		other.SignIn(t, harness.Page{})
		if err := h.Identity.Roles().Grant(t.Context(), h.User.ID, "clerk"); err != nil {
			t.Fatal(err)
		}

		if a := h.Userinfo(t, tokens.Text("access_token")); a.Status != http.StatusUnauthorized {
			t.Errorf("userinfo by one factor: %d", a.Status)
		}
		introspected := h.Call(t, oidc.PathIntrospect, client, url.Values{"token": {tokens.Text("access_token")}})
		if introspected.JSON["active"] != false {
			t.Errorf("the access token is %v", introspected.JSON)
		}
		if a := h.Refresh(t, client, tokens.Text("refresh_token")); a.Text("error") != "invalid_grant" {
			t.Errorf("a refresh by one factor: %v", a.JSON)
		}
		for _, page := range []string{
			"/account", "/account/profile", "/account/emails", "/account/phones", "/account/linked", "/account/security",
			"/account/privacy",
		} {
			if shown := b.Get(t, page); shown.Path() != "/enrol" || !strings.Contains(shown.Text, `id="add-totp"`) {
				t.Errorf("%s by one factor: %s at %s", page, shown.Status, shown.Request.URL)
			}
		}
		shown := b.Post(t, "/account/emails/add", url.Values{"address": {"thief@example.com"}})
		emails, err := h.Identity.Emails().List(t.Context(), h.User.ID)
		if err != nil || len(emails) != 1 || shown.Path() != "/enrol" {
			t.Errorf("adding an address by one factor: at %s, %d addresses, %v", shown.Request.URL, len(emails), err)
		}

		// Who registers a factor is where the rule wants them, in that browser alone.
		if _, shown := b.AddAuthenticator(t, ""); shown.StatusCode != http.StatusOK {
			t.Fatalf("adding an app: %s\n%s", shown.Status, shown.Text)
		}
		if shown := b.Get(t, "/account"); shown.Path() != "/account" {
			t.Errorf("with two factors: at %s", shown.Request.URL)
		}
		if shown := b.Get(t, "/enrol"); shown.Path() != "/account" {
			t.Errorf("who has enrolled is still shown %s", shown.Request.URL)
		}
		fresh := h.Redeem(t, client, b.Code(t, client, nil))
		if a := h.Refresh(t, client, fresh.Text("refresh_token")); a.Status != http.StatusOK {
			t.Errorf("a refresh by two factors: %v", a.JSON)
		}
		if shown := other.Get(t, "/account/profile"); !harness.AsksForCode(shown) {
			t.Errorf("another browser with one factor: %s at %s", shown.Status, shown.Request.URL)
		}
		if shown := other.Post(t, "/account/totps/remove", url.Values{}); !harness.AsksForCode(shown) {
			t.Errorf("removing a factor with one factor: %s at %s", shown.Status, shown.Request.URL)
		}
		if shown := other.Post(t, "/account/sign-out", nil); shown.StatusCode != http.StatusOK {
			t.Errorf("signing out with one factor: %s", shown.Status)
		}
		if shown := other.Get(t, "/account"); shown.Path() != "/sign-in" {
			t.Errorf("after signing out: at %s", shown.Request.URL)
		}

		// What one factor was good for is good again when the rule is about the person no more.
		if err := h.Identity.Roles().Revoke(t.Context(), h.User.ID, "clerk"); err != nil {
			t.Fatal(err)
		}
		if a := h.Userinfo(t, tokens.Text("access_token")); a.Status != http.StatusOK {
			t.Errorf("userinfo without the rule: %d", a.Status)
		}
	})
}

// Who must register a factor first comes back to the page that they wanted.
func TestWayBackGoesOnBeyondEnrolment(t *testing.T) {
	t.Parallel()
	storagetest.EachURL(t, func(t *testing.T, databaseURL string) {
		h := harness.Start(t, databaseURL, func(c *harness.Config) {
			c.TwoFactors = identity.TwoFactorRule{Everybody: true}
		})
		b := h.NewBrowser(t)
		b.SignIn(t, harness.Page{})
		shown := b.Get(t, "/account/emails")
		link := addTOTPLink.FindStringSubmatch(shown.Text)
		if shown.Path() != "/enrol" || link == nil {
			t.Fatalf("by one factor: at %s\n%s", shown.Request.URL, shown.Text)
		}
		query := strings.TrimPrefix(html.UnescapeString(link[1]), "/account/totps/new")
		if _, shown = b.AddAuthenticator(t, query); shown.Path() != "/account/emails" {
			t.Errorf("with two factors: at %s", shown.Request.URL)
		}
	})
}

var addTOTPLink = regexp.MustCompile(`id="add-totp" href="([^"]*)"`)
