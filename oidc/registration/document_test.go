package registration_test

import (
	"strings"
	"testing"

	"github.com/wicket-id/wicket/oidc/registration"
)

// What another program could read as another address is not the address of a document.
func TestWhichIDsAreURLsOfDocuments(t *testing.T) {
	t.Parallel()
	for id, is := range map[string]bool{
		"https://app.example/client.json":                  true,
		"https://app.example/":                             true,
		"https://app.example:8443/oauth/client?v=1":        true,
		"https://xn--bcher-kva.example/client":             true,
		"https://[2001:db8::1]/client":                     true,
		"https://app.example":                              false, // no path
		"http://app.example/client":                        false,
		"HTTPS://app.example/client":                       false,
		"https:/app.example/client":                        false,
		"https:///client":                                  false,
		"https://app.example/client#x":                     false,
		"https://app.example/client#":                      false,
		"https://user@app.example/client":                  false,
		"https://user:pass@app.example/client":             false,
		"https://app.example/a/../client":                  false,
		"https://app.example/./client":                     false,
		"https://app.example/%2e%2e/client":                false,
		"https://app.example/a/%2E/client":                 false,
		"https://app.example/a\\client":                    false,
		"https://app.example\\@evil.example/client":        false,
		"https://app.example/cl ient":                      false,
		"https://app.example/cl\nient":                     false,
		"https://app.example/cl\x00ient":                   false,
		"https://bücher.example/client":                    false,
		"https://app.example/%zz":                          false,
		"https://app.example/\"><script>":                  false,
		"https://app.example/" + strings.Repeat("a", 1000): false,
		"client": false,
		"":       false,
	} {
		if got := registration.IsDocumentURL(id); got != is {
			t.Errorf("%.80q: %v, want %v", id, got, is)
		}
	}
}

func TestWhoseDocumentsAreRead(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"off": "", "any": "", "claude.ai": "", "claude.ai, .openai.com": "", "": "is no host", "https://claude.ai": "is no host",
		"claude.ai:443": "is no host", "a b": "is no host", "claude.ai,": "is no host", "claude.ai/x": "is no host",
	} {
		if _, err := registration.ParseDocuments(text); (err == nil) != (want == "") ||
			err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}
