package harness

import (
	"encoding/json"
	"os"
	"path/filepath"

	"github.com/chromedp/chromedp"
)

// narrowest is how wide a screen is at the least: WCAG 2.2, 1.4.10.
const narrowest = 320

// fault is a rule of axe that a page breaks, and where.
type fault struct {
	ID, Impact, Help string
	Nodes            []struct {
		HTML           string
		FailureSummary string
	}
}

// Accessible checks that what the window shows breaks no rule of axe-core, on a desktop and on the narrowest screen, in
// the light and in the dark scheme, and that it fits that screen. It takes NeedNPMPackages.
func (w *Window) Accessible() {
	w.T.Helper()
	script, err := os.ReadFile(filepath.Join(ClientsFolder, "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		w.T.Fatal(err)
	}
	for _, width := range []int64{narrowest, devices[len(devices)-1].width} {
		for _, scheme := range []string{"light", "dark"} {
			w.Do(chromedp.EmulateViewport(width, 800), preferScheme(scheme), chromedp.Evaluate[chromedp.Void](string(script)))
			at := Ask(w, chromedp.Location())
			if wide := Ask(w, chromedp.Evaluate[int64]("document.documentElement.scrollWidth")); wide > width {
				w.T.Errorf("%s: at %d points the page is %d wide", at, width, wide)
			}
			found := Ask(w, chromedp.Evaluate[string](
				"axe.run({resultTypes: ['violations']}).then(r => JSON.stringify(r.violations))", chromedp.EvalAwaitPromise))
			var faults []fault
			if err := json.Unmarshal([]byte(found), &faults); err != nil {
				w.T.Fatal(err)
			}
			for _, f := range faults {
				for _, node := range f.Nodes {
					w.T.Errorf("%s, %d wide, %s: %s (%s): %s\n%s", at, width, scheme, f.ID, f.Impact, node.FailureSummary, node.HTML)
				}
			}
		}
	}
}
