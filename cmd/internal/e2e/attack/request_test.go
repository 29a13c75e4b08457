package attack

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/wicket-id/wicket/oidc"
)

// form is a posted form.
func (to *target) form(t *testing.T, path string, form url.Values, header map[string]string) *http.Request {
	t.Helper()
	request, err := http.NewRequest(http.MethodPost, to.Issuer+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for name, value := range header {
		request.Header.Set(name, value)
	}
	return request
}

// Headers that a visitor sends change no address that others read, and let nobody in.
func TestSpoofedHeaders(t *testing.T) {
	t.Parallel()
	eachTarget(t, func(t *testing.T, to *target) {
		for _, path := range []string{oidc.PathConfiguration, "/", "/sign-in", "/account", "/forgot-password"} {
			request, err := http.NewRequest(http.MethodGet, to.Issuer+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			for name, value := range map[string]string{
				"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "http", "X-Forwarded-Prefix": "/evil.example",
				"Forwarded": "for=127.0.0.1;host=evil.example;proto=http", "X-Original-URL": "/account/erase",
				"X-Rewrite-URL": "/account/erase", "X-Forwarded-For": "127.0.0.1", "X-Real-IP": "127.0.0.1",
				"X-Remote-User": to.username, "X-HTTP-Method-Override": "DELETE", "X-Forwarded-User": to.username,
			} {
				request.Header.Set(name, value)
			}
			shown := to.Send(t, request)
			if strings.Contains(shown.Text, "evil.example") || strings.Contains(shown.Header.Get("Location"), "evil.example") {
				t.Errorf("%s repeats the header: %s", path, shown.Header.Get("Location"))
			}
			if shown.StatusCode >= 500 || strings.Contains(shown.Text, `id="sign-out"`) {
				t.Errorf("%s: %s", path, shown.Status)
			}
			request.Host = "evil.example"
			if shown := to.Send(t, request); strings.Contains(shown.Text, "evil.example") ||
				strings.Contains(shown.Header.Get("Location"), "evil.example") {
				t.Errorf("%s repeats the host: %s", path, shown.Header.Get("Location"))
			}
		}
	})
}

// A visitor does not choose from where they seem to come.
func TestSpoofedAddresses(t *testing.T) {
	t.Parallel()
	eachTarget(t, func(t *testing.T, to *target) {
		const elsewhere = "203.0.113.77"
		spoofed := map[string]string{"Origin": to.Issuer, "Forwarded": "for=" + elsewhere}
		for _, name := range []string{
			"X-Forwarded-For", "X-Real-IP", "X-Client-IP", "True-Client-IP", "CF-Connecting-IP", "X-Appengine-Remote-Addr",
		} {
			spoofed[name] = elsewhere
		}
		b, form := to.NewBrowser(t), url.Values{"username": {to.username}, "password": {to.password}}
		response, err := b.WithoutRedirects().Do(to.form(t, "/sign-in", form, spoofed))
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		t.Cleanup(func() { b.Post(t, "/account/sign-out", url.Values{}) })
		devices := to.signIn(t).Get(t, "/account/devices").Text
		if !strings.Contains(devices, "/account/devices/end") {
			t.Fatal("the other device is not listed")
		}
		if strings.Contains(devices, elsewhere) {
			t.Errorf("somebody seems to come from %s", elsewhere)
		}
	})
}

// Methods that nobody asked for are refused, and repeat nothing.
func TestMethods(t *testing.T) {
	t.Parallel()
	eachTarget(t, func(t *testing.T, to *target) {
		for _, method := range []string{"TRACE", "PUT", "DELETE", "PATCH", "PROPFIND", "EVIL"} {
			for _, path := range []string{"/", oidc.PathToken, "/account", oidc.PathConfiguration} {
				request, err := http.NewRequest(method, to.Issuer+path, nil)
				if err != nil {
					t.Fatal(err)
				}
				request.Header.Set("X-Echo", "echo-of-a-header")
				shown := to.Send(t, request)
				if shown.StatusCode < 400 || shown.StatusCode >= 502 || strings.Contains(shown.Text, "echo-of-a-header") {
					t.Errorf("%s %s: %s", method, path, shown.Status)
				}
			}
		}
	})
}

// What is too much is refused, and the server lives on.
func TestTooMuch(t *testing.T) {
	t.Parallel()
	eachTarget(t, func(t *testing.T, to *target) {
		many := url.Values{}
		for i := range 5000 {
			many.Set(fmt.Sprintf("p%d", i), "x")
		}
		doubled := url.Values{"username": make([]string, 3000)}
		for name, request := range map[string]*http.Request{
			"a large form":           to.form(t, "/sign-in", url.Values{"username": {strings.Repeat("a", 1<<20)}}, nil),
			"a long password":        to.form(t, "/sign-in", url.Values{"username": {nobody()}, "password": {strings.Repeat("a", 60<<10)}}, nil),
			"many parameters":        to.form(t, oidc.PathToken, many, nil),
			"one many times":         to.form(t, "/sign-in", doubled, nil),
			"many for an app":        to.form(t, oidc.PathAuthorize, many, nil),
			"a body that is no form": to.form(t, oidc.PathToken, nil, map[string]string{"Content-Type": "application/json"}),
			"a packed body":          to.form(t, oidc.PathToken, many, map[string]string{"Content-Encoding": "gzip"}),
			"an endless range":       to.form(t, oidc.PathToken, nil, map[string]string{"Range": "bytes=" + strings.Repeat("0-1,", 1000)}),
		} {
			shown := to.Send(t, request)
			if shown.StatusCode < 400 || shown.StatusCode >= 500 {
				t.Errorf("%s: %s", name, shown.Status)
			}
		}
		if shown := to.NewBrowser(t).Get(t, "/healthz"); shown.StatusCode != http.StatusOK {
			t.Errorf("afterwards: %s", shown.Status)
		}
	})
}
