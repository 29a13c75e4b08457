package upstream

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/federation"
	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// signInUpstreamInWindow signs somebody in on the page of a provider upstream.
func signInUpstreamInWindow(w *harness.Window, claims map[string]any) {
	w.T.Helper()
	told, err := json.Marshal(claims)
	if err != nil {
		w.T.Fatal(err)
	}
	w.Reads("h1", "Upstream")
	w.Do(chromedp.SetValue(chromedp.CSS("#claims"), string(told)))
	w.Press("#upstream-sign-in")
}

// From the sample app through Wicket to the provider and back, the first time and the second.
func TestUpstreamInABrowser(t *testing.T) {
	t.Parallel()
	harness.NeedNPMPackages(t)
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		w := harness.OpenWindow(t)
		acme := anyProvider()
		acme.Name = "Acme Works"
		startUpstream(t, h, acme)
		// for the looks of it
		for _, kind := range []string{federation.KindGoogle, federation.KindMicrosoft, federation.KindGitHub} {
			h.AddProvider(t, &federation.Provider{Kind: kind, ClientID: "wicket", Secret: harness.UpstreamSecret})
		}
		app := h.StartSampleApp(t)
		w.Open(app)
		w.Press("#sign-in")
		w.Reads("main", "Sign in with Google", "Sign in with Microsoft", "Sign in with GitHub", "Sign in with Acme Works")
		w.Look("signin-upstream")

		// Not going on there leads to another way.
		w.Press("#with-oidc")
		w.Press("#upstream-sign-in + button")
		w.Reads("main", "You are not signed in")
		w.Look("upstream-denied")
		w.Press("#with-oidc")

		signInUpstreamInWindow(w, someone("carol", map[string]any{"picture": "https://upstream.example/carol.png"}))
		w.Reads("main", "carol@upstream.example", "It is not linked to an account here yet")
		w.Look("arrival")
		w.Press("#register")
		w.Reads("main", "wants to use your account", "Carol Upstream")
		w.Press("#allow")
		w.Reads("#greeting", "Carol")
		w.Open(h.Issuer + "/account/linked")
		w.Reads("main", "carol@upstream.example", "Acme Works")
		w.Look("account-linked")
		w.Press(`button[aria-label^="Unlink"]`)
		w.Reads("#failure", "the last way into your account")
		w.Look("account-linked-last")
		w.Open(h.Issuer + "/account/security")
		w.Reads("main", "You have none")
		w.Look("account-security-no-password")

		// The second time, signed in upstream and nowhere else: two presses, and no page in between.
		w.Open(app)
		w.Press("#sign-out")
		w.Open(app)
		w.Press("#sign-in")
		w.Press("#with-oidc")
		w.Reads("#greeting", "Carol")
	})
}

// Somebody who has an account signs in to it and links the two.
func TestLinkingInABrowser(t *testing.T) {
	t.Parallel()
	harness.NeedNPMPackages(t)
	w := harness.OpenWindow(t)
	h := harness.Start(t, storagetest.URL(t, storage.SQLite))
	p := anyProvider()
	p.Settings.Emails = federation.EmailsProved
	startUpstream(t, h, p)
	app := harness.ServeApp(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(`<!doctype html><title>App</title><link rel="icon" href="data:,"><h1>App</h1>`))
	}))
	client := h.AddClient(t, func(c *clients.Client) { c.IsTrusted, c.RedirectURIs = true, []string{app + "/callback"} })
	w.Open(h.AuthorizeURL(client, url.Values{"redirect_uri": {app + "/callback"}}))
	w.Press("#with-oidc")
	signInUpstreamInWindow(w, someone("alice-there", map[string]any{"email": harness.Email}))
	w.Reads("main", "There is an account with this email address here")
	w.Look("arrival-known")
	w.Press("#have-account")
	w.SignIn(harness.Username, harness.Password)
	w.Reads("main", "Link your accounts?", "Alice Example", harness.Email)
	w.Look("link-arrival")
	w.Press("#link")
	if at := harness.Ask(w, chromedp.Location()); !strings.Contains(at, "code=") {
		t.Errorf("after linking the browser is at %s", at)
	}
	if accounts := h.Linked(t, h.User); len(accounts) != 1 {
		t.Errorf("linked: %+v", accounts)
	}
}

// Wicket is an OpenID Provider like any other: a second Wicket trusts the first.
func TestWicketBehindWicket(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		above := harness.Start(t, storagetest.URL(t, storage.SQLite))
		client := above.AddClient(t, func(c *clients.Client) {
			c.Name, c.AuthMethod, c.RedirectURIs = "The other Wicket", clients.AuthBasic, []string{h.Upstreams.Callback("above")}
		})
		if err := above.Identity.Roles().Grant(t.Context(), above.User.ID, "admin"); err != nil {
			t.Fatal(err)
		}
		h.AddProvider(t, &federation.Provider{ID: "above", Kind: federation.KindOpenID, Name: "Wicket above",
			Issuer: above.Issuer, ClientID: client.ID, Secret: client.Secret, Settings: federation.Settings{
				Registration: true, Emails: federation.EmailsProved, TrustAMR: true,
			}})
		// Nobody is called alice here yet, but for the one of the test, who gives way.
		h.SQL(t, "DELETE FROM users WHERE id = ?", h.User.ID)
		app := h.AddClient(t, func(c *clients.Client) { c.IsTrusted = true })
		b := h.NewBrowser(t).FollowingAll()
		shown := b.Post(t, "/federation/above", url.Values{"continue": {b.Get(t, h.AuthorizeURL(app, nil)).Continue()}})
		upstairs := &harness.Browser{Client: b.Client, Server: above}
		shown = upstairs.Post(t, "/sign-in", url.Values{
			"username": {harness.Username}, "password": {harness.Password}, "continue": {shown.Continue()},
		})
		if strings.Contains(shown.Text, `id="allow"`) {
			shown = upstairs.Post(t, "/consent", url.Values{
				"decision": {"allow"}, "continue": {shown.Continue()}, "scope": {"profile", "email"},
			})
		}
		if shown.Path() != "/arrival" || !strings.Contains(shown.Text, harness.Email) {
			t.Fatalf("%s at %s\n%s", shown.Status, shown.Request.URL, shown.Text)
		}
		location, err := b.Post(t, "/arrival/register", url.Values{"username": {"alice"}}).Location()
		if err != nil {
			t.Fatal(err)
		}
		tokens := h.Redeem(t, app, location.Query().Get("code"))
		told := h.Userinfo(t, tokens.Text("access_token")).JSON
		if told["email"] != harness.Email || told["email_verified"] != true || told["name"] != "Alice Example" ||
			told["sub"] == above.User.ID.String() {
			t.Errorf("the app is told %v", told)
		}
		if claims := harness.TokenClaims(t, tokens.Text("id_token")); claims["acr"] != identity.ACRFederated {
			t.Errorf("the app is told acr %v, amr %v", claims["acr"], claims["amr"])
		}
		alice, err := h.Identity.Users().Find(t.Context(), "alice")
		if err != nil || h.Linked(t, alice)[0].Subject != above.User.ID.String() {
			t.Errorf("%+v, %v", alice, err)
		}
	})
}
