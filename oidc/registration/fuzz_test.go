package registration_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/wicket-id/wicket/oidc/registration"
)

// The URL of a document means one thing to everybody who reads it.
func FuzzDocumentURL(f *testing.F) {
	for _, id := range []string{
		"https://app.example/client.json", "https://app.example:8443/a/b?c=d", "https://[::1]/x", "https://a@b/c", "https://a/%2e",
		"https://a/..", "https://a\\b/c", "https://a/#", "http://a/b", "https:////a/b", "https://a/b%00", "https://a:/b",
	} {
		f.Add(id)
	}
	f.Fuzz(func(t *testing.T, id string) {
		if !registration.IsDocumentURL(id) {
			return
		}
		parsed, err := url.Parse(id)
		if err != nil || parsed.String() != id || parsed.Scheme != "https" || parsed.User != nil || parsed.Fragment != "" ||
			parsed.Hostname() == "" || !strings.HasPrefix(id, "https://"+parsed.Host+"/") {
			t.Fatalf("%q is read as %+v", id, parsed)
		}
		if cleaned := parsed.JoinPath(); cleaned.Path != parsed.Path && strings.Contains(parsed.Path, "/.") {
			for _, segment := range strings.Split(parsed.Path, "/") {
				if segment == "." || segment == ".." {
					t.Fatalf("%q has a dot segment", id)
				}
			}
		}
		for _, r := range id {
			if r <= ' ' || r > '~' || strings.ContainsRune("\\\"<>#^`{|}", r) {
				t.Fatalf("%q has the character %q", id, r)
			}
		}
	})
}
