package console

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/identity/administrators"
)

var shownReference = regexp.MustCompile(`id="reference">([A-Z2-7]{8})<`)

// A refusal is explained to whoever may see apps, and mended by who may change them and says whose host it is.
func TestRefusalIsMendedByItsPage(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		manager, auditor := administrator(t, h, administrators.AppManager), administrator(t, h, administrators.Auditor)
		app := h.AddClient(t, nil)
		wrong := h.AuthorizeURL(app, url.Values{"redirect_uri": {"https://new.example/<cb>"}})
		match := shownReference.FindStringSubmatch(h.NewBrowser(t).Get(t, wrong).Text)
		if match == nil {
			t.Fatal("no reference is shown")
		}
		h.Refused.Drain(t.Context())
		page := "/console/refusals/" + match[1]
		if seen := auditor.Get(t, page); !strings.Contains(seen.Text, "https://new.example/&lt;cb&gt;") ||
			!strings.Contains(seen.Text, "127.0.0.1") || strings.Contains(seen.Text, `id="mend"`) {
			t.Errorf("to an auditor: %s\n%s", seen.Status, seen.Text)
		}
		shown := manager.Get(t, page)
		if strings.Contains(shown.Text, "127.0.0.1<") {
			t.Errorf("to an app manager: %s", shown.Text)
		}
		wrong = h.AuthorizeURL(app, url.Values{"redirect_uri": {"https://new.example/cb"}})
		reference := shownReference.FindStringSubmatch(h.NewBrowser(t).Get(t, wrong).Text)[1]
		h.Refused.Drain(t.Context())
		page = "/console/refusals/" + reference
		shown = manager.Get(t, page)
		seen := []string{hidden(t, shown, "seen")}
		if !strings.Contains(shown.Text, `id="new-host"`) {
			t.Fatalf("to an app manager: %s\n%s", shown.Status, shown.Text)
		}
		for host, status := range map[string]int{"": 422, "new.example.": 422} {
			if got := manager.Post(t, page+"/mend", url.Values{"seen": seen, "new_host": {host}}); got.StatusCode != status ||
				!strings.Contains(html.UnescapeString(got.Text), "Repeat the host") {
				t.Errorf("with the host %q: %s", host, got.Status)
			}
		}
		if got := auditor.Post(t, page+"/mend", url.Values{"seen": seen, "new_host": {"new.example"}}); got.StatusCode !=
			http.StatusForbidden {
			t.Errorf("by an auditor: %s", got.Status)
		}
		got := manager.Post(t, page+"/mend", url.Values{"seen": seen, "new_host": {"new.example"}})
		if got.Path() != page || !strings.Contains(got.Text, "it is let in now") || strings.Contains(got.Text, `id="mend"`) {
			t.Errorf("mended: %s\n%s", got.Status, got.Text)
		}
		if let := h.NewBrowser(t).Get(t, wrong); !strings.Contains(let.Text, `id="sign-in"`) {
			t.Errorf("refused after that: %s", let.Status)
		}
		listed := manager.Get(t, "/console/refusals?client="+app.ID)
		if strings.Count(listed.Text, ">Test app · ") != 2 || !strings.Contains(listed.Text, reference) {
			t.Errorf("listed: %s\n%s", listed.Status, listed.Text)
		}
		if found := manager.Get(t, "/console/refusals?reference="+strings.ToLower(reference)); strings.Count(
			found.Text, ">Test app · ",
		) != 1 {
			t.Errorf("looked for: %s\n%s", found.Status, found.Text)
		}
		if found := manager.Get(t, "/console/search?q="+strings.ToLower(reference)); !strings.Contains(
			found.Text, `href="/console/refusals/`+reference+`"`,
		) {
			t.Errorf("found everywhere: %s\n%s", found.Status, found.Text)
		}
		if none := manager.Get(t, "/console/refusals/QQQQQQQQ"); none.StatusCode != http.StatusNotFound {
			t.Errorf("no such refusal: %s", none.Status)
		}
	})
}
