package oidc_test

import (
	"net/url"
	"testing"

	"github.com/wicket-id/wicket/oidc"
)

// Whatever else it says, an answer goes to the address that was vetted, and a registered query stays as it is.
func TestResponseKeepsTheRedirectURI(t *testing.T) {
	parameters := url.Values{"code": {"a b&c"}, "state": {"x#y"}}
	for _, c := range []struct{ redirect, mode, want string }{
		{"https://app.example.com/cb", "query", "https://app.example.com/cb?code=a+b%26c&state=x%23y"},
		{"https://app.example.com/cb?tenant=%2f1", "query", "https://app.example.com/cb?tenant=%2f1&code=a+b%26c&state=x%23y"},
		{"https://app.example.com/cb?tenant=1", "fragment", "https://app.example.com/cb?tenant=1#code=a+b%26c&state=x%23y"},
		{"com.example.app:/oauth", "query", "com.example.app:/oauth?code=a+b%26c&state=x%23y"},
	} {
		if got := (&oidc.Response{RedirectURI: c.redirect, Mode: c.mode, Parameters: parameters}).URL(); got != c.want {
			t.Errorf("%s by %s: %s", c.redirect, c.mode, got)
		}
	}
}
