package protocol

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/storagetest"
	"github.com/wicket-id/wicket/web"
)

// policy reads a Content-Security-Policy.
func policy(header string) map[string][]string {
	directives := map[string][]string{}
	for _, directive := range strings.Split(header, ";") {
		if fields := strings.Fields(directive); len(fields) > 0 {
			directives[fields[0]] = fields[1:]
		}
	}
	return directives
}

// Inline code of any kind, which the policy would block and which must not be there to begin with.
var inlineCode = regexp.MustCompile(
	`(?i)<script(?:\s[^>]*)?>[^<]|<script>|<style|\sstyle=|\son[a-z]+=|javascript:|<iframe|<object|<embed|<base`,
)

func checkPageHeaders(t testing.TB, name string, shown harness.Page) {
	t.Helper()
	if values := shown.Header.Values("Content-Security-Policy"); len(values) != 1 || strings.Contains(values[0], ",") {
		t.Errorf("%s: Content-Security-Policy %q", name, values)
	}
	directives := policy(shown.Header.Get("Content-Security-Policy"))
	for directive, want := range map[string]string{"default-src": "'none'", "frame-ancestors": "'none'", "base-uri": "'none'", "script-src": "'self'", "style-src": "'self'"} {
		if got := strings.Join(directives[directive], " "); got != want {
			t.Errorf("%s: %s %s, want %s", name, directive, got, want)
		}
	}
	if len(directives["form-action"]) == 0 || directives["form-action"][0] != "'self'" {
		t.Errorf("%s: form-action %v", name, directives["form-action"])
	}
	for directive, sources := range directives {
		for _, source := range sources {
			if strings.HasPrefix(source, "'unsafe") || source == "*" || source == "http:" {
				t.Errorf("%s: %s allows %s", name, directive, source)
			}
		}
	}
	for header, want := range map[string]string{"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "same-origin", "Cache-Control": "no-store"} {
		if got := shown.Header.Get(header); got != want {
			t.Errorf("%s: %s %q, want %q", name, header, got, want)
		}
	}
	if found := inlineCode.FindString(shown.Text); found != "" {
		t.Errorf("%s: inline code %q", name, found)
	}
	if shown.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("%s: other origins may read it", name)
	}
}

func TestEveryPageHasTheSecurityHeaders(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		client := h.AddClient(t, func(c *clients.Client) {
			c.Name, c.LogoURI = "<script>alert(1)</script>", "https://app.example.com/logo.png"
		})
		b, visitor := h.NewBrowser(t), h.NewBrowser(t)
		signIn := visitor.Get(t, h.AuthorizeURL(client, nil))
		consent := b.SignIn(t, b.Get(t, h.AuthorizeURL(client, nil)))
		pages := map[string]struct {
			shown  harness.Page
			status int
			holds  string
		}{
			"welcome":            {visitor.Get(t, "/"), 200, "Wicket"},
			"sign in":            {visitor.Get(t, "/sign-in"), 200, `id="sign-in"`},
			"sign in for an app": {signIn, 200, `id="sign-in"`},
			"wrong password": {visitor.Post(
				t, "/sign-in",
				url.Values{
					"username": {`"><script>alert(1)</script>`}, "password": {"wrong password"}, "continue": {signIn.Continue()},
				},
			), 401, `id="sign-in"`},
			"sign in again": {b.Get(t, h.AuthorizeURL(client, url.Values{"prompt": {"login"}})), 200, `id="password"`},
			"select account": {b.Get(
				t, h.AuthorizeURL(client, url.Values{"prompt": {"select_account"}}),
			), 200, "Alice Example"},
			"consent": {consent, 200, `id="allow"`},
			"account": {b.Get(t, "/account"), 200, "Alice Example"},
			"answer by form_post": {b.Get(
				t, h.AuthorizeURL(client, url.Values{"response_mode": {"form_post"}, "prompt": {"none"}}),
			), 200, `name="error"`},
			"an error for a person": {visitor.Get(t, "/authorize?client_id=%3Cscript%3E"), 400, "client_id"},
			"a stale page":          {visitor.Get(t, "/consent?continue=x"), 400, "open for too long"},
			"logout":                {b.Get(t, "/logout"), 200, `id="sign-out"`},
			"logout for an app":     {b.Get(t, "/logout?client_id="+client.ID), 200, `id="sign-out"`},
			"logout that leads nowhere": {b.Get(
				t, "/logout?post_logout_redirect_uri=https%3A%2F%2Fevil.example",
			), 200, `id="sign-out"`},
			"logout that is wrong": {b.Get(t, "/logout?id_token_hint=x"), 400, "id_token_hint"},
			"signed out, that leads nowhere": {visitor.Get(
				t, "/logout?post_logout_redirect_uri=https%3A%2F%2Fevil.example",
			), 200, `id="not-sent-back"`},
			"signed out":     {visitor.Get(t, "/logout"), 200, "signed out"},
			"no such page":   {visitor.Get(t, "/no/such/page"), 404, "no such page"},
			"no such method": {visitor.Post(t, "/", nil), 405, "cannot be done"},
		}
		for name, p := range pages {
			if p.shown.StatusCode != p.status || !strings.Contains(strings.ToLower(p.shown.Text), strings.ToLower(p.holds)) {
				t.Errorf("%s: is not the page that it should be: %s\n%s", name, p.shown.Status, p.shown.Text)
			}
			if !strings.HasPrefix(p.shown.Header.Get("Content-Type"), "text/html; charset=utf-8") {
				t.Errorf("%s: Content-Type %q", name, p.shown.Header.Get("Content-Type"))
			}
			checkPageHeaders(t, name, p.shown)
		}
		// A form that leads on to the app may go there; one that does not may not.
		for name, want := range map[string]bool{"sign in for an app": true, "consent": true, "select account": true, "sign in": false, "account": false, "logout": false} {
			allowed := slices.Contains(
				policy(pages[name].shown.Header.Get("Content-Security-Policy"))["form-action"], "http://localhost:9999",
			)
			if allowed != want {
				t.Errorf("%s: its form may lead to the app: %v", name, allowed)
			}
		}
		// Redirects carry codes: they are not kept either.
		answered := b.Allow(t, consent)
		for name, response := range map[string]harness.Page{"to the app": answered, "to the sign-in": func() harness.Page {
			response, err := visitor.WithoutRedirects().Get(h.AuthorizeURL(client, nil))
			return harness.ReadPage(t, response, err)
		}()} {
			if response.StatusCode != http.StatusSeeOther || response.Header.Get("Cache-Control") != "no-store" ||
				response.Header.Get("Referrer-Policy") != "same-origin" {
				t.Errorf(
					"redirect %s: %s, %q, %q", name, response.Status, response.Header.Get("Cache-Control"),
					response.Header.Get("Referrer-Policy"),
				)
			}
		}
	})
}

func TestEveryAnswerSaysWhatItIs(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		for path, kind := range map[string]string{
			"/": "text/html", "/healthz": "text/plain", "/readyz": "text/plain", oidc.PathConfiguration: "application/json",
			oidc.PathServerMetadata: "application/json", oidc.PathResource: "application/json",
			oidc.PathJWKS: "application/json", oidc.PathUserinfo: "application/json",
		} {
			shown := h.NewBrowser(t).Get(t, path)
			if shown.Header.Get("X-Content-Type-Options") != "nosniff" ||
				!strings.HasPrefix(shown.Header.Get("Content-Type"), kind) || shown.Header.Get("X-Request-Id") == "" {
				t.Errorf("%s: %v", path, shown.Header)
			}
			if shown.Header.Get("Server") != "" || shown.Header.Get("X-Powered-By") != "" ||
				shown.Header.Get("Strict-Transport-Security") != "" {
				t.Errorf("%s: %v", path, shown.Header)
			}
		}
	})
}

// RFC 9110, section 9.3.2: HEAD is GET without the body, everywhere.
func TestHeadIsAnsweredWhereGetIs(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		b, client := h.NewBrowser(t), h.AddClient(t, func(c *clients.Client) { c.IsTrusted = true })
		access := h.Redeem(t, client, b.Code(t, client, nil)).Text("access_token")
		for address, status := range map[string]int{
			"/": 200, "/healthz": 200, "/readyz": 200, "/sign-in": 303, "/forgot-password": 200, "/account": 200,
			"/account/apps": 200, "/logout": 200, "/consent?continue=x": 400, "/federation/nobody": 404, "/no/such/page": 404,
			oidc.PathConfiguration: 200, oidc.PathServerMetadata: 200, oidc.PathJWKS: 200, oidc.PathUserinfo: 200,
			"/.well-known/webauthn": 200, "/authorize": 400, "/assets/logo.svg": 404, oidc.PathToken: 405, oidc.PathRevoke: 405,
			strings.TrimPrefix(h.AuthorizeURL(client, nil), h.Issuer): 303,
		} {
			var answers []harness.Page
			for _, method := range []string{http.MethodGet, http.MethodHead} {
				request, err := http.NewRequest(method, h.Issuer+address, nil)
				if err != nil {
					t.Fatal(err)
				}
				request.Header.Set("Authorization", "Bearer "+access)
				response, err := b.WithoutRedirects().Do(request)
				answers = append(answers, harness.ReadPage(t, response, err))
			}
			got, head := answers[0], answers[1]
			if got.StatusCode != status || head.StatusCode != status || head.Text != "" ||
				head.Header.Get("Content-Type") != got.Header.Get("Content-Type") ||
				head.Header.Get("Cache-Control") != got.Header.Get("Cache-Control") ||
				(head.Header.Get("Location") == "") != (got.Header.Get("Location") == "") {
				t.Errorf("%s: GET %s %v, HEAD %s %v %q", address, got.Status, got.Header, head.Status, head.Header, head.Text)
			}
		}
	})
}

// sessionCookie returns the session cookie that an answer sets, which must be one; the only other cookie there may be
// is that of the device, by the same rules.
func sessionCookie(t testing.TB, answers ...*http.Response) *http.Cookie {
	t.Helper()
	var cookies []*http.Cookie
	for _, answer := range answers {
		for _, cookie := range answer.Cookies() {
			if !strings.HasSuffix(cookie.Name, "wicket_session") {
				if cookie.Path != "/" || !cookie.HttpOnly || cookie.Secure != strings.HasPrefix(cookie.Name, "__Host-") ||
					cookie.SameSite != http.SameSiteLaxMode || cookie.Domain != "" {
					t.Errorf("another cookie: %+v", cookie)
				}
				continue
			}
			cookies = append(cookies, cookie)
		}
	}
	if len(cookies) != 1 {
		t.Fatalf("%d cookies: %v", len(cookies), cookies)
	}
	return cookies[0]
}

func TestTheCookieIsForThisServerAlone(t *testing.T) {
	t.Parallel()
	check := func(t *testing.T, h *harness.Server, name string, secure bool) {
		t.Helper()
		b := h.NewBrowser(t)
		follow := b.CheckRedirect
		b.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		for _, path := range []string{"/", "/sign-in", "/account", "/logout", "/authorize"} {
			if shown := b.Get(t, path); len(shown.Cookies()) > 0 && shown.Cookies()[0].Value != "" {
				t.Errorf("%s gives a visitor the cookie %v", path, shown.Cookies())
			}
		}
		shown := b.SignIn(t, harness.Page{})
		cookie := sessionCookie(t, shown.Response)
		if cookie.Name != name || !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode || cookie.Secure != secure ||
			cookie.Path != "/" || cookie.Domain != "" || cookie.MaxAge <= 0 || len(cookie.Value) < 43 {
			t.Errorf("cookie %+v", cookie)
		}
		hsts := shown.Header.Get("Strict-Transport-Security")
		if (hsts != "") != secure || strings.Contains(hsts, "includeSubDomains") {
			t.Errorf("Strict-Transport-Security %q", hsts)
		}
		again := sessionCookie(t, b.SignIn(t, harness.Page{}).Response)
		if again.Value == cookie.Value {
			t.Error("signing in again keeps the cookie")
		}
		// Signing out takes it back, by the same name and path, or browsers would keep it.
		gone := sessionCookie(t, b.Post(t, "/account/sign-out", url.Values{}).Response)
		if gone.Name != name || gone.Value != "" || gone.MaxAge >= 0 || gone.Path != "/" || gone.Secure != secure ||
			!gone.HttpOnly {
			t.Errorf("taken back by %+v", gone)
		}
		b.CheckRedirect = follow
		for _, old := range []*http.Cookie{cookie, again} {
			request, err := http.NewRequest(http.MethodGet, h.Issuer+"/account", nil)
			if err != nil {
				t.Fatal(err)
			}
			request.AddCookie(&http.Cookie{Name: name, Value: old.Value})
			if shown := h.Send(t, request); shown.StatusCode != http.StatusSeeOther {
				t.Errorf("an old cookie opens the account: %s", shown.Status)
			}
		}
	}
	storagetest.EachURL(t, func(t *testing.T, url string) {
		t.Run("http", func(t *testing.T) {
			check(t, harness.Start(t, url), "wicket_session", false)
		})
	})
	storagetest.EachURL(t, func(t *testing.T, url string) {
		t.Run("https", func(t *testing.T) {
			h, _ := harness.StartSecure(t, url)
			check(t, h, "__Host-wicket_session", true)
		})
	})
}

// The unprefixed cookie could be planted by a subdomain: behind https it counts for nothing.
func TestSecureServerTakesNoOtherCookie(t *testing.T) {
	t.Parallel()
	h, _ := harness.StartSecure(t, storagetest.URL(t, storage.SQLite))
	b := h.NewBrowser(t)
	b.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	cookie := sessionCookie(t, b.SignIn(t, harness.Page{}).Response)
	for name, status := range map[string]int{"__Host-wicket_session": 200, "wicket_session": 303, "__Secure-wicket_session": 303, "__host-wicket_session": 303} {
		request, err := http.NewRequest(http.MethodGet, h.Issuer+"/account", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.AddCookie(&http.Cookie{Name: name, Value: cookie.Value})
		if shown := h.Send(t, request); shown.StatusCode != status {
			t.Errorf("%s: %s, want %d", name, shown.Status, status)
		}
	}
}

// personRoutes are the forms of our own pages. The other routes that take a POST are for apps, or for people whom apps
// send.
var (
	personRoutes = []string{"/sign-in", "/select-account", "/consent", "/continue", "/no-access", "/account/apps/remove", "/account/devices/end", "/account/devices/end-others", "/account/sign-out", "/account/sign-out-everywhere", "/logout/confirm", "/account/kept", "/account/picture", "/account/picture/remove",
		"/account/emails/add", "/account/emails/resend", "/account/emails/primary", "/account/emails/remove",
		"/account/password",
		"/account/profile", "/account/download", "/account/erase",
		"/account/phones/add", "/account/phones/resend", "/account/phones/verify", "/account/phones/primary",
		"/account/phones/remove",
		"/sign-in/passkey", "/second-step", "/enrol/decline", "/account/password/remove", "/account/passkeys/add",
		"/account/passkeys/remove",
		"/account/hardware-keys/add", "/account/hardware-keys/remove", "/account/totps/confirm", "/account/totps/remove",
		"/account/backup-codes", "/account/factors/keep",
		"/federation/:provider", "/arrival/register", "/arrival/sign-in", "/arrival/link", "/account/linked/add",
		"/account/linked/remove",
		"/register", "/forgot-password", "/reset-password", "/verify-email", "/unlock", "/not-me", oidc.PathDevice}
	otherRoutes = []string{
		oidc.PathAuthorize, oidc.PathLogout, oidc.PathPAR, oidc.PathToken, oidc.PathIntrospect, oidc.PathRevoke,
		oidc.PathUserinfo, oidc.PathDeviceRequest, "/federation/:provider/logout",
	}
)

func TestFormsOfOtherSitesAreRefused(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		for _, route := range h.Handler.(*web.Handler).Routes() {
			if route.Method != http.MethodGet && route.Method != http.MethodHead && route.Method != http.MethodOptions &&
				!slices.Contains(personRoutes, route.Path) && !slices.Contains(otherRoutes, route.Path) &&
				!strings.HasPrefix(route.Path, "/console/") { // see TestConsoleTakesNoFormOfAnotherSite
				t.Errorf("%s %s is in neither list: is it safe from other sites?", route.Method, route.Path)
			}
		}
		client, b := h.AddClient(t, nil), h.NewBrowser(t)
		tokens := h.Redeem(t, client, b.Code(t, client, nil))
		send := func(path string, header map[string]string) harness.Page {
			form := url.Values{
				"username": {harness.Username}, "password": {harness.Password}, "decision": {"allow"},
				"id": {"018f4c00-0000-7000-8000-00000000000a"},
			}
			request, err := http.NewRequest(http.MethodPost, h.Issuer+path, strings.NewReader(form.Encode()))
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			for name, value := range header {
				request.Header.Set(name, value)
			}
			response, err := b.WithoutRedirects().Do(request)
			return harness.ReadPage(t, response, err)
		}
		for _, path := range append(personRoutes, "/no/such/page") {
			for name, header := range map[string]map[string]string{
				"another site":                 {"Sec-Fetch-Site": "cross-site"},
				"another site, our origin":     {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
				"a subdomain":                  {"Sec-Fetch-Site": "same-site", "Origin": "http://evil.localhost"},
				"an old browser, another site": {"Origin": "https://evil.example"},
				"an old browser, another port": {"Origin": "http://localhost:1"},
				"a sandbox":                    {"Origin": "null"},
				"a sandbox of today":           {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
			} {
				shown := send(path, header)
				if shown.StatusCode != http.StatusForbidden || len(shown.Cookies()) > 0 {
					t.Errorf("POST %s from %s: %s, cookies %v", path, name, shown.Status, shown.Cookies())
				}
				checkPageHeaders(t, path+" from "+name, shown)
			}
		}
		if got := h.Refresh(t, client, tokens.Text("refresh_token")); got.Status != http.StatusOK {
			t.Errorf("after all that her session has ended: %v", got.JSON)
		}
		if shown := b.Get(t, "/account"); !strings.Contains(shown.Text, "Alice Example") {
			t.Error("after all that she is signed out")
		}
		// Our own pages are heard.
		for name, header := range map[string]map[string]string{"today": {"Sec-Fetch-Site": "same-origin", "Origin": h.Issuer}, "old": {"Origin": h.Issuer}, "no browser": {}} {
			if shown := send("/account/devices/end", header); shown.StatusCode != http.StatusSeeOther {
				t.Errorf("our own form (%s): %s", name, shown.Status)
			}
		}
	})
}

func TestWhichOriginsMayReadWhat(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		const home, guest, visitor = "http://localhost:9999", "https://spa.example.com", "https://evil.example"
		client := h.AddClient(t, func(c *clients.Client) {
			c.AuthMethod, c.AllowedOrigins = clients.AuthNone, []string{guest}
		})
		b := h.NewBrowser(t)
		tokens := h.Redeem(t, client, b.Code(t, client, nil))
		call := func(method, path, origin string, header map[string]string, form url.Values) harness.Page {
			request, err := http.NewRequest(method, h.Issuer+path, strings.NewReader(form.Encode()))
			if err != nil {
				t.Fatal(err)
			}
			if form != nil {
				request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			}
			request.Header.Set("Origin", origin)
			for name, value := range header {
				request.Header.Set(name, value)
			}
			response, err := http.DefaultTransport.RoundTrip(request)
			shown := harness.ReadPage(t, response, err)
			if shown.Header.Get("Access-Control-Allow-Credentials") != "" {
				t.Errorf("%s %s: cookies for other origins", method, path)
			}
			if values := shown.Header.Values("Access-Control-Allow-Origin"); len(values) > 1 {
				t.Errorf("%s %s: %d times Access-Control-Allow-Origin", method, path, len(values))
			}
			return shown
		}
		readable := func(shown harness.Page, origin string) bool {
			allowed := shown.Header.Get("Access-Control-Allow-Origin")
			return allowed == "*" || allowed == origin
		}
		bearer := func(token string) map[string]string { return map[string]string{"Authorization": "Bearer " + token} }
		// What is public, or comes for a token, any page may read; refusals too, or nobody could tell why.
		for _, origin := range []string{home, guest, visitor, "null"} {
			for _, path := range []string{oidc.PathConfiguration, oidc.PathServerMetadata, oidc.PathJWKS, oidc.PathResource} {
				if shown := call("GET", path, origin, nil, nil); shown.StatusCode != 200 || !readable(shown, origin) {
					t.Errorf("GET %s from %s: %s, %v", path, origin, shown.Status, shown.Header)
				}
			}
			for token, status := range map[string]int{tokens.Text("access_token"): 200, "nonsense": 401} {
				for _, method := range []string{"GET", "POST"} {
					shown := call(method, oidc.PathUserinfo, origin, bearer(token), nil)
					if shown.StatusCode != status || !readable(shown, origin) ||
						!strings.Contains(shown.Header.Get("Access-Control-Expose-Headers"), "WWW-Authenticate") {
						t.Errorf("%s userinfo from %s: %s, %v", method, origin, shown.Status, shown.Header)
					}
				}
			}
			for path, method := range map[string]string{
				oidc.PathToken: "POST", oidc.PathRevoke: "POST", oidc.PathUserinfo: "GET", oidc.PathConfiguration: "GET", oidc.PathJWKS: "GET",
			} {
				shown := call(
					"OPTIONS", path, origin,
					map[string]string{
						"Access-Control-Request-Method": method, "Access-Control-Request-Headers": "authorization,content-type",
					},
					nil,
				)
				if shown.StatusCode != http.StatusNoContent || !readable(shown, origin) ||
					!strings.Contains(shown.Header.Get("Access-Control-Allow-Methods"), method) ||
					!strings.Contains(shown.Header.Get("Access-Control-Allow-Headers"), "Authorization") ||
					!strings.Contains(shown.Header.Get("Access-Control-Allow-Headers"), "Content-Type") {
					t.Errorf("preflight of %s from %s: %s, %v", path, origin, shown.Status, shown.Header)
				}
			}
		}
		// The token endpoint serves pages of registered origins, and lets no other page read a word.
		refreshForm := func(token string) url.Values {
			return url.Values{"grant_type": {oidc.GrantRefreshToken}, "client_id": {client.ID}, "refresh_token": {token}}
		}
		token := tokens.Text("refresh_token")
		for _, origin := range []string{visitor, "null", "http://localhost:9998", "https://localhost:9999", "https://spa.example.com.evil.example", "https://SPA.example.com", "http://localhost:9999/"} {
			for _, path := range []string{oidc.PathToken, oidc.PathRevoke} {
				form := refreshForm(token)
				form.Set("token", token)
				shown := call("POST", path, origin, nil, form)
				if shown.StatusCode != http.StatusForbidden || readable(shown, origin) ||
					strings.Contains(shown.Text, "access_token") {
					t.Errorf("POST %s from %s: %s, %v", path, origin, shown.Status, shown.Header)
				}
			}
		}
		for _, origin := range []string{home, guest} {
			shown := call("POST", oidc.PathToken, origin, nil, refreshForm(token))
			if shown.StatusCode != http.StatusOK || shown.Header.Get("Access-Control-Allow-Origin") != origin ||
				!slices.Contains(shown.Header.Values("Vary"), "Origin") {
				t.Errorf("refresh from %s: %s, %v\n%s", origin, shown.Status, shown.Header, shown.Text)
			}
			for name, form := range map[string]url.Values{
				"a wrong refresh token":   refreshForm("nonsense"),
				"no refresh token":        refreshForm(""),
				"a wrong code":            {"grant_type": {oidc.GrantCode}, "client_id": {client.ID}, "code": {"nonsense"}, "redirect_uri": {harness.RedirectURI}, "code_verifier": {harness.CodeVerifier}},
				"an unknown grant":        {"grant_type": {"nonsense"}, "client_id": {client.ID}},
				"no grant":                {"client_id": {client.ID}},
				"a grant of other people": {"grant_type": {oidc.GrantClientCredentials}, "client_id": {client.ID}},
			} {
				if shown := call("POST", oidc.PathToken, origin, nil, form); shown.StatusCode != http.StatusBadRequest ||
					!readable(shown, origin) {
					t.Errorf("%s from %s: %s, %v\n%s", name, origin, shown.Status, shown.Header, shown.Text)
				}
			}
			if shown := call(
				"POST", oidc.PathRevoke, origin, nil, url.Values{"client_id": {client.ID}, "token": {"nonsense"}},
			); shown.StatusCode != http.StatusOK || !readable(shown, origin) {
				t.Errorf("revoke from %s: %s, %v", origin, shown.Status, shown.Header)
			}
		}
		// Introspection is for servers, pages are for people: no other origin reads them.
		confidential := h.AddClient(t, nil)
		for path, form := range map[string]url.Values{
			oidc.PathIntrospect: {"client_id": {confidential.ID}, "client_secret": {confidential.Secret}, "token": {"x"}},
		} {
			if shown := call("POST", path, home, nil, form); shown.StatusCode != http.StatusOK || readable(shown, home) {
				t.Errorf("%s from %s: %s, %v", path, home, shown.Status, shown.Header)
			}
			if shown := call(
				"OPTIONS", path, home, map[string]string{"Access-Control-Request-Method": "POST"}, nil,
			); readable(shown, home) {
				t.Errorf("preflight of %s: %v", path, shown.Header)
			}
		}
		for _, path := range []string{"/", "/sign-in", "/account", "/authorize?" + strings.SplitN(
			h.AuthorizeURL(client, nil), "?", 2,
		)[1]} {
			if shown := call("GET", path, home, nil, nil); readable(shown, home) {
				t.Errorf("%s from %s: %v", path, home, shown.Header)
			}
		}
	})
}

// Promise 4: over a whole journey with everything that can go wrong on it, no secret is logged, nor kept in any table.
func TestSecretsAreNeitherLoggedNorKept(t *testing.T) {
	t.Parallel()
	storagetest.EachURL(t, func(t *testing.T, databaseURL string) {
		h, log := harness.StartSecure(t, databaseURL)
		secrets := map[string]string{"the password": harness.Password}
		keep := func(name, secret string) string {
			t.Helper()
			if len(secret) < 8 {
				t.Fatalf("%s is %q", name, secret)
			}
			secrets[name] = secret
			return secret
		}
		client := h.AddClient(t, nil)
		keep("the client's secret", client.Secret)
		b := h.NewBrowser(t)
		typo := keep("a mistyped password", "correct horse batter")
		b.Post(t, "/sign-in", url.Values{"username": {harness.Username}, "password": {typo}})
		field := keep("a password in the field of the name", "ottershumviolet9")
		b.Post(t, "/sign-in", url.Values{"username": {field}, "password": {"not this one"}})
		newcomers := h.NewBrowser(t)
		for name, password := range map[string]string{"a refused password": "password carol", "a newcomer's password": "violet otters hum at dusk"} {
			keep(name, password+" 7")
			newcomers.Post(t, "/register", url.Values{
				"username": {"carol"}, "email": {"carol@example.com"}, "name": {"Carol"}, "password": {password + " 7"},
			})
		}
		code := keep("the code", b.Code(t, client, url.Values{
			"state": {keep("the state", "state-3c1f0b7a")}, "nonce": {keep("the nonce", "nonce-9d2e4f6a")},
		}))
		home, err := url.Parse(h.Issuer)
		if err != nil {
			t.Fatal(err)
		}
		keep("the cookie", b.Jar.Cookies(home)[0].Value)
		wrong := client
		wrong.Secret = keep("a wrong client secret", "wrong-client-secret")
		h.Redeem(t, wrong, code)
		h.Call(t, oidc.PathToken, client, url.Values{
			"grant_type": {oidc.GrantCode}, "code": {code}, "redirect_uri": {harness.RedirectURI},
			"code_verifier": {keep("a wrong verifier", strings.Repeat("wrong-verifier", 4))},
		})
		tokens := h.Redeem(t, client, code)
		keep("the verifier", harness.CodeVerifier)
		keep("the access token", tokens.Text("access_token"))
		keep("the ID token", tokens.Text("id_token"))
		first := keep("the refresh token", tokens.Text("refresh_token"))
		second := keep("its successor", h.Refresh(t, client, first).Text("refresh_token"))
		third := keep("the successor's successor", h.Refresh(t, client, second).Text("refresh_token"))
		h.Userinfo(t, tokens.Text("access_token"))
		h.Call(t, oidc.PathIntrospect, client, url.Values{"token": {third}})
		keep("a forged token", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbGljZSJ9.c2ln")
		h.Userinfo(t, secrets["a forged token"])
		b.Get(t, "/logout?id_token_hint="+tokens.Text("id_token")+"x")
		b.Get(
			t,
			"/authorize?id_token_hint="+tokens.Text("id_token")+"&client_secret="+client.Secret+"&password="+url.QueryEscape(harness.Password),
		)
		h.Refresh(t, client, first) // the family ends
		h.Redeem(t, client, code)   // a replay
		h.Call(t, oidc.PathRevoke, client, url.Values{"token": {tokens.Text("access_token")}})
		keep("the second code", b.Code(t, client, nil))
		held := b.Get(t, h.AuthorizeURL(client, url.Values{"prompt": {"login"}})).Continue()
		keep("a suspended request", held)

		kept := harness.DumpAll(t, h.Database)
		if !strings.Contains(kept, h.User.ID.String()) || !strings.Contains(kept, client.ID) ||
			!strings.Contains(kept, "argon2id") {
			t.Fatal("the tables were not read")
		}
		for name, secret := range secrets {
			if name != "the nonce" && strings.Contains(kept, secret) { // the nonce waits with its code for the ID token
				t.Errorf("%s is kept in the clear", name)
			}
		}

		// And now the database goes away: faults are logged, with what they were about.
		if err := h.Database.Close(); err != nil {
			t.Fatal(err)
		}
		if shown := b.Get(t, "/account"); shown.StatusCode != http.StatusInternalServerError {
			t.Errorf("without a database: %s", shown.Status)
		}
		b.SignIn(t, harness.Page{})
		b.Get(t, h.AuthorizeURL(client, nil))
		h.Redeem(t, client, secrets["the second code"])
		h.Refresh(t, client, third)
		h.Userinfo(t, tokens.Text("access_token"))
		h.Call(t, oidc.PathIntrospect, client, url.Values{"token": {third}})

		logged := log.String()
		for _, expected := range []string{`"path":"/token"`, `"path":"/authorize"`, `"level":"ERROR"`, `"status":401`, `"status":500`, "user:" + h.User.ID.String(), "client:" + client.ID} {
			if !strings.Contains(logged, expected) {
				t.Errorf("the log has no %s: is this the log?", expected)
			}
		}
		for name, secret := range secrets {
			for _, form := range []string{secret, url.QueryEscape(secret), fmt.Sprintf("%x", storage.Digest(secret))} {
				if at := strings.Index(logged, form); at >= 0 {
					t.Errorf("%s is logged: %s", name, logged[max(0, at-200):min(len(logged), at+100)])
				}
			}
		}
	})
}
