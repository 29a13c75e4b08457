package upstream

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/federation"
	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/storage/audit"
)

// anyProvider is an OpenID Provider whose people may make accounts.
func anyProvider() federation.Provider {
	return federation.Provider{Kind: federation.KindOpenID, Settings: federation.Settings{Registration: true}}
}

func TestNewcomerFromUpstream(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		startUpstream(t, h, anyProvider())
		b, client := h.NewBrowser(t), h.AddClient(t, nil)
		shown := b.Get(t, h.AuthorizeURL(client, url.Values{"login_hint": {"carol@upstream.example"}}))
		if !strings.Contains(shown.Text, `action="/federation/oidc"`) ||
			!strings.Contains(shown.Text, "Sign in with Upstream") {
			t.Fatalf("no button on the sign-in page:\n%s", shown.Text)
		}
		// A link leads to the button alone, so that no other site begins a sign-in.
		if linked := b.Get(
			t, "/federation/oidc?continue="+shown.Continue(),
		); !strings.Contains(
			linked.Text, `id="with-oidc"`,
		) || !strings.Contains(linked.Text, "Test app") || linked.Continue() == "" {
			t.Errorf("by a link: %s\n%s", linked.Status, linked.Text)
		}
		if nobody := b.Get(t, "/federation/nobody"); nobody.StatusCode != http.StatusNotFound {
			t.Errorf("a provider that is not there: %s", nobody.Status)
		}
		there := b.ToUpstream(t, "oidc", shown)
		asked := askedOf(t, there)
		if asked["login_hint"] != "carol@upstream.example" || asked["code_challenge_method"] != "S256" ||
			len(asked["nonce"].(string)) < 40 || asked["prompt"] != nil {
			t.Errorf("asked upstream: %v", asked)
		}
		shown = signInUpstream(t, b, there, someone("carol", map[string]any{"locale": "de-CH"}))
		if shown.Path() != "/arrival" || !strings.Contains(shown.Text, `value="carol"`) ||
			!strings.Contains(shown.Text, "Test app") {
			t.Fatalf("who is nobody yet comes to %s %s\n%s", shown.Status, shown.Request.URL, shown.Text)
		}
		taken := b.Post(t, "/arrival/register", url.Values{"username": {harness.Username}})
		if taken.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(taken.Text, "This username is taken.") {
			t.Errorf("a taken username: %s\n%s", taken.Status, taken.Text)
		}
		shown = b.Post(t, "/arrival/register", url.Values{"username": {"carol"}})
		if !strings.Contains(shown.Text, `id="allow"`) {
			t.Fatalf("after that: %s %s\n%s", shown.Status, shown.Request.URL, shown.Text)
		}
		location, err := b.Allow(t, shown).Location()
		if err != nil {
			t.Fatal(err)
		}
		tokens := h.Redeem(t, client, location.Query().Get("code"))
		told := h.Userinfo(t, tokens.Text("access_token")).JSON
		if told["preferred_username"] != "carol" || told["name"] != "Carol Upstream" ||
			told["email"] != "carol@upstream.example" || told["email_verified"] != false || told["locale"] != "de-CH" {
			t.Errorf("the app is told %v", told)
		}
		// The address is hers when she says so herself: this provider is not trusted so far.
		if _, mail := h.Mail(t, "Verify your email address"); mail.To != "carol@upstream.example" {
			t.Errorf("the link went to %s", mail.To)
		}
		carol, err := h.Identity.Users().Find(t.Context(), "carol")
		if err != nil || carol.PasswordHash != "" || carol.CreatedBy != carol.Actor() {
			t.Fatalf("%+v, %v", carol, err)
		}
		sessions, err := h.Identity.Sessions().List(t.Context(), carol.ID)
		if err != nil || len(sessions) != 1 || !slices.Equal(sessions[0].AMR, []string{"fed"}) ||
			sessions[0].ACR != identity.ACRFederated {
			t.Errorf("sessions: %+v, %v", sessions, err)
		}
		account := h.Linked(t, carol)[0]
		if account.Subject != "carol" || account.Label != "carol@upstream.example" ||
			!strings.Contains(string(account.Profile), "Carol Upstream") || strings.Contains(string(account.Profile), "nonce") ||
			account.SealedTokens != nil {
			t.Errorf("linked: %+v %s", account, account.Profile)
		}
		entries, err := audit.Entries(t.Context(), h.Database, audit.Filter{
			UserID: carol.ID, Entity: "external_account", Action: "linked", Limit: 5,
		})
		if err != nil || len(entries) != 1 || entries[0].Actor != carol.Actor() {
			t.Errorf("the audit trail: %+v, %v", entries, err)
		}

		// The next time she is let in at once, by the same subject whatever else has changed.
		again := h.NewBrowser(t)
		shown = signInFrom(t, again, "oidc", someone("carol", map[string]any{
			"email": "new@upstream.example", "name": "Carol Other",
		}))
		if shown.Path() != "/account" || !strings.Contains(shown.Text, "Carol Upstream") {
			t.Errorf("the second time: %s %s", shown.Status, shown.Request.URL)
		}
		if account := h.Linked(t, carol)[0]; account.Label != "new@upstream.example" ||
			!strings.Contains(string(account.Profile), "Carol Other") {
			t.Errorf("what is kept is not refreshed: %+v %s", account, account.Profile)
		}
		if shown := again.Get(t, "/account/security"); !strings.Contains(
			shown.Text, "You have none. You can choose one here.",
		) || strings.Contains(shown.Text, `id="present"`) {
			t.Error("the page does not say that there is no password")
		}
	})
}

// An account here with the same address is not the newcomer's: they show that it is by signing in to it.
func TestSameAddressIsNotTheSamePerson(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		proved := anyProvider()
		proved.ID, proved.Settings.Emails = "proved", federation.EmailsProved
		startUpstream(t, h, proved)
		startUpstream(t, h, anyProvider())
		asAlice := someone("mallory", map[string]any{"email": harness.Email})

		// Where its addresses are trusted, the page says that there is an account, and lets nobody in.
		b := h.NewBrowser(t)
		shown := signInFrom(t, b, "proved", asAlice)
		if shown.Path() != "/arrival" || !strings.Contains(shown.Text, "There is an account with this email address") ||
			strings.Contains(shown.Text, `id="register"`) {
			t.Fatalf("%s %s\n%s", shown.Status, shown.Request.URL, shown.Text)
		}
		if shown := b.Post(
			t, "/arrival/register", url.Values{"username": {"mallory"}},
		); shown.StatusCode != http.StatusConflict {
			t.Errorf("registers all the same: %s", shown.Status)
		}
		// Where they are not, or are called unverified, nothing is said of it.
		for id, claims := range map[string]map[string]any{"oidc": asAlice, "proved": someone(
			"mallory", map[string]any{"email": harness.Email, "email_verified": false},
		)} {
			if shown := signInFrom(t, h.NewBrowser(t), id, claims); shown.Path() != "/arrival" ||
				strings.Contains(shown.Text, "There is an account") {
				t.Errorf("%s tells who has an account:\n%s", id, shown.Text)
			}
		}
		if accounts := h.Linked(t, h.User); len(accounts) != 0 {
			t.Fatalf("taken over: %+v", accounts)
		}

		// She signs in, and links the two.
		shown = b.Post(t, "/arrival/sign-in", nil)
		if !strings.Contains(shown.Text, `id="sign-in"`) {
			t.Fatalf("%s %s", shown.Status, shown.Request.URL)
		}
		shown = b.SignIn(t, shown)
		if shown.Path() != "/arrival/link" || !strings.Contains(shown.Text, "Alice Example") ||
			!strings.Contains(shown.Text, harness.Email) {
			t.Fatalf("after signing in: %s %s\n%s", shown.Status, shown.Request.URL, shown.Text)
		}
		shown = b.Post(t, "/arrival/link", url.Values{"choice": {"link"}})
		if shown.Path() != "/account/linked" || !strings.Contains(shown.Text, "That account is linked") {
			t.Fatalf("linking: %s %s\n%s", shown.Status, shown.Request.URL, shown.Text)
		}
		if _, mail := h.Mail(t, "A new way to sign in to your account was linked"); mail.To != harness.Email {
			t.Errorf("the word of it went to %s", mail.To)
		}
		if shown := signInFrom(t, h.NewBrowser(t), "proved", asAlice); shown.Path() != "/account" ||
			!strings.Contains(shown.Text, "Alice Example") {
			t.Errorf("from then on: %s %s", shown.Status, shown.Request.URL)
		}
		if shown := b.SignIn(t, harness.Page{}); shown.Path() != "/account" {
			t.Errorf("asks to link again: %s", shown.Request.URL)
		}
	})
}

// For an app that waits the way by the sign-in page is the same, and not linking is a choice.
func TestArrivalForAWaitingApp(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		startUpstream(t, h, federation.Provider{Kind: federation.KindOpenID})
		client := h.AddClient(t, nil)
		for want, choice := range []string{"later", "link"} { // want is how many links there are then
			b := h.NewBrowser(t)
			shown := signInUpstream(
				t, b, b.ToUpstream(t, "oidc", b.Get(t, h.AuthorizeURL(client, nil))), someone("alice-there", nil),
			)
			if strings.Contains(shown.Text, `id="register"`) {
				t.Error("an account can be made where registration is off")
			}
			if refused := b.Post(
				t, "/arrival/register", url.Values{"username": {"carol"}},
			); refused.StatusCode != http.StatusConflict {
				t.Errorf("and is: %s", refused.Status)
			}
			shown = b.SignIn(t, b.Post(t, "/arrival/sign-in", nil))
			shown = b.Post(t, "/arrival/link", url.Values{"choice": {choice}, "continue": {shown.Continue()}})
			if strings.Contains(shown.Text, `id="allow"`) {
				shown = b.Allow(t, shown)
			}
			if location, err := shown.Location(); err != nil || location.Query().Get("code") == "" {
				t.Errorf("%s: no code but %s %v", choice, shown.Status, err)
			}
			if got := len(h.Linked(t, h.User)); got != want {
				t.Errorf("%s: %d links, want %d", choice, got, want)
			}
		}
	})
}

func TestLinkingAndUnlinking(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		up := startUpstream(t, h, anyProvider())
		b := h.NewBrowser(t)
		b.SignIn(t, harness.Page{})
		link := func(sub string) harness.Page {
			t.Helper()
			there := b.FollowingAll().Post(t, "/account/linked/add", url.Values{"provider": {"oidc"}})
			if askedUpstream.MatchString(there.Text) {
				return signInUpstream(t, b, there, someone(sub, nil))
			}
			return there // still signed in there
		}
		if shown := link("first"); !strings.Contains(shown.Text, "That account is linked") ||
			!strings.Contains(shown.Text, "first@upstream.example") {
			t.Fatalf("%s\n%s", shown.Status, shown.Text)
		}
		// Another of the same provider, from a browser in which nobody is signed in there.
		other := h.NewBrowser(t)
		other.SignIn(t, harness.Page{})
		signInUpstream(
			t, other, other.FollowingAll().Post(t, "/account/linked/add", url.Values{"provider": {"oidc"}}),
			someone("second", nil),
		)
		accounts := h.Linked(t, h.User)
		if len(accounts) != 2 {
			t.Fatalf("%d links", len(accounts))
		}
		// What is somebody else's cannot be linked.
		bob := h.Register(t, identity.NewUser{
			Username: "bob", Email: "bob@example.com", EmailVerified: true, Password: "bob's own password",
		})
		theirs := h.NewBrowser(t)
		theirs.Post(t, "/sign-in", url.Values{"username": {"bob"}, "password": {"bob's own password"}})
		shown := signInUpstream(
			t, theirs, theirs.FollowingAll().Post(t, "/account/linked/add", url.Values{"provider": {"oidc"}}),
			someone("second", nil),
		)
		if shown.StatusCode != http.StatusConflict || !strings.Contains(shown.Text, "signs in to another account here") ||
			len(h.Linked(t, bob)) != 0 {
			t.Errorf("bob links alice's: %s\n%s", shown.Status, shown.Text)
		}
		// A device that signed in by it is signed out when it is unlinked.
		by := h.NewBrowser(t)
		signInFrom(t, by, "oidc", someone("second", nil))
		theirs.Post(t, "/account/linked/remove", url.Values{"id": {accounts[1].ID.String()}}) // not bob's to unlink
		if len(h.Linked(t, h.User)) != 2 {
			t.Error("bob unlinks alice's")
		}
		b.Post(t, "/account/linked/remove", url.Values{"id": {accounts[1].ID.String()}})
		if shown := by.Get(t, "/account"); !strings.Contains(shown.Text, `id="sign-in"`) {
			t.Error("a device that came by it is still signed in")
		}
		if shown := b.Get(t, "/account"); !strings.Contains(shown.Text, "Alice Example") {
			t.Error("the others are signed out too")
		}
		// The last way in stays.
		h.SQL(t, "UPDATE users SET password_hash = NULL WHERE id = ?", h.User.ID)
		if shown := b.Post(
			t, "/account/linked/remove", url.Values{"id": {accounts[0].ID.String()}},
		); shown.StatusCode != http.StatusConflict || len(h.Linked(t, h.User)) != 1 {
			t.Errorf("the last way in is gone: %s", shown.Status)
		}
		if err := h.Upstreams.SetActive(t.Context(), up.ID, false); err != nil {
			t.Fatal(err)
		}
		if shown := b.Get(t, "/sign-in?switch=1"); strings.Contains(shown.Text, "/federation/") {
			t.Error("a provider that is switched off has a button")
		}
		if shown := b.Post(t, "/federation/oidc", nil); shown.StatusCode != http.StatusNotFound {
			t.Errorf("and lets people in: %s", shown.Status)
		}
		// A provider that is no longer trusted takes its links along.
		if links, err := h.Upstreams.Remove(t.Context(), up.ID); err != nil || links != 1 || len(h.Linked(t, h.User)) != 0 {
			t.Errorf("removed with %d links, %v", links, err)
		}
	})
}

// What an owner disowns is gone with the way by which it came.
func TestDisownedLinkIsRemoved(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		startUpstream(t, h, anyProvider())
		thief := h.NewBrowser(t)
		thief.SignIn(t, harness.Page{})
		signInUpstream(
			t, thief, thief.FollowingAll().Post(t, "/account/linked/add", url.Values{"provider": {"oidc"}}),
			someone("thief", nil),
		)
		warned, _ := h.Mail(t, "A new way to sign in to your account was linked")
		if shown := h.NewBrowser(t).FollowLink(t, warned, nil); !strings.Contains(shown.Text, `id="choose"`) {
			t.Fatalf("the owner cannot disown it: %s", shown.Status)
		}
		if accounts := h.Linked(t, h.User); len(accounts) != 0 {
			t.Errorf("the thief's way in is still there: %+v", accounts)
		}
		if shown := thief.Get(t, "/account"); !strings.Contains(shown.Text, `id="sign-in"`) {
			t.Error("the thief is still signed in")
		}
	})
}

// Where the operator declares the provider's addresses authoritative, whoever has the address there gets in, and the
// owner is told.
func TestAuthoritativeAddresses(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		p := anyProvider()
		p.Settings.Emails = federation.EmailsAuthoritative
		startUpstream(t, h, p)
		if shown := signInFrom(
			t, h.NewBrowser(t), "oidc", someone("x", map[string]any{"email": harness.Email, "email_verified": false}),
		); shown.Path() != "/arrival" {
			t.Errorf("an address that is not verified there opens the account: %s", shown.Request.URL)
		}
		if shown := signInFrom(
			t, h.NewBrowser(t), "oidc", someone("x", map[string]any{"email": harness.Email, "email_verified": nil}),
		); shown.Path() != "/arrival" {
			t.Errorf("an address of which nothing is said opens the account: %s", shown.Request.URL)
		}
		if shown := signInFrom(
			t, h.NewBrowser(t), "oidc", someone("alice-there", map[string]any{"email": strings.ToUpper(harness.Email)}),
		); shown.Path() != "/account" || !strings.Contains(shown.Text, "Alice Example") {
			t.Errorf("%s %s\n%s", shown.Status, shown.Request.URL, shown.Text)
		}
		if _, mail := h.Mail(t, "A new way to sign in to your account was linked"); mail.To != harness.Email {
			t.Errorf("the word of it went to %s", mail.To)
		}
	})
}
