package clients_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
)

// Whatever matches a registered redirect URI leads to the same place, as a browser reads it.
func FuzzRedirectURI(f *testing.F) {
	for uri := range redirectSeeds {
		f.Add(uri, uri)
		f.Add(uri, "http://127.0.0.1/cb")
	}
	for _, requested := range []string{"http://127.0.0.1:50123/cb", "http://127.0.0.1:50123/cb#", "HTTP://127.0.0.1:1/cb", "http://127.0.0.1:/cb", "http://[127.0.0.1]/cb", "http://u@127.0.0.1/cb", "http://127.0.0.1:1/cb?", "http://127.0.0.1:1/%63b"} {
		f.Add(requested, "http://127.0.0.1/cb")
	}
	f.Add("http://[::1]:50123/a b", "http://[::1]/a%20b")
	f.Fuzz(func(t *testing.T, requested, registered string) {
		if clients.CheckRedirectURI(registered) != nil {
			return
		}
		to, err := url.Parse(registered)
		if err != nil || to.Scheme == "" || to.User != nil || to.Fragment != "" ||
			strings.ContainsAny(registered, "#\r\n\x00 \\") || !utf8.ValidString(registered) {
			t.Fatalf("%q may be registered (%v)", registered, err)
		}
		if to.Scheme == "http" && !oidc.IsLoopback(to) ||
			slices.Contains(clients.ForbiddenSchemes, strings.ToLower(to.Scheme)) {
			t.Fatalf("%q may be registered", registered)
		}
		if (to.Scheme == "http" || to.Scheme == "https") && to.Hostname() == "" {
			t.Fatalf("%q has no host and may be registered", registered)
		}
		if !new(clients.Client).MatchesRedirectURI(registered, registered) {
			t.Fatalf("%q does not match itself", registered)
		}
		if !new(clients.Client).MatchesRedirectURI(requested, registered) || requested == registered {
			return
		}
		from, err := url.Parse(requested)
		if err != nil {
			t.Fatalf("%q matches %q and is no URL: %v", requested, registered, err)
		}
		if !strings.HasPrefix(registered, "http://") || !oidc.IsLoopback(to) || to.Hostname() == "localhost" {
			t.Fatalf("%q matches %q, which is no loopback address", requested, registered)
		}
		if from.Scheme != to.Scheme || from.Hostname() != to.Hostname() || from.EscapedPath() != to.EscapedPath() ||
			from.RawQuery != to.RawQuery || from.User != nil {
			t.Fatalf("%q matches %q", requested, registered)
		}
		// Only the port may differ.
		strip := func(uri string, parsed *url.URL) string {
			if port := parsed.Port(); port != "" {
				return strings.Replace(uri, parsed.Host, strings.TrimSuffix(parsed.Host, ":"+port), 1)
			}
			return uri
		}
		if strip(requested, from) != strip(registered, to) {
			t.Fatalf("%q matches %q but for more than the port", requested, registered)
		}
	})
}
