package protocol

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// The way to an app works without JavaScript: sign-in, consent, and even an answer by form_post, where a script would
// only spare the person a click.
func TestFormPostInABrowser(t *testing.T) {
	t.Parallel()
	for _, javaScript := range []bool{true, false} {
		t.Run(fmt.Sprintf("JavaScript %t", javaScript), func(t *testing.T) {
			w := harness.OpenWindow(t)
			h := harness.Start(t, storagetest.URL(t, storage.SQLite))
			app := harness.ServeApp(t, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				rw.Header().Set("Content-Type", "text/html; charset=utf-8")
				_, _ = fmt.Fprintf(
					rw, `<!doctype html><title>App</title><link rel="icon" href="data:,"><p id="method">%s</p><p id="answer">%s</p>`,
					r.Method, r.PostFormValue("state")+" "+r.PostFormValue("iss"),
				)
			}))
			client := h.AddClient(t, func(c *clients.Client) { c.RedirectURIs = []string{app + "/callback"} })
			if !javaScript {
				w.Do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
					_, err := cdp.Call(ctx, target, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{
						Value: true,
					})
					return err
				}))
			}
			w.Open(h.AuthorizeURL(client, url.Values{"redirect_uri": {app + "/callback"}, "response_mode": {"form_post"}}))
			w.SignIn(harness.Email, harness.Password)
			w.Press("#allow")
			if !javaScript {
				w.Reads("main", "One moment")
				w.Look("form-post")
				w.Press("#form-post button")
			}
			w.Reads("#method", "POST")
			w.Reads("#answer", "the-state "+h.Issuer)
		})
	}
}

// A single-page app on oidc-client-ts: a public client on an origin of its own.
func TestSPAInABrowser(t *testing.T) {
	t.Parallel()
	harness.NeedNPMPackages(t)
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		w := harness.OpenWindow(t)
		mux := http.NewServeMux()
		mux.Handle("/", http.FileServer(http.Dir(harness.ClientsFolder+"/spa")))
		mux.HandleFunc("/oidc-client-ts.min.js", func(rw http.ResponseWriter, r *http.Request) {
			http.ServeFile(rw, r, harness.ClientsFolder+"/node_modules/oidc-client-ts/dist/browser/oidc-client-ts.min.js")
		})
		origin := harness.ServeApp(t, mux)
		client := h.AddClient(t, func(c *clients.Client) {
			c.AuthMethod, c.RedirectURIs, c.PostLogoutRedirectURIs = clients.AuthNone, []string{origin + "/"}, []string{
				origin + "/",
			}
		})
		mux.HandleFunc("/config.json", func(rw http.ResponseWriter, _ *http.Request) {
			_ = json.NewEncoder(rw).Encode(map[string]string{
				"authority": h.Issuer, "client_id": client.ID, "redirect_uri": origin + "/",
				"post_logout_redirect_uri": origin + "/", "scope": "openid profile email offline_access",
			})
		})

		w.Open(origin + "/")
		w.Reads("#status", "signed out")
		w.Press("#login")
		w.SignIn(harness.Username, harness.Password)
		w.Press("#allow")
		w.Reads("#status", "signed in as", h.User.ID.String())
		w.Reads("#claims", harness.Email, "Alice Example")
		w.Click("#refresh")
		w.Reads("#refreshes", "1")
		w.Open(origin + "/") // the app reads its tokens again from the tab
		w.Reads("#status", "signed in as")
		w.Press("#logout")
		w.Reads("#status", "signed out")
		if problem := harness.Ask(w, chromedp.TextContent(chromedp.CSS("#error"))); problem != "" {
			t.Errorf("the app complains: %s", problem)
		}
		w.Open(h.Issuer + "/account")
		w.Reads("h1", "Sign in")
	})
}
