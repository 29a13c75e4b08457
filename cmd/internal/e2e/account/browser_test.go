package account

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// accountPages are all pages of the account that one can open.
var accountPages = []string{
	"/account", "/account/profile", "/account/emails", "/account/phones", "/account/security", "/account/devices",
	"/account/activity", "/account/apps", "/apps", "/account/privacy", "/account/backup-codes",
}

const (
	// shifted is how far the page has moved while it was loaded, as a browser counts it.
	shifted = `new Promise((tell) => new PerformanceObserver((list) => tell(list.getEntries().reduce(
		(sum, entry) => sum + entry.value, 0))).observe({ type: "layout-shift", buffered: true }) || setTimeout(tell, 50, 0))`
	// misnamed are the buttons and links that say something else than who hears them is told: WCAG 2.2, 2.5.3.
	misnamed = `[...document.querySelectorAll("a[aria-label], button[aria-label]")].filter((e) => e.innerText.trim() &&
		!e.ariaLabel.toLowerCase().includes(e.innerText.trim().toLowerCase())).map((e) => e.outerHTML).join("\n")`
)

// Every page of the account breaks no rule of axe-core, begins high on a phone, does not move while it is loaded, and
// names its buttons by what stands on them.
func TestAccountInABrowser(t *testing.T) {
	t.Parallel()
	harness.NeedNPMPackages(t)
	w := harness.OpenWindow(t)
	h := harness.Start(t, storagetest.URL(t, storage.SQLite))
	h.NewBrowser(t).Code(t, h.AddClient(t, func(c *clients.Client) { c.ClientURI = "https://app.example/" }), nil)
	for _, address := range []string{"alice@example.org", "a@example.net"} {
		if _, err := h.Identity.Emails().Add(t.Context(), h.Reauthenticated(t, h.User), address); err != nil {
			t.Fatal(err)
		}
	}
	w.Open(h.Issuer + "/sign-in")
	w.Accessible()
	w.SignIn(harness.Username, harness.Password)
	for _, page := range accountPages {
		w.Do(chromedp.EmulateViewport(390, 844))
		w.Open(h.Issuer + page)
		w.WaitFor(fmt.Sprintf("location.pathname === %q", page))
		top := harness.Ask(w, chromedp.Evaluate[float64]("document.querySelector('h1').getBoundingClientRect().top"))
		if top > 180 {
			t.Errorf("%s begins at %v of 844 points", page, top)
		}
		if shift := harness.Ask(w, chromedp.Evaluate[float64](shifted, chromedp.EvalAwaitPromise)); shift > 0 {
			t.Errorf("%s moves by %v while it is loaded", page, shift)
		}
		if names := harness.Ask(w, chromedp.Evaluate[string](misnamed)); names != "" {
			t.Errorf("%s: these have other names than they show:\n%s", page, names)
		}
		w.Accessible()
	}
}

// Backup codes are offered after the first factor, and can be taken along as a file.
func TestBackupCodesInABrowser(t *testing.T) {
	t.Parallel()
	w := harness.OpenWindow(t)
	h := harness.Start(t, storagetest.URL(t, storage.SQLite))
	w.Open(h.Issuer + "/account/totps/new")
	w.SignIn(harness.Username, harness.Password)
	w.WaitForText("Add an authenticator app")
	secret := harness.Ask(w, chromedp.Evaluate[string](`document.querySelector("#secret").innerText.replaceAll(/\s/g, "")`))
	w.Do(chromedp.SendKeys(chromedp.CSS("#code"), harness.TOTPCode(t, secret, 0)))
	w.Press("#verify")
	w.Reads("main", "Save backup codes", "Added")
	w.Look("backup-codes-offer")
	w.Press("#make-codes")
	codes := w.Text("#codes li")
	if file := harness.Ask(w, chromedp.Evaluate[bool](
		`decodeURIComponent(document.querySelector("#save").href).includes(document.querySelector("#codes code").innerText)`,
	)); !file {
		t.Errorf("the file to be saved lacks the codes, such as %s", codes)
	}
}
