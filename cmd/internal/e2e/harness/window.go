package harness

import (
	"context"
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

	"github.com/wicket-id/wicket/cmd/internal/sampleapp"
	"github.com/wicket-id/wicket/oidc/clients"
)

// window is a window of a real browser, with cookies of its own.
type Window struct {
	T   testing.TB
	ctx context.Context
}

// OpenWindow starts Chromium. Whatever its console complains of fails the test: a script that throws, a file that is
// missing, something that the Content-Security-Policy forbids.
func OpenWindow(t testing.TB) *Window {
	t.Helper()
	program, err := exec.LookPath("chromium")
	if err != nil {
		program, err = exec.LookPath("chromium-browser")
	}
	if err != nil {
		LeaveOut(t, "Chromium is not installed (Debian: apt-get install chromium)")
	}
	ctx, stop := chromedp.NewContext(context.Background(), chromedp.WithAllocatorOptions(
		chromedp.ExecPath(program), chromedp.Flag("disable-component-update", true), chromedp.WindowSize(1280, 800)))
	w := &Window{T: t, ctx: ctx}
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
		w.Do(chromedp.Evaluate[chromedp.Void](fmt.Sprintf("console.debug(%q)", theEnd)))
		<-ended
		stop()
	})
	return w
}

// heed fails the test for a message on the console, but for one that tells of a page that is itself an error.
func (w *Window) heed(message chromedp.ConsoleMessage) {
	switch message.Type {
	case chromedp.ConsoleError, chromedp.ConsoleWarning, chromedp.ConsoleException:
	default:
		return
	}
	if of, err := url.Parse(message.URL); err == nil && message.Source == "network" && path.Ext(of.Path) == "" && strings.Contains(message.Text, "status of 4") {
		return
	}
	w.T.Errorf("the browser's console at %s: %s", message.URL, message)
}

const windowPatience = 20 * time.Second

func (w *Window) Do(steps ...chromedp.Action[chromedp.Void]) {
	w.T.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, windowPatience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		w.fatal(err)
	}
}

func Ask[T any](w *Window, question chromedp.Action[T]) T {
	w.T.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, windowPatience)
	defer cancel()
	answer, err := chromedp.Run(ctx, question)
	if err != nil {
		w.fatal(err)
	}
	return answer
}

// fatal ends the test and says what the window showed.
func (w *Window) fatal(err error) {
	w.T.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, windowPatience)
	defer cancel()
	at, _ := chromedp.Run(ctx, chromedp.Location())
	shown, _ := chromedp.Run(ctx, chromedp.Evaluate[string]("document.body.innerText"))
	w.T.Fatalf("%v\nat %s:\n%s", err, at, shown)
}

func (w *Window) Open(url string) {
	w.T.Helper()
	w.Do(chromedp.Navigate(url))
}

// Press clicks on what has that id and waits until the next page is there.
func (w *Window) Press(selector string) {
	w.T.Helper()
	Ask(w, chromedp.WaitEvent(cdppage.LoadEventFired, nil, chromedp.Click(chromedp.CSS(selector), chromedp.NodeEnabled)))
}

func (w *Window) SignIn(username, password string) {
	w.T.Helper()
	w.Do(chromedp.SetValue(chromedp.CSS("#username"), username), chromedp.SendKeys(chromedp.CSS("#password"), password))
	w.Press("#sign-in")
}

// Text is what one reads in an element, once it is there.
func (w *Window) Text(selector string) string {
	w.T.Helper()
	return Ask(w, chromedp.Text(chromedp.CSS(selector)))
}

// Reads checks that all of these can be read in an element.
func (w *Window) Reads(selector string, wants ...string) {
	w.T.Helper()
	text := w.Text(selector)
	for _, want := range wants {
		if !strings.Contains(text, want) {
			w.T.Errorf("at %s, %s lacks %q:\n%s", Ask(w, chromedp.Location()), selector, want, text)
		}
	}
}

// Look looks at the page on a phone and on a desk, by day and by night: it must fit. With WICKET_SCREENSHOTS it is saved
// in that folder under name.
func (w *Window) Look(name string) {
	w.T.Helper()
	for _, device := range []struct {
		name          string
		width, height int64
	}{{"phone", 390, 844}, {"desk", 1280, 800}} {
		for _, scheme := range []string{"light", "dark"} {
			w.Do(chromedp.EmulateViewport(device.width, device.height), chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
				_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
					Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
				})
				return err
			}))
			if wide := Ask(w, chromedp.Evaluate[int64]("document.documentElement.scrollWidth")); wide > device.width {
				w.T.Errorf("%s: on a %s of %d points the page is %d wide", name, device.name, device.width, wide)
			}
			folder := os.Getenv("WICKET_SCREENSHOTS")
			if folder == "" {
				continue
			}
			if err := os.MkdirAll(folder, 0o755); err != nil {
				w.T.Fatal(err)
			}
			file := filepath.Join(folder, fmt.Sprintf("%s-%s-%s.png", name, device.name, scheme))
			if err := os.WriteFile(file, Ask(w, chromedp.FullScreenshot(100)), 0o644); err != nil {
				w.T.Fatal(err)
			}
		}
	}
}

// ServeApp serves an app on an origin of its own until the test ends.
func ServeApp(t testing.TB, handler http.Handler) (origin string) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
}

// StartSampleApp serves the sample app against a house until the test ends, and returns where it is.
func (h *Server) StartSampleApp(t testing.TB) string {
	t.Helper()
	var app http.Handler
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { app.ServeHTTP(w, r) }))
	t.Cleanup(server.Close)
	config := sampleapp.Config{Issuer: h.Issuer, BaseURL: strings.Replace(server.URL, "127.0.0.1", "localhost", 1), ClientID: "daybook", SPAClientID: "pocket"}
	client := h.AddClient(t, func(c *clients.Client) {
		c.ID, c.Name, c.AuthMethod, c.RedirectURIs, c.PostLogoutRedirectURIs = config.ClientID, sampleapp.Name, clients.AuthBasic, []string{config.RedirectURI()}, []string{config.PostLogoutRedirectURI()}
	})
	config.ClientSecret = client.Secret
	var err error
	if app, err = sampleapp.New(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	return config.BaseURL
}

// Click clicks without waiting for another page.
func (w *Window) Click(selector string) {
	w.T.Helper()
	w.Do(chromedp.Click(chromedp.CSS(selector), chromedp.NodeEnabled))
}

// WaitFor waits until an expression is true in whatever page is shown by then.
func (w *Window) WaitFor(expression string) {
	w.T.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, windowPatience)
	defer cancel()
	for ctx.Err() == nil {
		if is, err := chromedp.Run(ctx, chromedp.Evaluate[bool](expression)); err == nil && is {
			return
		}
		time.Sleep(20 * time.Millisecond) // polling: a page that goes away takes a question with it
	}
	w.fatal(fmt.Errorf("never true: %s", expression))
}

// WaitForURL waits until the window is at a page whose text holds want.
func (w *Window) WaitForURL(want string) {
	w.T.Helper()
	w.WaitFor(fmt.Sprintf("document.readyState === 'complete' && document.body.innerText.includes(%q)", want))
}
