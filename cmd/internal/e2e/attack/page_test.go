package attack

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/wicket-id/wicket/oidc"
)

// Pages can be neither framed nor scripted, are kept nowhere, and leave password managers alone.
func TestPageHeaders(t *testing.T) {
	t.Parallel()
	passwordField := regexp.MustCompile(`<input[^>]*id="password"[^>]*>`)
	eachTarget(t, func(t *testing.T, to *target) {
		b := to.signIn(t)
		for _, path := range []string{"/", "/sign-in", "/account", "/forgot-password", "/no/such/page", "/authorize?client_id=%3Cscript%3E"} {
			shown := b.Get(t, path)
			policy := shown.Header.Get("Content-Security-Policy")
			for _, want := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "script-src 'self'", "form-action 'self'"} {
				if !strings.Contains(policy, want) {
					t.Errorf("%s: the policy lacks %s: %s", path, want, policy)
				}
			}
			if strings.Contains(policy, "unsafe") || strings.Contains(policy, "*") {
				t.Errorf("%s: %s", path, policy)
			}
			for name, want := range map[string]string{
				"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "same-origin", "Cache-Control": "no-store",
			} {
				if got := shown.Header.Get(name); got != want {
					t.Errorf("%s: %s %q, want %q", path, name, got, want)
				}
			}
			pins := shown.Header.Get("Strict-Transport-Security")
			if strings.Contains(pins, "includeSubDomains") {
				t.Errorf("%s: hosts that are not Wicket's are pinned: %s", path, pins)
			}
			pinned := pins != ""
			if pinned != strings.HasPrefix(to.Issuer, "https://") {
				t.Errorf("%s: Strict-Transport-Security: %t", path, pinned)
			}
			if strings.Contains(shown.Text, "<script>") {
				t.Errorf("%s: a script that came with the request", path)
			}
		}
		field := passwordField.FindString(to.NewBrowser(t).Get(t, "/sign-in").Text)
		if !strings.Contains(field, `type="password"`) || !strings.Contains(field, `autocomplete="current-password"`) {
			t.Errorf("the field of the password: %s", field)
		}
	})
}

// Cookies are for this server, and for no script.
func TestCookieFlags(t *testing.T) {
	t.Parallel()
	eachTarget(t, func(t *testing.T, to *target) {
		b := to.NewBrowser(t)
		form := url.Values{"username": {to.username}, "password": {to.password}}
		request := to.form(t, "/sign-in", form, map[string]string{"Origin": to.Issuer})
		response, err := b.WithoutRedirects().Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = response.Body.Close() }()
		t.Cleanup(func() { b.Post(t, "/account/sign-out", url.Values{}) })
		if len(response.Cookies()) == 0 {
			t.Fatalf("%s, without a cookie", response.Status)
		}
		https := strings.HasPrefix(to.Issuer, "https://")
		for _, cookie := range response.Cookies() {
			if !cookie.HttpOnly || cookie.SameSite == http.SameSiteNoneMode || cookie.SameSite == 0 || cookie.Domain != "" ||
				cookie.Path != "/" || cookie.Secure != https || strings.HasPrefix(cookie.Name, "__Host-") != https {
				t.Errorf("%+v", cookie)
			}
		}
	})
}

// Forms of other sites are not heard, signed in or not.
func TestCrossSiteForms(t *testing.T) {
	t.Parallel()
	eachTarget(t, func(t *testing.T, to *target) {
		b := to.signIn(t)
		for _, path := range []string{
			"/sign-in", "/consent", "/account/sign-out", "/account/sign-out-everywhere", "/account/password", "/account/emails/add",
			"/account/profile", "/account/erase", "/logout/confirm", "/register", "/forgot-password",
		} {
			for name, from := range map[string]map[string]string{
				"another site": {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
				"a neighbour":  {"Sec-Fetch-Site": "same-site"}, "a sandbox": {"Origin": "null"}, "an old browser": {"Origin": "https://evil.example"},
			} {
				form := url.Values{"username": {to.username}, "password": {to.password}, "decision": {"allow"}}
				response, err := b.WithoutRedirects().Do(to.form(t, path, form, from))
				if err != nil {
					t.Fatal(err)
				}
				_ = response.Body.Close()
				if response.StatusCode != http.StatusForbidden || len(response.Cookies()) > 0 {
					t.Errorf("%s from %s: %s", path, name, response.Status)
				}
			}
		}
		if shown := b.Get(t, "/account"); !strings.Contains(shown.Text, `id="sign-out"`) {
			t.Error("the person is signed out by it")
		}
		// Apps of other sites may post here. Browsers send no cookie of the session then, and must keep the one they have.
		posted := to.form(t, "/logout", nil, map[string]string{"Sec-Fetch-Site": "cross-site"})
		response, err := http.DefaultTransport.RoundTrip(posted)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != http.StatusOK || len(response.Cookies()) > 0 {
			t.Errorf("a logout without a session: %s, and the cookies %v", response.Status, response.Cookies())
		}
	})
}

// No parameter of ours leads to another site.
func TestOpenRedirects(t *testing.T) {
	t.Parallel()
	eachTarget(t, func(t *testing.T, to *target) {
		b := to.signIn(t)
		evil := []string{"https://evil.example/", "//evil.example/", `/\evil.example/`, "https:evil.example", "/%09/evil.example"}
		for _, address := range evil {
			for _, path := range []string{
				"/sign-in?continue=", "/second-step?continue=", "/register?continue=", "/consent?continue=", "/select-account?continue=",
				"/authorize?interaction=", "/sign-in?return_to=", "/sign-in?next=", "/sign-in?redirect_uri=", "/logout?post_logout_redirect_uri=",
				"/logout?client_id=" + to.app.ID + "&post_logout_redirect_uri=", "/federation/none/callback?state=",
			} {
				response, err := b.WithoutRedirects().Get(to.Issuer + path + url.QueryEscape(address))
				if err != nil {
					t.Fatal(err)
				}
				_ = response.Body.Close()
				if location := response.Header.Get("Location"); strings.Contains(location, "evil") &&
					!strings.HasPrefix(location, "/sign-in?") {
					t.Errorf("%s%s: to %s", path, address, location)
				}
			}
			form := url.Values{"username": {to.username}, "password": {to.password}, "then": {address}}
			signedIn, err := b.WithoutRedirects().Do(to.form(t, "/sign-in", form, map[string]string{"Origin": to.Issuer}))
			if err != nil {
				t.Fatal(err)
			}
			_ = signedIn.Body.Close()
			if location := signedIn.Header.Get("Location"); location != "/account" {
				t.Errorf("signed in, and then %s: to %s", address, location)
			}
			response, err := b.WithoutRedirects().Get(to.Issuer + "/" + address)
			if err != nil {
				t.Fatal(err)
			}
			_ = response.Body.Close()
			if location := response.Header.Get("Location"); location != "" {
				t.Errorf("the path /%s: to %s", address, location)
			}
		}
		if shown := b.Get(t, "/account"); !strings.Contains(shown.Text, `id="sign-out"`) {
			t.Error("a link signs people out")
		}
	})
}

// Pages of other sites read what is public, and nothing else.
func TestForeignOrigins(t *testing.T) {
	t.Parallel()
	eachTarget(t, func(t *testing.T, to *target) {
		b := to.signIn(t)
		for _, path := range []string{"/", "/account", "/account/apps", oidc.PathAuthorize, oidc.PathIntrospect} {
			request, err := http.NewRequest(http.MethodGet, to.Issuer+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Origin", "https://evil.example")
			response, err := b.WithoutRedirects().Do(request)
			if err != nil {
				t.Fatal(err)
			}
			_ = response.Body.Close()
			for _, name := range []string{"Access-Control-Allow-Origin", "Access-Control-Allow-Credentials"} {
				if got := response.Header.Get(name); got != "" {
					t.Errorf("%s: %s %s", path, name, got)
				}
			}
		}
	})
}
