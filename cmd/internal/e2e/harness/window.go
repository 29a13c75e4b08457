package harness

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// Window is a window of Chromium, with cookies of its own. Its methods fail the test T for what goes wrong, and wait
// for what a page makes later: none of them looks just once.
type Window struct {
	T   testing.TB
	ctx context.Context
}

// OpenWindow starts Chromium, until the test ends. An error or a warning on its console fails the test: a script that
// throws, a file that is missing, something that the Content-Security-Policy forbids.
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
			w.checkMessage(message)
		}
	}()
	t.Cleanup(func() {
		w.Do(chromedp.Evaluate[chromedp.Void](fmt.Sprintf("console.debug(%q)", theEnd)))
		<-ended
		stop()
	})
	return w
}

// checkMessage fails the test for a message on the console, but for one that tells of a page that is itself an error.
func (w *Window) checkMessage(message chromedp.ConsoleMessage) {
	switch message.Type {
	case chromedp.ConsoleError, chromedp.ConsoleWarning, chromedp.ConsoleException:
	default:
		return
	}
	isRefusal := message.Source == "network" && strings.Contains(message.Text, "status of 4")
	if of, err := url.Parse(message.URL); err == nil && isRefusal && path.Ext(of.Path) == "" {
		return
	}
	w.T.Errorf("the browser's console at %s: %s", message.URL, message)
}

// windowPatience is how long a window waits for what must come, on a machine that is busy with other things, too.
const windowPatience = time.Minute

// Do carries out steps that have no result.
func (w *Window) Do(steps ...chromedp.Action[chromedp.Void]) {
	w.T.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, windowPatience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		w.fatal(err)
	}
}

// Ask carries out a step and returns its result.
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

// Open goes to a URL.
func (w *Window) Open(url string) {
	w.T.Helper()
	w.Do(chromedp.Navigate(url))
}

// Press clicks on an element and waits until the next page is loaded.
func (w *Window) Press(selector string) {
	w.T.Helper()
	Ask(w, chromedp.WaitEvent(cdppage.LoadEventFired, nil, chromedp.Click(chromedp.CSS(selector), chromedp.NodeEnabled)))
}

// SignIn fills in the sign-in page that is shown and sends it.
func (w *Window) SignIn(username, password string) {
	w.T.Helper()
	w.Do(
		chromedp.SetValue(chromedp.CSS("#username"), username),
		chromedp.SendKeys(chromedp.CSS("#password"), password),
	)
	w.Press("#sign-in")
}

// Text returns the visible text of an element, once there is one.
func (w *Window) Text(selector string) string {
	w.T.Helper()
	return Ask(w, chromedp.Text(chromedp.CSS(selector)))
}

// Reads waits until all of these stand in the text of an element.
func (w *Window) Reads(selector string, wants ...string) {
	w.T.Helper()
	var text string
	w.poll(func(ctx context.Context) bool {
		shown, err := chromedp.Run(ctx, chromedp.Text(chromedp.CSS(selector)))
		if err != nil {
			return false
		}
		text = shown
		return !slices.ContainsFunc(wants, func(want string) bool { return !strings.Contains(text, want) })
	}, func() error { return fmt.Errorf("%s lacks one of %q:\n%s", selector, wants, text) })
}

// poll asks again and again until something holds, and fails the test if it never does. A page that goes away takes a
// question with it, so that an error is only one more reason to ask again.
func (w *Window) poll(holds func(context.Context) bool, failure func() error) {
	w.T.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, windowPatience)
	defer cancel()
	for ctx.Err() == nil {
		if holds(ctx) {
			return
		}
		time.Sleep(20 * time.Millisecond) // polling
	}
	w.fatal(failure())
}

// devices are the screens that a page must fit.
var devices = []struct {
	name          string
	width, height int64
}{{"phone", 390, 844}, {"desk", 1280, 800}}

// Look checks that the page fits a phone and a desktop, in the light and in the dark scheme. With WICKET_SCREENSHOTS it
// is saved in that folder under name.
func (w *Window) Look(name string) {
	w.T.Helper()
	for _, device := range devices {
		for _, scheme := range []string{"light", "dark"} {
			w.Do(chromedp.EmulateViewport(device.width, device.height), preferScheme(scheme))
			wide := Ask(w, chromedp.Evaluate[int64]("document.documentElement.scrollWidth"))
			if wide > device.width {
				w.T.Errorf("%s: on a %s of %d points the page is %d wide", name, device.name, device.width, wide)
			}
			if folder := os.Getenv("WICKET_SCREENSHOTS"); folder != "" {
				w.save(filepath.Join(folder, fmt.Sprintf("%s-%s-%s.png", name, device.name, scheme)))
			}
		}
	}
}

// preferScheme makes pages show in that color scheme.
func preferScheme(scheme string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
		return err
	})
}

// save writes a picture of the page into a file.
func (w *Window) save(file string) {
	w.T.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		w.T.Fatal(err)
	}
	if err := os.WriteFile(file, Ask(w, chromedp.FullScreenshot(100)), 0o644); err != nil {
		w.T.Fatal(err)
	}
}

// Click clicks without waiting for another page.
func (w *Window) Click(selector string) {
	w.T.Helper()
	w.Do(chromedp.Click(chromedp.CSS(selector), chromedp.NodeEnabled))
}

// WaitFor waits until a JavaScript expression is true in whatever page is shown by then.
func (w *Window) WaitFor(expression string) {
	w.T.Helper()
	w.poll(func(ctx context.Context) bool {
		is, err := chromedp.Run(ctx, chromedp.Evaluate[bool](expression))
		return err == nil && is
	}, func() error { return fmt.Errorf("never true: %s", expression) })
}

// WaitForText waits until a page is loaded whose text holds want.
func (w *Window) WaitForText(want string) {
	w.T.Helper()
	w.WaitFor(fmt.Sprintf("document.readyState === 'complete' && document.body.innerText.includes(%q)", want))
}
