package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/wicket-id/wicket/cmd/internal/sampleapp"
	"github.com/wicket-id/wicket/federation"
	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// sample serves the sample app against a house until the test ends, and returns where it is.
func (h *openHouse) sample(t testing.TB) string {
	t.Helper()
	var app http.Handler
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { app.ServeHTTP(w, r) }))
	t.Cleanup(server.Close)
	config := sampleapp.Config{Issuer: h.issuer, BaseURL: strings.Replace(server.URL, "127.0.0.1", "localhost", 1), ClientID: "daybook", SPAClientID: "pocket"}
	client := h.client(t, func(c *clients.Client) {
		c.ID, c.Name, c.AuthMethod, c.RedirectURIs, c.PostLogoutRedirectURIs = config.ClientID, sampleapp.Name, clients.AuthBasic, []string{config.RedirectURI()}, []string{config.PostLogoutRedirectURI()}
	})
	config.ClientSecret = client.secret
	var err error
	if app, err = sampleapp.New(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	return config.BaseURL
}

// signInUpstreamInWindow signs somebody in on the page of a provider upstream.
func signInUpstreamInWindow(w *window, claims map[string]any) {
	w.t.Helper()
	told, err := json.Marshal(claims)
	if err != nil {
		w.t.Fatal(err)
	}
	w.reads("h1", "Upstream")
	w.do(chromedp.SetValue(chromedp.CSS("#claims"), string(told)))
	w.press("#upstream-sign-in")
}

// From the sample app through Wicket to the provider and back, the first time and the second.
func TestUpstreamInABrowser(t *testing.T) {
	npmPackages(t)
	inEachHouse(t, func(t *testing.T, h *openHouse) {
		w := openWindow(t)
		acme := anyProvider()
		acme.Name = "Acme Works"
		startUpstream(t, h, acme)
		for _, kind := range []string{federation.KindGoogle, federation.KindMicrosoft, federation.KindGitHub} { // for the looks of it
			h.believe(t, &federation.Provider{Kind: kind, ClientID: "wicket", Secret: upstreamSecret})
		}
		app := h.sample(t)
		w.open(app)
		w.press("#sign-in")
		w.reads("main", "Sign in with Google", "Sign in with Microsoft", "Sign in with GitHub", "Sign in with Acme Works")
		w.look("signin-upstream")

		// Not going on there leads to another way.
		w.press("#with-oidc")
		w.press("#upstream-sign-in + button")
		w.reads("main", "You are not signed in")
		w.look("upstream-denied")
		w.press("#with-oidc")

		signInUpstreamInWindow(w, someone("carol", map[string]any{"picture": "https://upstream.example/carol.png"}))
		w.reads("main", "carol@upstream.example", "It is not linked to an account here yet")
		w.look("arrival")
		w.press("#register")
		w.reads("main", "wants to use your account", "Carol Upstream")
		w.press("#allow")
		w.reads("#greeting", "Carol")
		w.open(h.issuer + "/account/linked")
		w.reads("main", "carol@upstream.example", "Acme Works")
		w.look("account-linked")
		w.press(`button[aria-label^="Unlink"]`)
		w.reads("#failure", "the last way into your account")
		w.look("account-linked-last")
		w.open(h.issuer + "/account/security")
		w.reads("main", "You have none")
		w.look("account-security-no-password")

		// The second time, signed in upstream and nowhere else: two presses, and no page in between.
		w.open(app)
		w.press("#sign-out")
		w.open(app)
		w.press("#sign-in")
		w.press("#with-oidc")
		w.reads("#greeting", "Carol")
	})
}

// Somebody who has an account signs in to it and links the two.
func TestLinkingInABrowser(t *testing.T) {
	npmPackages(t)
	w := openWindow(t)
	h := openTestHouse(t, storagetest.URL(t, storage.SQLite))
	p := anyProvider()
	p.Settings.Emails = federation.EmailsProved
	startUpstream(t, h, p)
	app := serveApp(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(`<!doctype html><title>App</title><link rel="icon" href="data:,"><h1>App</h1>`))
	}))
	client := h.client(t, func(c *clients.Client) { c.IsTrusted, c.RedirectURIs = true, []string{app + "/callback"} })
	w.open(h.authorizeURL(client, url.Values{"redirect_uri": {app + "/callback"}}))
	w.press("#with-oidc")
	signInUpstreamInWindow(w, someone("alice-there", map[string]any{"email": testEmail}))
	w.reads("main", "There is an account with this email address here")
	w.look("arrival-known")
	w.press("#have-account")
	w.signIn(testUsername, testPassword)
	w.reads("main", "Link your accounts?", "Alice Example", testEmail)
	w.look("link-arrival")
	w.press("#link")
	if at := ask(w, chromedp.Location()); !strings.Contains(at, "code=") {
		t.Errorf("after linking the browser is at %s", at)
	}
	if accounts := h.linked(t, h.user); len(accounts) != 1 {
		t.Errorf("linked: %+v", accounts)
	}
}

// Wicket is an OpenID Provider like any other: a second Wicket believes the first.
func TestWicketBehindWicket(t *testing.T) {
	inEachHouse(t, func(t *testing.T, h *openHouse) {
		above := openTestHouse(t, storagetest.URL(t, storage.SQLite))
		client := above.client(t, func(c *clients.Client) {
			c.Name, c.AuthMethod, c.RedirectURIs = "The other Wicket", clients.AuthBasic, []string{h.Upstreams.Callback("above")}
		})
		if err := above.Identity.Roles().Grant(t.Context(), above.user.ID, "admin"); err != nil {
			t.Fatal(err)
		}
		h.believe(t, &federation.Provider{ID: "above", Kind: federation.KindOpenID, Name: "Wicket above", Issuer: above.issuer, ClientID: client.ID, Secret: client.secret, Settings: federation.Settings{
			Registration: true, Emails: federation.EmailsProved, TrustAMR: true,
		}})
		// Nobody is called alice here yet, but for the one of the test, who gives way.
		h.sql(t, "DELETE FROM users WHERE id = ?", h.user.ID)
		app := h.client(t, func(c *clients.Client) { c.IsTrusted = true })
		b := h.browser(t).traveller()
		shown := b.post(t, "/federation/above", url.Values{"continue": {b.get(t, h.authorizeURL(app, nil)).held()}})
		upstairs := &browser{Client: b.Client, house: above}
		shown = upstairs.post(t, "/sign-in", url.Values{"username": {testUsername}, "password": {testPassword}, "continue": {shown.held()}})
		if strings.Contains(shown.body, `id="allow"`) {
			shown = upstairs.post(t, "/consent", url.Values{"decision": {"allow"}, "continue": {shown.held()}, "scope": {"profile", "email"}})
		}
		if shown.at() != "/arrival" || !strings.Contains(shown.body, testEmail) {
			t.Fatalf("%s at %s\n%s", shown.Status, shown.Request.URL, shown.body)
		}
		location, err := b.post(t, "/arrival/register", url.Values{"username": {"alice"}}).Location()
		if err != nil {
			t.Fatal(err)
		}
		tokens := h.redeem(t, app, location.Query().Get("code"))
		told := h.userinfo(t, tokens.text("access_token")).json
		if told["email"] != testEmail || told["email_verified"] != true || told["name"] != "Alice Example" || told["sub"] == above.user.ID.String() {
			t.Errorf("the app is told %v", told)
		}
		if claims := claimsOf(t, tokens.text("id_token")); claims["acr"] != identity.ACRFederated {
			t.Errorf("the app is told acr %v, amr %v", claims["acr"], claims["amr"])
		}
		alice, err := h.Identity.Users().Find(t.Context(), "alice")
		if err != nil || h.linked(t, alice)[0].Subject != above.user.ID.String() {
			t.Errorf("%+v, %v", alice, err)
		}
	})
}
