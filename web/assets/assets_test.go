package assets

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

var names = []string{
	"app.css", "console.css", "account.js", "checksession.js", "console.js", "formpost.js", "password.js", "webauthn.js", "logo.svg", "favicon.svg",
	"google.svg", "microsoft.svg", "github.svg",
}

func get(t *testing.T, method, target string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	Handler().ServeHTTP(w, httptest.NewRequest(method, target, nil))
	return w
}

func TestHashedNamesMatchTheContent(t *testing.T) {
	if len(paths) != len(names) {
		t.Errorf("embedded %d files, this test knows %d", len(paths), len(names))
	}
	shape := regexp.MustCompile(`^/assets/[a-z]+\.([0-9a-f]{8})\.[a-z]+$`)
	for _, name := range names {
		m := shape.FindStringSubmatch(Path(name))
		if m == nil {
			t.Errorf("Path(%q) = %q", name, Path(name))
			continue
		}
		w := get(t, "GET", Path(name))
		sum := sha256.Sum256(w.Body.Bytes())
		if got := hex.EncodeToString(sum[:4]); got != m[1] {
			t.Errorf("%s: content hashes to %s", Path(name), got)
		}
		for header, want := range map[string]string{
			"Content-Type":           contentTypes[name[strings.LastIndex(name, "."):]],
			"Cache-Control":          "public, max-age=31536000, immutable",
			"X-Content-Type-Options": "nosniff",
		} {
			if got := w.Header().Get(header); w.Code != http.StatusOK || got == "" || got != want {
				t.Errorf("%s: %d, %s: %q, want %q", name, w.Code, header, got, want)
			}
		}
	}
}

// What says hidden is not shown by a rule for something else, or people without scripts meet buttons that do nothing.
func TestHiddenStaysHidden(t *testing.T) {
	rule := regexp.MustCompile(`(?m)^\[hidden\] \{\s*display: none !important;\s*\}`)
	if !rule.MatchString(get(t, "GET", Path("app.css")).Body.String()) {
		t.Error("a part with a display of its own shows although it is hidden")
	}
}

func TestPlainIconIsNotKeptForEver(t *testing.T) {
	w := get(t, "GET", "/assets/favicon.svg")
	if w.Code != http.StatusOK || strings.Contains(w.Header().Get("Cache-Control"), "immutable") {
		t.Errorf("%d, Cache-Control: %q", w.Code, w.Header().Get("Cache-Control"))
	}
}

func TestNothingElseIsServed(t *testing.T) {
	for _, target := range []string{
		"/assets/", "/assets/app.css", "/assets/app.00000000.css", "/assets/assets.go",
		"/assets/../assets.go", "/app.css", Path("app.css") + "/",
	} {
		w := get(t, "GET", target)
		if w.Code != http.StatusNotFound || w.Header().Get("Cache-Control") != "" {
			t.Errorf("%s: %d, Cache-Control: %q", target, w.Code, w.Header().Get("Cache-Control"))
		}
	}
	if w := get(t, "POST", Path("app.css")); w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", w.Code)
	}
	if w := get(t, "HEAD", Path("app.css")); w.Code != http.StatusOK || w.Body.Len() != 0 {
		t.Errorf("HEAD: %d with %d bytes", w.Code, w.Body.Len())
	}
}

func TestUnknownNameIsAFaultInTheProgram(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("Path of an unknown file did not panic")
		}
	}()
	Path("nowhere.css")
}
