package protocol

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// watchingApp is the page of an app that asks a frame of the provider whether the session is still the same.
const watchingApp = `<!DOCTYPE html><title>App</title><p id="answer">…</p>
<iframe id="op" src="%ISSUER/check-session" hidden></iframe>
<script>
const state = new URLSearchParams(location.search).get("session_state");
const op = document.getElementById("op");
addEventListener("message", (event) => {
  if (event.origin === "%ISSUER") { document.getElementById("answer").textContent = event.data; }
});
op.addEventListener("load", () => setInterval(() => op.contentWindow.postMessage("%CLIENT " + state, "%ISSUER"), 100));
</script>`

// A page of an app finds out in a real browser that the person is still signed in, and that they are not any more.
func TestSessionFrameInABrowser(t *testing.T) {
	t.Parallel()
	storagetest.EachURL(t, func(t *testing.T, databaseURL string) {
		h := harness.Start(t, databaseURL, func(c *harness.Config) { c.SessionManagement = true })
		mux := http.NewServeMux()
		origin := harness.ServeApp(t, mux)
		client := h.AddClient(t, func(c *clients.Client) {
			c.RedirectURIs, c.IsTrusted = []string{origin + "/callback"}, true
		})
		mux.HandleFunc("/callback", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = w.Write([]byte(strings.NewReplacer("%ISSUER", h.Issuer, "%CLIENT", client.ID).Replace(watchingApp)))
		})
		mux.HandleFunc("/favicon.ico", func(http.ResponseWriter, *http.Request) {})
		ask := h.AuthorizeURL(client, url.Values{"redirect_uri": {origin + "/callback"}})
		w := harness.OpenWindow(t)
		w.Open(ask)
		w.SignIn(harness.Username, harness.Password)
		w.Reads("#answer", "unchanged")
		watched := harness.Ask(w, chromedp.Evaluate[string]("location.href"))
		w.Open(h.Issuer + "/account")
		w.Press("#sign-out")
		w.Open(watched)
		w.Reads("#answer", "changed")
		w.WaitFor(`document.getElementById("answer").textContent === "changed"`)
		// Nor is it the same when the person signs in again: that is another session.
		w.Open(h.Issuer + "/sign-in")
		w.SignIn(harness.Username, harness.Password)
		w.Open(watched)
		w.WaitFor(`document.getElementById("answer").textContent === "changed"`)
		w.Open(ask)
		w.WaitFor(`document.getElementById("answer").textContent === "unchanged"`)
	})
}

// The frame is as bare as can be, and its cookie the only one that scripts may read; it opens nothing.
func TestSessionFrame(t *testing.T) {
	t.Parallel()
	storagetest.EachURL(t, func(t *testing.T, databaseURL string) {
		t.Run("https", func(t *testing.T) {
			h, _ := harness.StartSecure(t, databaseURL, func(c *harness.Config) { c.SessionManagement = true })
			b := h.NewBrowser(t)
			b.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
			shown := b.Get(t, oidc.PathCheckSession)
			directives := policy(shown.Header.Get("Content-Security-Policy"))
			if shown.StatusCode != http.StatusOK || shown.Header.Get("X-Frame-Options") != "" || len(directives) != 4 ||
				strings.Join(directives["default-src"], " ") != "'none'" ||
				strings.Join(directives["script-src"], " ") != "'self'" ||
				strings.Contains(shown.Text, "<script>") || len(shown.Cookies()) > 0 {
				t.Errorf("%s, %v\n%s", shown.Status, shown.Header, shown.Text)
			}
			var document map[string]any
			if err := json.Unmarshal([]byte(b.Get(t, oidc.PathConfiguration).Text), &document); err != nil ||
				document["check_session_iframe"] != h.Issuer+oidc.PathCheckSession {
				t.Errorf("%v, %v", document["check_session_iframe"], err)
			}
			states := map[string]string{}
			for _, answer := range []harness.Page{
				b.SignIn(t, harness.Page{}), b.Post(t, "/account/sign-out", url.Values{}),
			} {
				for _, cookie := range answer.Cookies() {
					if cookie.Name != "__Host-wicket_browser_state" {
						if !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode {
							t.Errorf("another cookie: %+v", cookie)
						}
						continue
					}
					if cookie.HttpOnly || !cookie.Secure || cookie.SameSite != http.SameSiteNoneMode || cookie.Path != "/" {
						t.Errorf("%+v", cookie)
					}
					states[cookie.Value] = cookie.Name
				}
			}
			if _, cleared := states[""]; len(states) != 2 || !cleared {
				t.Errorf("the states of the browser: %v", states)
			}
		})
	})
}
