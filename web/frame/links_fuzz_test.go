package frame

import (
	"net/url"
	"slices"
	"strings"
	"testing"
)

// Whatever a form names to go on to, the browser stays here: the address has a path alone, as the URL standard reads
// it, and is a page that may be gone on to.
func FuzzOwnPage(f *testing.F) {
	for _, then := range []string{
		"", "/", "/account", "/account/", "/account/emails", "/account/../x", "/account/..%2f..%2fx", "/account/%2E./x", "/account/" + strings.Repeat("x", 1000), "/account//evil.example", "//evil.example", "/\\evil.example", "\\/evil.example", "https://evil.example", "https:evil.example",
		"/account\n", "/account/\t/evil", "/account/@evil.example", "/account/?x=https://evil.example", "/account/#x", "/verify-email?token=a", "/verify-email?token=a&token=b", "/verify-email?token=//evil.example", "/verify-email",
		"/apps", "/apps/", "/apps//evil.example", "/arrival/link", "/arrival/link/", " /account", "/account\x00", "/account/\xff", "javascript:alert(1)", "/account/%", "/account/;//evil.example", "/account/é",
	} {
		f.Add(then)
	}
	base, err := url.Parse("https://id.example.com/page")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, then string) {
		to := OwnPage(then)
		if to != then && to != "/account" {
			t.Fatalf("%q leads to %q", then, to)
		}
		// What browsers do before they read an address.
		read := strings.NewReplacer("\t", "", "\n", "", "\r", "", "\\", "/").Replace(strings.Trim(to, "\x00 \t\n\r"))
		if !strings.HasPrefix(read, "/") || strings.HasPrefix(read, "//") {
			t.Fatalf("%q leads to %q", then, to)
		}
		parsed, err := base.Parse(read)
		if err != nil {
			return // nor does a browser go anywhere else by it: it begins with one slash
		}
		others := []string{"/apps", "/arrival/link", "/verify-email"}
		if !strings.HasPrefix(parsed.Path, "/account") && !slices.Contains(others, parsed.Path) {
			t.Fatalf("%q leads to %q", then, parsed)
		}
		if len(to) > 1000 || parsed.Scheme != "https" || parsed.Host != "id.example.com" || parsed.User != nil {
			t.Fatalf("%q leads to %q", then, parsed)
		}
	})
}
