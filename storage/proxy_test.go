package storage

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
)

// Behind a proxy requests go through it, also to names that only it knows; what NO_PROXY names goes by itself, and an
// address that is not allowed is not asked of the proxy either.
func TestRequestsGoThroughTheProxy(t *testing.T) {
	var asked []string
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.String())
	}))
	defer proxy.Close()
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	t.Setenv("HTTP_PROXY", proxy.URL)
	t.Setenv("NO_PROXY", "")

	const elsewhere = "http://keys.wicket.invalid/jwks"
	if _, err := (Outbound{}).Client().Get(elsewhere); err != nil || len(asked) != 1 || asked[0] != elsewhere {
		t.Errorf("through the proxy: %v, asked for %q", err, asked)
	}
	if _, err := (Outbound{}).Client().Get("http://192.168.1.1/"); !errors.Is(err, ErrPrivateAddress) || len(asked) != 1 {
		t.Errorf("a private address: %v, asked for %q", err, asked)
	}
	if _, err := (Outbound{Target: server.URL}).Client().Get(server.URL); err != nil || len(asked) != 1 {
		t.Errorf("this machine: %v, asked for %q", err, asked)
	}
	t.Setenv("NO_PROXY", "wicket.invalid")
	if _, err := (Outbound{}).Client().Get(elsewhere); err == nil || len(asked) != 1 {
		t.Errorf("without the proxy: %v, asked for %q", err, asked)
	}
}
