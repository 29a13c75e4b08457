package frame

import (
	"net/http"
	"strings"
	"testing"

	"github.com/wicket-id/wicket/web/pages"
)

func TestContentSecurityPolicy(t *testing.T) {
	for want, leadsTo := range map[string][]string{
		"'self'":                              nil,
		"'self' https:":                       {"https://app.example.com/callback", "https://accounts.example.com"},
		"'self' https: http://localhost:9999": {"http://localhost:9999/callback", "http://localhost:9999/other"},
		"'self' https: com.example.app:":      {"com.example.app:/callback"},
		"'self' https: http://[::1]:80 x:":    {"http://[::1]:80/cb", "https://a", "x:y", "https://b"},
	} {
		policy := contentSecurityPolicy(sourcesOfPages, leadsTo, nil)
		if _, got, _ := strings.Cut(policy, "form-action "); got != want {
			t.Errorf("%v: form-action %s, want %s", leadsTo, got, want)
		}
		if !strings.HasPrefix(policy, "default-src 'none'; ") || strings.Contains(policy, "unsafe") {
			t.Errorf("%v: %s", leadsTo, policy)
		}
	}
}

// What a page frames is named by its origin, and cannot say more in the policy than that.
func TestPolicyOfFrames(t *testing.T) {
	framed := []string{"https://app.example.com/front?sid=1", "http://localhost:9999/front", "https://a.example;sandbox/x"}
	policy := contentSecurityPolicy(sourcesOfPages, nil, framed)
	if !strings.HasPrefix(policy, "default-src 'none'; frame-src https://app.example.com http://localhost:9999; style-src 'self'; ") ||
		strings.Contains(policy, "sandbox") {
		t.Error(policy)
	}
}

// The policy is that of the page as it is shown, in whatever order its parts were prepared.
func TestThePolicyIsComputedWhenThePageIsShown(t *testing.T) {
	f, _ := newFrame(t, "https://id.example.com")
	app, provider := "http://localhost:9999/callback", "http://127.0.0.1:7000"
	for _, order := range [][]string{{app, provider}, {provider, app}, {app, "", app, provider}} {
		response := serve(f.Page(func(v *Visit) error {
			for _, address := range order {
				v.LeadsTo(address)
			}
			return v.Show(http.StatusOK, pages.Done{Title: "Done"})
		}), get())
		policies := response.Header.Values("Content-Security-Policy")
		for _, source := range []string{"http://localhost:9999", "http://127.0.0.1:7000"} {
			if len(policies) != 1 || strings.Count(policies[0], source) != 1 {
				t.Errorf("%q: the policies are %q", order, policies)
			}
		}
	}
}

func TestPageHeaders(t *testing.T) {
	f, _ := newFrame(t, "https://id.example.com")
	for name, handler := range map[string]Handler{
		"a page":     func(v *Visit) error { return v.Show(http.StatusOK, pages.Done{}) },
		"a redirect": func(v *Visit) error { return v.Redirect("/elsewhere") },
		"a failure":  NotFound,
	} {
		header := serve(f.Page(handler), get()).Header
		if header.Get("Content-Security-Policy") != strictestPolicy || header.Get("X-Frame-Options") != "DENY" ||
			header.Get("Referrer-Policy") != "same-origin" || header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %v", name, header)
		}
	}
}
