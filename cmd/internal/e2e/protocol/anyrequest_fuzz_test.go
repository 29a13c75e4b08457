package protocol

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// Whatever is sent to whichever route, by whichever browser: the answer comes within moments, is no fault of ours, has
// the headers that keep a browser from being misled, and repeats nothing as markup or as a header of its own.
func FuzzAnyRequest(f *testing.F) {
	h := harness.Start(f, storagetest.URL(f, storage.SQLite))
	client := &clients.Client{
		ID: "app", Name: "App", AuthMethod: clients.AuthNone, RedirectURIs: []string{harness.RedirectURI},
	}
	if _, err := h.Clients.Create(f.Context(), client); err != nil {
		f.Fatal(err)
	}
	const form = "application/x-www-form-urlencoded"
	const authorize = "client_id=app&response_type=code&scope=openid&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256"
	const markup = `%22%3E%3Cscript%3Ealert(1)%3C/script%3E`
	for _, path := range []string{
		"/", "/sign-in", "/sign-in/passkey", "/second-step", "/enrol", "/register", "/federation/x", "/federation/x/callback", "/arrival", "/forgot-password", "/reset-password",
		"/verify-email", "/unlock", "/not-me", "/select-account", "/consent", "/continue", "/account", "/account/profile", "/authorize", "/par", "/token", "/userinfo", "/introspect", "/revoke",
		"/logout", "/account/emails/add", "/nothing", "/.well-known/openid-configuration", "/federation/%00", "/federation/%22%3E%3Cb%3Exx", "/%2e%2e/%2e%2e/etc/passwd", "//evil.example/", "/assets/../x",
	} {
		f.Add("GET", path, "continue="+markup+"&interaction=x&username="+markup, "", "", "")
		f.Add("POST", path, "", "continue=x&username="+markup+"&password=x&code=1&token="+markup, form, "wicket_session="+markup)
	}
	for _, body := range []string{
		"%", "a=%zz", "username=%ff", "username=%00&password=%00", "username=a&username=b", strings.Repeat("a=b&", 20_000), "username=" + strings.Repeat("x", 70_000), "a;b=c", "=&=", "username=%c3%28",
		"username=alice&password=" + strings.Repeat("x", 5_000), "username=" + url.QueryEscape("\u202e\u0000"), "state=AAAA&response=%7B%7D", "client_id=app&client_assertion=x",
	} {
		f.Add("POST", "/sign-in", "", body, form, "")
		f.Add("POST", "/token", body[:min(len(body), 2_000)], body, form, "")
		f.Add("GET", "/authorize", body[:min(len(body), 2_000)], "", "", "wicket_browser=x; wicket_session=\xff; wicket_device="+strings.Repeat("x", 100))
	}
	for _, query := range []string{
		authorize, authorize + "&state=" + markup, authorize + "&redirect_uri=https://evil.example/" + markup, authorize + "&prompt=none&state=a%0d%0aSet-Cookie:x", "interaction=" + markup,
		authorize + "&response_mode=form_post&prompt=none&state=" + markup, authorize + "&ui_locales=" + markup, authorize + "&login_hint=" + markup, "client_id=" + markup + "&redirect_uri=" + markup,
	} {
		f.Add("GET", "/authorize", query, "", "", "")
		f.Add("POST", "/authorize", "", query, form, "")
	}
	f.Add("POST", "/sign-in", "", "username=a", "multipart/form-data; boundary=x", "")
	f.Add("POST", "/sign-in", "", "username=a", "application/json\x00", "")
	f.Add("BREW", "/sign-in", "", "", "", "wicket_language=\"")
	f.Fuzz(func(t *testing.T, method, path, query, body, contentType, cookie string) {
		request, err := http.NewRequestWithContext(t.Context(), method, h.Issuer+"/", strings.NewReader(body))
		if err != nil || !strings.HasPrefix(path, "/") {
			return
		}
		parsed, err := url.ParseRequestURI(path)
		if err != nil || parsed.Path == "/readyz" || parsed.Path == "/dev/outbox" {
			return
		}
		request.URL.Path, request.URL.RawPath, request.URL.RawQuery = parsed.Path, parsed.RawPath, query
		request.RequestURI, request.RemoteAddr = request.URL.RequestURI(), "192.0.2.1:1"
		for name, value := range map[string]string{
			"Content-Type": contentType, "Cookie": cookie, "Accept-Language": contentType,
		} {
			if value != "" {
				request.Header.Set(name, value)
			}
		}
		recorder := httptest.NewRecorder()
		before := storagetest.Computed()
		h.Handler.ServeHTTP(recorder, request)
		if took := storagetest.Computed() - before; took > 10*time.Second {
			t.Fatalf("it took %s", took)
		}
		answer, page := recorder.Header(), recorder.Body.String()
		if recorder.Code >= 500 {
			t.Fatalf("%d %q", recorder.Code, page)
		}
		if answer.Get("X-Content-Type-Options") != "nosniff" {
			t.Fatalf("%d without nosniff: %v", recorder.Code, answer)
		}
		for name, values := range answer {
			for _, value := range values {
				if strings.ContainsAny(name+value, "\r\n\x00") {
					t.Fatalf("the header %q: %q", name, value)
				}
			}
		}
		if to := answer.Get("Location"); to != "" &&
			!strings.HasPrefix(to, h.Issuer+"/") && !strings.HasPrefix(to, harness.RedirectURI) &&
			(!strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") || strings.HasPrefix(to, `/\`)) {
			t.Fatalf("it leads to %q", to)
		}
		if !strings.HasPrefix(answer.Get("Content-Type"), "text/html") {
			return
		}
		checkPageHeaders(t, path, harness.Page{Response: recorder.Result(), Text: page})
		if inlineCode.MatchString(page) {
			t.Fatalf("inline code: %q", inlineCode.FindString(page))
		}
		for _, value := range sent(parsed.Path, query, body, cookie, contentType) {
			if strings.ContainsAny(value, `<>"`) && len(value) > 6 && strings.Contains(page, value) {
				t.Fatalf("%q is repeated as it is: %s", value, page)
			}
		}
	})
}

// sent are the texts of a request that a page might repeat.
func sent(texts ...string) []string {
	for _, text := range texts {
		values, _ := url.ParseQuery(text)
		for name, each := range values {
			texts = append(append(texts, name), each...)
		}
	}
	return texts
}
