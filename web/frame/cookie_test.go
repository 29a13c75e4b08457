package frame

import (
	"net/http"
	"slices"
	"testing"
	"time"
)

func TestCookiesAreForThisHostAlone(t *testing.T) {
	for _, c := range []struct {
		issuer, prefix string
		secure         bool
	}{{"https://id.example.com", "__Host-wicket_", true}, {"http://localhost:8080", "wicket_", false}} {
		f, _ := newFrame(t, c.issuer)
		response := serve(f.Page(func(v *Visit) error {
			v.SetSession("secret", testTime.Add(time.Hour))
			v.SetCookie(BrowserCookie, "a")
			v.SetCookie(DeviceCookie, "b")
			v.ClearCookie(SecondStepCookie)
			return v.Redirect("/")
		}), get())
		for i, want := range []http.Cookie{
			{Name: c.prefix + "session", Value: "secret", MaxAge: 3600, Expires: testTime.Add(time.Hour)},
			{Name: c.prefix + "browser", Value: "a"},
			{Name: c.prefix + "device", Value: "b", MaxAge: int(DeviceCookie.lifetime.Seconds())},
			{Name: c.prefix + "second_step", MaxAge: -1},
		} {
			want.Path, want.Secure, want.HttpOnly, want.SameSite = "/", c.secure, true, http.SameSiteLaxMode
			if got := response.Cookies()[i]; got.String() != want.String() {
				t.Errorf("cookie %q, want %q", got, want.String())
			}
		}
	}
}

// A browser is told to forget what it has sent, and nothing else: with a form of another site it sends nothing.
func TestClearedCookies(t *testing.T) {
	t.Parallel()
	f, _ := newFrame(t, "https://id.example.com")
	for name, sent := range map[string][]string{
		"nothing": nil, "a session": {"__Host-wicket_session"},
		"all": {"__Host-wicket_session", "__Host-wicket_second_step", "__Host-wicket_arrival", "__Host-wicket_browser_state"},
	} {
		request := get()
		for _, cookie := range append(sent, "__Host-wicket_browser", "__Host-wicket_device") {
			request.AddCookie(&http.Cookie{Name: cookie, Value: "sent"})
		}
		var cleared []string
		for _, cookie := range serve(f.Page(func(v *Visit) error {
			v.ClearCookies()
			return v.Redirect("/")
		}), request).Cookies() {
			if cookie.MaxAge < 0 {
				cleared = append(cleared, cookie.Name)
			}
		}
		if !slices.Equal(cleared, sent) {
			t.Errorf("of %s: %q is cleared, want %q", name, cleared, sent)
		}
	}
}

// What this answer sets counts for the rest of the request, and a cookie without the prefix does not count behind
// https.
func TestWhatACookieHolds(t *testing.T) {
	f, _ := newFrame(t, "https://id.example.com")
	request := get()
	request.AddCookie(&http.Cookie{Name: "wicket_session", Value: "planted"})
	request.AddCookie(&http.Cookie{Name: "__Host-wicket_arrival", Value: "sent"})
	serve(f.Page(func(v *Visit) error {
		if got := v.Cookie(SessionCookie); got != "" {
			t.Errorf("a cookie without the prefix is taken: %q", got)
		}
		if got := v.Cookie(UpstreamSignUpCookie); got != "sent" {
			t.Errorf("the cookie holds %q", got)
		}
		v.ClearCookies()
		if got := v.Cookie(UpstreamSignUpCookie); got != "" {
			t.Errorf("after it was cleared the cookie holds %q", got)
		}
		if first := v.Browser(); first == "" || first != v.Browser() {
			t.Error("the browser has no secret, or two")
		}
		return v.Redirect("/")
	}), request)
}
