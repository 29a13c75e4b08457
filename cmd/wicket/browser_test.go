package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// window is a window of a real browser, with cookies of its own.
type window struct {
	t   testing.TB
	ctx context.Context
}

// openWindow starts Chromium. Whatever its console complains of fails the test: a script that throws, a file that is
// missing, something that the Content-Security-Policy forbids.
func openWindow(t testing.TB) *window {
	t.Helper()
	program, err := exec.LookPath("chromium")
	if err != nil {
		program, err = exec.LookPath("chromium-browser")
	}
	if err != nil {
		leaveOut(t, "Chromium is not installed (Debian: apt-get install chromium)")
	}
	ctx, stop := chromedp.NewContext(context.Background(), chromedp.WithAllocatorOptions(
		chromedp.ExecPath(program), chromedp.Flag("disable-component-update", true), chromedp.WindowSize(1280, 800)))
	w := &window{t: t, ctx: ctx}
	messages, ended := chromedp.Console(ctx), make(chan struct{})
	const theEnd = "the end of the test"
	go func() {
		defer close(ended)
		for message, err := range messages {
			if err != nil || message.Text == theEnd {
				return
			}
			w.heed(message)
		}
	}()
	t.Cleanup(func() {
		w.do(chromedp.Evaluate[chromedp.Void](fmt.Sprintf("console.debug(%q)", theEnd)))
		<-ended
		stop()
	})
	return w
}

// heed fails the test for a message on the console, but for one that tells of a page that is itself an error.
func (w *window) heed(message chromedp.ConsoleMessage) {
	switch message.Type {
	case chromedp.ConsoleError, chromedp.ConsoleWarning, chromedp.ConsoleException:
	default:
		return
	}
	if of, err := url.Parse(message.URL); err == nil && message.Source == "network" && path.Ext(of.Path) == "" && strings.Contains(message.Text, "status of 4") {
		return
	}
	w.t.Errorf("the browser's console at %s: %s", message.URL, message)
}

const browserPatience = 20 * time.Second

func (w *window) do(steps ...chromedp.Action[chromedp.Void]) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, browserPatience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		w.fatal(err)
	}
}

func ask[T any](w *window, question chromedp.Action[T]) T {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, browserPatience)
	defer cancel()
	answer, err := chromedp.Run(ctx, question)
	if err != nil {
		w.fatal(err)
	}
	return answer
}

// fatal ends the test and says what the window showed.
func (w *window) fatal(err error) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, browserPatience)
	defer cancel()
	at, _ := chromedp.Run(ctx, chromedp.Location())
	shown, _ := chromedp.Run(ctx, chromedp.Evaluate[string]("document.body.innerText"))
	w.t.Fatalf("%v\nat %s:\n%s", err, at, shown)
}

func (w *window) open(url string) {
	w.t.Helper()
	w.do(chromedp.Navigate(url))
}

// press clicks on what has that id and waits until the next page is there.
func (w *window) press(selector string) {
	w.t.Helper()
	ask(w, chromedp.WaitEvent(cdppage.LoadEventFired, nil, chromedp.Click(chromedp.CSS(selector), chromedp.NodeEnabled)))
}

func (w *window) signIn(username, password string) {
	w.t.Helper()
	w.do(chromedp.SetValue(chromedp.CSS("#username"), username), chromedp.SendKeys(chromedp.CSS("#password"), password))
	w.press("#sign-in")
}

// text is what one reads in an element, once it is there.
func (w *window) text(selector string) string {
	w.t.Helper()
	return ask(w, chromedp.Text(chromedp.CSS(selector)))
}

// reads checks that all of these can be read in an element.
func (w *window) reads(selector string, wants ...string) {
	w.t.Helper()
	text := w.text(selector)
	for _, want := range wants {
		if !strings.Contains(text, want) {
			w.t.Errorf("at %s, %s lacks %q:\n%s", ask(w, chromedp.Location()), selector, want, text)
		}
	}
}

// look looks at the page on a phone and on a desk, by day and by night: it must fit. With WICKET_SCREENSHOTS it is saved
// in that folder under name.
func (w *window) look(name string) {
	w.t.Helper()
	for _, device := range []struct {
		name          string
		width, height int64
	}{{"phone", 390, 844}, {"desk", 1280, 800}} {
		for _, scheme := range []string{"light", "dark"} {
			w.do(chromedp.EmulateViewport(device.width, device.height), chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
				_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
					Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
				})
				return err
			}))
			if wide := ask(w, chromedp.Evaluate[int64]("document.documentElement.scrollWidth")); wide > device.width {
				w.t.Errorf("%s: on a %s of %d points the page is %d wide", name, device.name, device.width, wide)
			}
			folder := os.Getenv("WICKET_SCREENSHOTS")
			if folder == "" {
				continue
			}
			if err := os.MkdirAll(folder, 0o755); err != nil {
				w.t.Fatal(err)
			}
			file := filepath.Join(folder, fmt.Sprintf("%s-%s-%s.png", name, device.name, scheme))
			if err := os.WriteFile(file, ask(w, chromedp.FullScreenshot(100)), 0o644); err != nil {
				w.t.Fatal(err)
			}
		}
	}
}

// The newcomer's first command, from the sample app to its tokens and out again; and once more after a restart.
func TestDevInABrowser(t *testing.T) {
	w := openWindow(t)
	port, appPort, data := freePort(t), freePort(t), t.TempDir()
	issuer, app := fmt.Sprintf("http://localhost:%d", port), fmt.Sprintf("http://localhost:%d", appPort)
	dev := func() *process {
		return commandLine{}.start(t, issuer+"/readyz", "dev", "--port", fmt.Sprint(port), "--app-port", fmt.Sprint(appPort), "--data", data)
	}
	server := dev()

	w.open(app)
	w.look("app-signed-out")
	w.press("#sign-in")
	w.look("signin")
	w.signIn(devUsername, "not the password")
	w.reads("#failure", "do not match")
	w.look("signin-failure")
	w.signIn(devUsername, devPassword)
	w.reads("main", "Daybook wants to use your account", "Demo Person")
	w.look("consent")
	w.press("#allow")
	w.reads("#greeting", "Demo")
	w.reads("#id-token", issuer, devClient)
	w.reads(`#userinfo [data-claim="email"]`, devEmail)
	w.look("app-signed-in")
	before := w.text("#refresh-fingerprint")
	w.press("#refresh")
	w.reads("#refreshes", "1")
	if w.text("#refresh-fingerprint") == before {
		t.Error("the refresh token was not rotated")
	}
	w.open(issuer + "/account")
	w.reads("ul.list", "This device", "Daybook")
	w.look("account")
	w.open(app)
	w.press("#sign-out")
	w.reads("#signed-out", "signed out")
	w.open(issuer + "/account")
	w.reads("h1", "Sign in")

	w.open(app + "/spa/")
	w.look("spa-signed-out")
	w.press("#sign-in")
	w.signIn(devEmail, devPassword)
	w.reads("main", "Daybook Pocket wants to use your account")
	w.press("#allow")
	w.reads(`#userinfo [data-claim="email"]`, devEmail)
	w.look("spa-signed-in")
	w.press("#sign-out")
	w.open(issuer + "/account")
	w.reads("h1", "Sign in")

	server.interrupt(t)
	for _, want := range []string{app, devUsername, devPassword, app + "/spa/", issuer + "/account", data, "Ctrl-C"} {
		if !strings.Contains(server.stdout.String(), want) {
			t.Errorf("dev does not print %q:\n%s", want, &server.stdout)
		}
	}
	server.noFaults(t)

	again := dev()
	w.open(app)
	w.press("#sign-in")
	w.signIn(devUsername, devPassword)
	w.reads("#greeting", "Demo") // without a consent page
	again.interrupt(t)
	again.noFaults(t)
}

// The other pages, on which nobody happens by on the way.
func TestPagesInABrowser(t *testing.T) {
	w := openWindow(t)
	h := openTestHouse(t, storagetest.URL(t, storage.SQLite))
	client := h.client(t, func(c *clients.Client) {
		c.Name, c.ClientURI, c.PolicyURI, c.TOSURI = "The Long-Named Library of Alexandria", "https://library.example/", "https://library.example/privacy", "https://library.example/terms"
	})
	for range 2 { // on other devices
		h.browser(t).code(t, client, nil)
	}
	for _, number := range []string{"+493012345", "+15550100199", "+493012346"} {
		phone, err := h.Identity.Phones().Add(t.Context(), h.reauthenticated(t, h.user), number)
		if err != nil {
			t.Fatal(err)
		}
		if number == aliceNumber {
			if _, err := h.Identity.Phones().Verify(t.Context(), h.reauthenticated(t, h.user), phone.ID, h.texts(t, number, 1)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, c := range []struct {
		name  string
		url   string
		press string // on the way
		want  string
	}{
		{name: "welcome", url: h.issuer + "/", want: "One account for all your apps"},
		{name: "error", url: h.issuer + "/authorize?client_id=nobody", want: "This link does not work"},
		{name: "not-found", url: h.issuer + "/nowhere", want: "There is no such page"},
		{name: "signin-account", url: h.issuer + "/account", want: "to your account"},
		{name: "account-devices", want: "Sign out everywhere"}, // signs in
		{name: "account-phones", url: h.issuer + "/account/phones", want: "The six digits"},
		{name: "signin-again", url: h.authorizeURL(client, url.Values{"prompt": {"login"}}), want: "Confirm it’s you"},
		{name: "select-account", url: h.authorizeURL(client, url.Values{"prompt": {"select_account"}}), want: "Choose an account"},
		{name: "consent-links", url: h.authorizeURL(client, url.Values{"prompt": {"consent"}, "scope": {"openid profile email phone address offline_access"}}), want: "wants to use your account"},
		{name: "signout", url: h.issuer + "/logout?client_id=" + client.ID, want: "Sign out?"},
		{name: "signed-out", press: "#sign-out", want: "You are signed out"},
	} {
		switch {
		case c.url != "":
			w.open(c.url)
		case c.press != "":
			w.press(c.press)
		default:
			w.signIn(testUsername, testPassword)
		}
		w.reads("main", c.want)
		w.look(c.name)
	}
}

// Somebody makes an account, at the second try, and says who they are.
func TestNewcomerInABrowser(t *testing.T) {
	w := openWindow(t)
	h := openTestHouse(t, storagetest.URL(t, storage.SQLite))
	w.open(h.authorizeURL(h.client(t, nil), nil))
	w.look("signin-or-register")
	w.press("#create-account")
	w.look("register")
	w.do(chromedp.SendKeys(chromedp.CSS("#username"), testUsername), chromedp.SendKeys(chromedp.CSS("#email"), "carol@example.com"),
		chromedp.SendKeys(chromedp.CSS("#name"), "Carol Example"), chromedp.SendKeys(chromedp.CSS("#password"), "sunshine99"))
	w.press("#register")
	w.reads("main", "This username is taken", "everybody tries first", "guessed at once")
	w.look("register-refused")
	w.do(chromedp.SetValue(chromedp.CSS("#username"), "carol"), chromedp.SendKeys(chromedp.CSS("#password"), newPassword))
	w.press("#register")
	w.reads("main", "Carol Example", "carol@example.com")
	w.open(h.issuer + "/account/profile")
	w.look("profile")
	w.do(chromedp.SendKeys(chromedp.CSS("#birthdate"), "31.12.1990"), chromedp.SendKeys(chromedp.CSS("#street_address"), "Gasse 1\nHaus 2"),
		chromedp.SendKeys(chromedp.CSS("#locality"), "Zürich"))
	w.press("#save")
	w.reads("main", "Nothing is saved yet", "A date of birth is")
	w.look("profile-refused")
	w.do(chromedp.SetValue(chromedp.CSS("#birthdate"), "1990-12-31"))
	w.press("#save")
	w.reads("main", "Your profile is saved")
}

// The way to an app works without JavaScript: sign-in, consent, and even an answer by form_post, where a script would
// only spare the person a click.
func TestFormPostInABrowser(t *testing.T) {
	for _, javaScript := range []bool{true, false} {
		t.Run(fmt.Sprintf("JavaScript %t", javaScript), func(t *testing.T) {
			w := openWindow(t)
			h := openTestHouse(t, storagetest.URL(t, storage.SQLite))
			app := serveApp(t, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				rw.Header().Set("Content-Type", "text/html; charset=utf-8")
				_, _ = fmt.Fprintf(rw, `<!doctype html><title>App</title><link rel="icon" href="data:,"><p id="method">%s</p><p id="answer">%s</p>`, r.Method, r.PostFormValue("state")+" "+r.PostFormValue("iss"))
			}))
			client := h.client(t, func(c *clients.Client) { c.RedirectURIs = []string{app + "/callback"} })
			if !javaScript {
				w.do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
					_, err := cdp.Call(ctx, target, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
					return err
				}))
			}
			w.open(h.authorizeURL(client, url.Values{"redirect_uri": {app + "/callback"}, "response_mode": {"form_post"}}))
			w.signIn(testEmail, testPassword)
			w.press("#allow")
			if !javaScript {
				w.reads("main", "One moment")
				w.look("form-post")
				w.press("#form-post button")
			}
			w.reads("#method", "POST")
			w.reads("#answer", "the-state "+h.issuer)
		})
	}
}

// A single-page app on oidc-client-ts: a public client on an origin of its own.
func TestSPAInABrowser(t *testing.T) {
	npmPackages(t)
	inEachHouse(t, func(t *testing.T, h *openHouse) {
		w := openWindow(t)
		mux := http.NewServeMux()
		mux.Handle("/", http.FileServer(http.Dir(clientsFolder+"/spa")))
		mux.HandleFunc("/oidc-client-ts.min.js", func(rw http.ResponseWriter, r *http.Request) {
			http.ServeFile(rw, r, clientsFolder+"/node_modules/oidc-client-ts/dist/browser/oidc-client-ts.min.js")
		})
		origin := serveApp(t, mux)
		client := h.client(t, func(c *clients.Client) {
			c.AuthMethod, c.RedirectURIs, c.PostLogoutRedirectURIs = clients.AuthNone, []string{origin + "/"}, []string{origin + "/"}
		})
		mux.HandleFunc("/config.json", func(rw http.ResponseWriter, _ *http.Request) {
			_ = json.NewEncoder(rw).Encode(map[string]string{
				"authority": h.issuer, "client_id": client.ID, "redirect_uri": origin + "/", "post_logout_redirect_uri": origin + "/", "scope": "openid profile email offline_access",
			})
		})

		w.open(origin + "/")
		w.reads("#status", "signed out")
		w.press("#login")
		w.signIn(testUsername, testPassword)
		w.press("#allow")
		signedIn := chromedp.Poll[bool](`document.getElementById("status").textContent.startsWith("signed in as")`)
		ask(w, signedIn)
		w.reads("#status", h.user.ID.String())
		w.reads("#claims", testEmail, "Alice Example")
		w.do(chromedp.Click(chromedp.CSS("#refresh")))
		ask(w, chromedp.Poll[bool](`document.getElementById("refreshes").textContent === "1" || document.getElementById("error").textContent !== ""`))
		w.reads("#refreshes", "1")
		w.open(origin + "/") // the app reads its tokens again from the tab
		ask(w, signedIn)
		w.press("#logout")
		ask(w, chromedp.Poll[bool](`document.getElementById("status").textContent === "signed out"`))
		if problem := ask(w, chromedp.TextContent(chromedp.CSS("#error"))); problem != "" {
			t.Errorf("the app complains: %s", problem)
		}
		w.open(h.issuer + "/account")
		w.reads("h1", "Sign in")
	})
}

// serveApp serves an app on an origin of its own until the test ends.
func serveApp(t testing.TB, handler http.Handler) (origin string) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
}
