package sampleapp

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// start runs Daybook beside a provider, and returns it with a browser.
func start(t *testing.T, p *provider) (*App, *httptest.Server, *http.Client) {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	base := "http://" + server.Listener.Addr().String()
	app, err := New(t.Context(), Config{
		Issuer: p.URL, ClientID: "daybook", ClientSecret: "s3cret", BaseURL: base, SPAClientID: "pocket",
	})
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = app
	server.Start()
	t.Cleanup(server.Close)
	jar, _ := cookiejar.New(nil)
	return app, server, &http.Client{Jar: jar}
}

func read(t *testing.T, r *http.Response, err error) (int, string) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, string(body)
}

func get(t *testing.T, c *http.Client, url string) (int, string) {
	t.Helper()
	r, err := c.Get(url)
	return read(t, r, err)
}

func wants(t *testing.T, body string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(body, part) {
			t.Errorf("the page lacks %q:\n%s", part, body)
		}
	}
}

func TestSignInRefreshAndSignOut(t *testing.T) {
	p := newProvider(t)
	_, server, browser := start(t, p)

	_, body := get(t, browser, server.URL)
	wants(t, body, `id="sign-in"`)
	status, body := get(t, browser, server.URL+"/sign-in")
	if status != 200 {
		t.Fatalf("status %d: %s", status, body)
	}
	wants(
		t, body, "Ada.", `data-claim="sub">ada<`, `data-claim="email">ada@example.org<`, `id="refreshes">0<`, `id="sign-out"`,
	)
	if strings.Contains(body, p.refresh) {
		t.Error("the page shows the refresh token")
	}
	if p.asked.Get("code_challenge_method") != "S256" || p.asked.Get("nonce") == "" ||
		p.asked.Get("scope") != "openid profile email offline_access" {
		t.Errorf("authorization request: %v", p.asked)
	}

	r, err := browser.PostForm(server.URL+"/refresh", nil)
	_, body = read(t, r, err)
	wants(t, body, `id="refreshes">1<`)

	browser.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if r.URL.Path == "/logout" {
			return http.ErrUseLastResponse
		}
		return nil
	}
	r, err = browser.PostForm(server.URL+"/sign-out", nil)
	read(t, r, err)
	to, err := r.Location()
	if err != nil {
		t.Fatal(err)
	}
	if q := to.Query(); to.Path != "/logout" || q.Get("id_token_hint") == "" ||
		q.Get("post_logout_redirect_uri") != server.URL+"/" {
		t.Errorf("sign-out goes to %s", to)
	}
	_, body = get(t, browser, server.URL+"/?state=signed-out")
	wants(t, body, `id="sign-in"`, "You are signed out")
}

func TestCallbackRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		answer func(url.Values)
		claims func(map[string]any)
		status int
		says   string
	}{
		"a foreign state": {answer: func(q url.Values) {
			q.Set("state", "foreign")
		}, status: 400, says: "did not expect that answer"},
		"no state": {answer: func(q url.Values) { q.Del("state") }, status: 400, says: "did not expect that answer"},
		"two states": {answer: func(q url.Values) {
			q.Add("state", "foreign")
		}, status: 400, says: "did not expect that answer"},
		"another issuer": {answer: func(q url.Values) {
			q.Set("iss", "https://evil.example")
		}, status: 400, says: "not from Wicket"},
		"no issuer":        {answer: func(q url.Values) { q.Del("iss") }, status: 400, says: "not from Wicket"},
		"a wrong code":     {answer: func(q url.Values) { q.Set("code", "stolen") }, status: 502, says: "invalid_grant"},
		"a foreign nonce":  {claims: func(c map[string]any) { c["nonce"] = "foreign" }, status: 502, says: "another sign-in"},
		"another audience": {claims: func(c map[string]any) { c["aud"] = "elsewhere" }, status: 502, says: "audience"},
		"a person who says no": {answer: func(q url.Values) {
			q.Del("code")
			q.Set("error", "access_denied")
			q.Set("error_description", "<b>no</b>")
		}, status: 403, says: "&lt;b&gt;no&lt;/b&gt;"},
		"an error from a stranger": {answer: func(q url.Values) { q.Set("error", "call 555-0100"); q.Del("state") }, status: 400, says: "did not expect"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newProvider(t)
			if c.answer != nil {
				p.answer = c.answer
			}
			if c.claims != nil {
				p.claims = c.claims
			}
			_, server, browser := start(t, p)
			status, body := get(t, browser, server.URL+"/sign-in")
			if status != c.status {
				t.Errorf("status %d, want %d", status, c.status)
			}
			wants(t, body, c.says)
			if strings.Contains(body, "555-0100") {
				t.Error("the page repeats an error that nobody vouches for")
			}
			if _, body := get(t, browser, server.URL); strings.Contains(body, `id="sign-out"`) {
				t.Error("signed in all the same")
			}
		})
	}
}

func TestAnswerWorksOnceAndOnlyInItsBrowser(t *testing.T) {
	p := newProvider(t)
	_, server, browser := start(t, p)
	var callback string
	browser.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if r.URL.Path == "/callback" {
			callback = r.URL.String()
			return http.ErrUseLastResponse
		}
		return nil
	}
	get(t, browser, server.URL+"/sign-in")
	if status, _ := get(t, &http.Client{}, callback); status != 400 {
		t.Errorf("another browser: status %d, want 400", status)
	}
	before := browser.Jar.Cookies(must(url.Parse(server.URL)))[0].Value
	if status, body := get(t, browser, callback); status != 200 {
		t.Fatalf("status %d: %s", status, body)
	}
	if after := browser.Jar.Cookies(must(url.Parse(server.URL)))[0].Value; after == before {
		t.Error("the session keeps its key across signing in")
	}
	if status, _ := get(t, browser, callback); status != 400 {
		t.Errorf("second time: status %d, want 400", status)
	}
}

func TestRefusedRefreshSignsOut(t *testing.T) {
	p := newProvider(t)
	_, server, browser := start(t, p)
	get(t, browser, server.URL+"/sign-in")
	p.mu.Lock()
	p.refresh = "revoked"
	p.mu.Unlock()
	r, err := browser.PostForm(server.URL+"/refresh", nil)
	status, body := read(t, r, err)
	if status != 401 {
		t.Errorf("status %d, want 401", status)
	}
	wants(t, body, "invalid_grant", "it was used or never given", `id="sign-in"`)
	if _, body := get(t, browser, server.URL); strings.Contains(body, `id="sign-out"`) {
		t.Error("still signed in")
	}
}

func TestPostFromAnotherOriginIsRefused(t *testing.T) {
	p := newProvider(t)
	_, server, browser := start(t, p)
	get(t, browser, server.URL+"/sign-in")
	for _, path := range []string{"/refresh", "/sign-out"} {
		for name, value := range map[string]string{"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"} {
			r, _ := http.NewRequest("POST", server.URL+path, nil)
			r.Header.Set(name, value)
			answer, err := browser.Do(r)
			if status, _ := read(t, answer, err); status != 403 {
				t.Errorf("%s with %s: status %d, want 403", path, name, status)
			}
		}
	}
	if _, body := get(t, browser, server.URL); !strings.Contains(body, `id="sign-out"`) {
		t.Error("signed out by another site")
	}
}

func TestStartsBeforeTheIssuer(t *testing.T) {
	p := newProvider(t)
	up := p.Config.Handler
	p.Config.Handler = http.NotFoundHandler()
	app, server, browser := start(t, p)
	app.issuer.patience = 100 * time.Millisecond

	if status, _ := get(t, browser, server.URL); status != 200 {
		t.Errorf("welcome: status %d, want 200", status)
	}
	r, err := browser.Get(server.URL + "/sign-in")
	status, body := read(t, r, err)
	if status != 503 || r.Header.Get("Refresh") == "" {
		t.Errorf("sign-in: status %d and Refresh %q, want 503 and a page that tries again", status, r.Header.Get("Refresh"))
	}
	wants(t, body, "not answering yet")

	p.Config.Handler = up
	_, body = get(t, browser, server.URL+"/sign-in")
	wants(t, body, `id="sign-out"`)
}

func TestOtherNamesOfThisMachine(t *testing.T) {
	app, err := New(t.Context(), Config{
		Issuer: "http://localhost:8080", ClientID: "daybook", ClientSecret: "s3cret", BaseURL: "http://localhost:8081",
	})
	if err != nil {
		t.Fatal(err)
	}
	for url, want := range map[string]int{
		"http://localhost:8081/":            200,
		"http://127.0.0.1:8081/":            302,
		"http://elsewhere.example/callback": 421,
		"http://localhost:8081/spa/":        404, // no public client
	} {
		w := httptest.NewRecorder()
		app.ServeHTTP(w, httptest.NewRequest("GET", url, nil))
		if w.Code != want {
			t.Errorf("%s: status %d, want %d", url, w.Code, want)
		}
	}
}

func TestHeaders(t *testing.T) {
	p := newProvider(t)
	_, server, browser := start(t, p)
	for _, path := range []string{"/", "/spa/", "/spa/spa.js", "/assets/daybook.css", "/nowhere"} {
		r, err := browser.Get(server.URL + path)
		_, body := read(t, r, err)
		policy := r.Header.Get("Content-Security-Policy")
		if !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") ||
			!strings.Contains(policy, "form-action 'self' "+p.URL) {
			t.Errorf("%s: policy %q", path, policy)
		}
		if strings.Contains(body, "style=") || strings.Contains(body, "<style") || strings.Contains(body, "<script>") {
			t.Errorf("%s: something inline", path)
		}
	}
}
