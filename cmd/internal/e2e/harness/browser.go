package harness

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"
)

// Browser is a person's browser without a window: it keeps cookies and follows redirects within Wicket alone, so that
// a redirect to an app can be looked at.
type Browser struct {
	*http.Client
	Server    *Server
	UserAgent string // the header User-Agent, if not Go's
}

// NewBrowser returns a browser without cookies.
func (h *Server) NewBrowser(t testing.TB) *Browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Jar: jar, Timeout: 30 * time.Second, Transport: h.Transport}
	client.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if !strings.HasPrefix(r.URL.String(), h.Issuer+"/") {
			return http.ErrUseLastResponse
		}
		return nil
	}
	return &Browser{Server: h, Client: client}
}

// WithoutRedirects is the browser when it follows no redirect.
func (b *Browser) WithoutRedirects() *http.Client {
	client := *b.Client
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &client
}

// FollowingAll is the browser when it may leave Wicket, for providers upstream; a redirect to an app can still be
// looked at.
func (b *Browser) FollowingAll() *Browser {
	client := *b.Client
	client.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(r.URL.String(), RedirectURI) {
			return http.ErrUseLastResponse
		}
		return nil
	}
	return &Browser{Client: &client, Server: b.Server, UserAgent: b.UserAgent}
}

// Get opens a page, of Wicket's own where url is a path.
func (b *Browser) Get(t testing.TB, url string) Page {
	t.Helper()
	response, err := b.Client.Get(b.absolute(url))
	return ReadPage(t, response, err)
}

// Post sends a form as a browser does from one of Wicket's own pages.
func (b *Browser) Post(t testing.TB, url string, form url.Values) Page {
	t.Helper()
	request, err := http.NewRequest(http.MethodPost, b.absolute(url), strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Origin", b.Server.Issuer)
	request.Header.Set("Sec-Fetch-Site", "same-origin")
	if b.UserAgent != "" {
		request.Header.Set("User-Agent", b.UserAgent)
	}
	response, err := b.Do(request)
	return ReadPage(t, response, err)
}

func (b *Browser) absolute(url string) string {
	if strings.HasPrefix(url, "/") {
		return b.Server.Issuer + url
	}
	return url
}

// SignIn signs alice in on the page that is shown, or on the sign-in page where none is, and returns what comes next.
func (b *Browser) SignIn(t testing.TB, shown Page) Page {
	t.Helper()
	return b.Post(t, "/sign-in", url.Values{
		"username": {Username}, "password": {Password}, "continue": {shown.Continue()},
	})
}

// SignInAs signs in somebody who has alice's password.
func (b *Browser) SignInAs(t testing.TB, username string) Page {
	t.Helper()
	return b.Post(t, "/sign-in", url.Values{"username": {username}, "password": {Password}})
}

// Allow says yes on the consent page that is shown, to everything.
func (b *Browser) Allow(t testing.TB, shown Page) Page {
	t.Helper()
	return b.Post(t, "/consent", url.Values{
		"decision": {"allow"}, "continue": {shown.Continue()}, "scope": {"profile", "email", "address", "offline_access"},
	})
}

// ContinueToApp says on the page that is shown that it is the person who wants to go there.
func (b *Browser) ContinueToApp(t testing.TB, shown Page) Page {
	t.Helper()
	return b.Post(t, "/continue", url.Values{"decision": {"continue"}, "continue": {shown.Continue()}})
}

// Code goes through sign-in, consent and confirmation, where they are asked for, until the app gets a code.
func (b *Browser) Code(t testing.TB, client Client, change url.Values) string {
	t.Helper()
	shown := b.Get(t, b.Server.AuthorizeURL(client, change))
	if strings.Contains(shown.Text, `id="sign-in"`) {
		shown = b.SignIn(t, shown)
	}
	if strings.Contains(shown.Text, `id="allow"`) {
		shown = b.Allow(t, shown)
	}
	if strings.Contains(shown.Text, `id="continue-to-app"`) {
		shown = b.ContinueToApp(t, shown)
	}
	location, err := shown.Location()
	if err != nil {
		t.Fatalf("no redirect to the app but %s\n%s", shown.Status, shown.Text)
	}
	code := location.Query().Get("code")
	if code == "" {
		t.Fatalf("no code but %s", location)
	}
	return code
}

// ToUpstream goes to a provider from the page that is shown, by its button.
func (b *Browser) ToUpstream(t testing.TB, id string, shown Page) Page {
	t.Helper()
	return b.FollowingAll().Post(t, "/federation/"+id, url.Values{
		"continue": {shown.Continue()}, "then": {shown.Then()},
	})
}

// FollowLink opens a mailed link and presses the button of the page that it leads to. form is what else the page asks
// for.
func (b *Browser) FollowLink(t testing.TB, link string, form url.Values) Page {
	t.Helper()
	shown := b.Get(t, link)
	match := HiddenToken.FindStringSubmatch(shown.Text)
	if match == nil {
		return shown
	}
	if form == nil {
		form = url.Values{}
	}
	form.Set("token", match[1])
	return b.Post(t, shown.Request.URL.Path, form)
}
