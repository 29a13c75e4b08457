package clients_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/oidc/oidctest"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// redirectSeeds are redirect URIs of every kind, for the table of the registration and for the fuzzer.
var redirectSeeds = map[string]bool{ // may be registered
	"https://app.example.com/callback":                     true,
	"https://app.example.com":                              true,
	"https://app.example.com/":                             true,
	"https://app.example.com:8443/cb?tenant=1":             true,
	"https://app.example.com/a%20b?x=%2F":                  true,
	"https://xn--bcher-kva.example/cb":                     true,
	"https://192.0.2.1/cb":                                 true,
	"https://[2001:db8::1]/cb":                             true,
	"http://localhost/cb":                                  true,
	"http://localhost:3000/cb":                             true,
	"http://app.localhost:3000/cb":                         true,
	"http://127.0.0.1/cb":                                  true,
	"http://127.9.8.7:1/cb":                                true,
	"http://[::1]:3000/cb":                                 true,
	"com.example.app:/oauth":                               true,
	"com.example.app://callback":                           true,
	"COM.example.app:/oauth":                               true,
	"":                                                     false,
	"callback":                                             false,
	"/callback":                                            false,
	"//app.example.com/callback":                           false,
	"https:/app.example.com/callback":                      false,
	"https:app.example.com":                                false,
	"https://":                                             false,
	"https:///callback":                                    false,
	"https://:443/callback":                                false,
	"https://app.example.com/#":                            false,
	"https://app.example.com/#fragment":                    false,
	"https://app.example.com/a b":                          false,
	"https://app.example.com/a\tb":                         false,
	"https://app.example.com/\r\nSet-Cookie:x=1":           false,
	"https://app.example.com/\x00":                         false,
	"https://app.example.com/\\evil.example":               false,
	"https://app.example.com\\@evil.example":               false,
	"https://b\u00fccher.example/cb":                       false,
	"https://app.example.com/\u202e":                       false,
	"https://app.example.com/%zz":                          false,
	"https://user@app.example.com/cb":                      false,
	"https://user:password@app.example.com/cb":             false,
	"https://@app.example.com/cb":                          false,
	"http://app.example.com/cb":                            false,
	"http://localhost.example.com/cb":                      false,
	"http://localhost@evil.example/cb":                     false,
	"http://127.0.0.1.example.com/cb":                      false,
	"http://0.0.0.0/cb":                                    false,
	"http://192.168.0.1/cb":                                false,
	"HTTP://app.example.com/cb":                            false,
	"javascript:alert(1)":                                  false,
	"JavaScript:alert(1)":                                  false,
	"javascript://app.example.com/%0aalert(1)":             false,
	"data:text/html,x":                                     false,
	"vbscript:x":                                           false,
	"file:///etc/passwd":                                   false,
	"about:blank":                                          false,
	"blob:https://app.example.com/x":                       false,
	"view-source:https://app.example.com":                  false,
	"ws://localhost/cb":                                    false,
	"httpx://app.example.com/cb":                           false,
	"intent://app.example.com/#Intent;end":                 false,
	"ms-settings:x":                                        false,
	"myapp:/oauth":                                         true, // for the operator to allow: Prepare
	"myapp://callback":                                     true,
	"https://%EF%BD%81pp.example.com/cb":                   false, // a browser goes to app.example.com
	"https://app%E3%80%82example.com/cb":                   false,
	"https://app.example.com/" + strings.Repeat("a", 2048): false,
}

func TestWhichRedirectURIsMayBeRegistered(t *testing.T) {
	for uri, allowed := range redirectSeeds {
		if err := clients.CheckRedirectURI(uri); allowed != (err == nil) {
			t.Errorf("%.80q: %v, allowed should be %v", uri, err, allowed)
		}
	}
}

func TestRegistrationRefusesABadRedirectURI(t *testing.T) {
	h := oidctest.New(t, storagetest.Open(t, storage.SQLite))
	for name, client := range map[string]*clients.Client{
		"redirect": {Name: "App", RedirectURIs: []string{
			"https://app.example.com/cb", "http://app.example.com/cb",
		}},
		"post logout redirect": {Name: "App", RedirectURIs: []string{"https://app.example.com/cb"}, PostLogoutRedirectURIs: []string{"javascript:alert(1)"}},
		"none for the code":    {Name: "App"},
	} {
		if _, err := h.Clients.Create(t.Context(), client); !errors.Is(err, clients.ErrClient) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The same string, and nothing that only looks like it: RFC 9700, section 2.1.
func TestRedirectURIMatchesExactly(t *testing.T) {
	const registered = "https://app.example.com/cb?tenant=1"
	if !new(clients.Client).MatchesRedirectURI(registered, registered) {
		t.Error("not even itself")
	}
	for _, requested := range []string{
		"", "https://app.example.com/cb", "https://app.example.com/cb?tenant=2", "https://app.example.com/cb?tenant=1&x=2",
		"https://app.example.com/cb/?tenant=1",
		"https://app.example.com/cb?tenant=1#", "https://app.example.com/cb?tenant=1#x",
		"https://app.example.com/CB?tenant=1", "HTTPS://app.example.com/cb?tenant=1",
		"https://APP.example.com/cb?tenant=1", "https://app.example.com:443/cb?tenant=1",
		"https://app.example.com./cb?tenant=1", "http://app.example.com/cb?tenant=1",
		"https://app.example.com.evil.example/cb?tenant=1", "https://evil.example/cb?tenant=1",
		"https://app.example.com@evil.example/cb?tenant=1",
		"https://app.example.com/x/../cb?tenant=1", "https://app.example.com/%63b?tenant=1",
		"https://app.example.com/cb?tenant=%31",
		" https://app.example.com/cb?tenant=1", "https://app.example.com/cb?tenant=1 ",
		"https://app.example.com/cb?tenant=1\n",
	} {
		if new(clients.Client).MatchesRedirectURI(requested, registered) {
			t.Errorf("%q passes for %q", requested, registered)
		}
	}
}

// A native app listens on whatever port is free: RFC 8252, section 7.3. Nothing but the port may differ.
func TestLoopbackRedirectMatchesOnAnyPort(t *testing.T) {
	for _, c := range []struct {
		requested, registered string
		want                  bool
	}{
		{"http://127.0.0.1:50123/cb", "http://127.0.0.1/cb", true},
		{"http://127.0.0.1:50123/cb", "http://127.0.0.1:3000/cb", true},
		{"http://127.0.0.1/cb", "http://127.0.0.1:3000/cb", true},
		{"http://[::1]:50123/cb", "http://[::1]/cb", true},
		{"http://127.0.0.1:50123/cb?x=1", "http://127.0.0.1/cb?x=1", true},
		{"http://127.0.0.1:50123/cb/%2F", "http://127.0.0.1/cb/%2F", true},
		{"http://localhost:50123/cb", "http://localhost/cb", false}, // a name may be somebody else's: section 8.3
		{"http://localhost:50123/cb", "http://127.0.0.1/cb", false},
		{"http://127.0.0.2:50123/cb", "http://127.0.0.1/cb", false},
		{"http://[::1]:50123/cb", "http://127.0.0.1/cb", false},
		{"http://127.0.0.1:50123/cb/", "http://127.0.0.1/cb", false},
		{"http://127.0.0.1:50123/CB", "http://127.0.0.1/cb", false},
		{"http://127.0.0.1:50123/cb?x=1", "http://127.0.0.1/cb", false},
		{"http://127.0.0.1:50123/cb?", "http://127.0.0.1/cb", false},
		{"http://127.0.0.1:50123/cb#", "http://127.0.0.1/cb", false}, // the answer would travel in the fragment
		{"http://127.0.0.1:50123/cb#x", "http://127.0.0.1/cb", false},
		{"http://user@127.0.0.1:50123/cb", "http://127.0.0.1/cb", false},
		{"http://@127.0.0.1:50123/cb", "http://127.0.0.1/cb", false},
		{"http://127.0.0.1:50123@evil.example/cb", "http://127.0.0.1/cb", false},
		{"https://127.0.0.1:50123/cb", "http://127.0.0.1/cb", false},
		{"http://127.0.0.1:50123/cb", "https://127.0.0.1/cb", false},
		{"https://127.0.0.1:50123/cb", "https://127.0.0.1/cb", false},
		{"HTTP://127.0.0.1:50123/cb", "http://127.0.0.1/cb", false},
		{"http://127.0.0.1:50123/%63b", "http://127.0.0.1/cb", false},
		{"http://127.0.0.1:50123/c b", "http://127.0.0.1/c%20b", false},
		{"http://127.0.0.1:50123/c\u00e9", "http://127.0.0.1/c%C3%A9", false},
		{"http://[127.0.0.1]:50123/cb", "http://127.0.0.1/cb", false},
		{"http://127.0.0.1:/cb", "http://127.0.0.1/cb", false},
		{"http://127.0.0.1:99999/cb", "http://127.0.0.1/cb", false},
		{"http://127.1:50123/cb", "http://127.0.0.1/cb", false},
		{"com.example.app:/oauth?x", "com.example.app:/oauth", false},
	} {
		if got := new(clients.Client).MatchesRedirectURI(c.requested, c.registered); got != c.want {
			t.Errorf("%q for %q: %v, want %v", c.requested, c.registered, got, c.want)
		}
	}
}
