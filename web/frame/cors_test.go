package frame

import (
	"net/http"
	"testing"

	"github.com/wicket-id/wicket/oidc/clients"
)

// Only a page whose origin the provider has found to be the client's may read an answer. A client that is not known has
// no origin.
func TestAllowOrigin(t *testing.T) {
	f, _ := newFrame(t, "https://id.example.com")
	for _, c := range []struct {
		origin string
		client *clients.Client
		want   string
	}{
		{"https://spa.example.com", &clients.Client{ID: "spa"}, "https://spa.example.com"},
		{"https://spa.example.com", nil, ""},
		{"", &clients.Client{ID: "spa"}, ""},
	} {
		request := get()
		request.Header.Set("Origin", c.origin)
		header := serve(f.App(func(v *Visit) error {
			v.Client = c.client
			v.AllowOrigin()
			v.Gin.Status(http.StatusOK)
			return nil
		}), request).Header
		if header.Get("Access-Control-Allow-Origin") != c.want || header.Get("Vary") != "Origin" {
			t.Errorf("from %q: %v", c.origin, header)
		}
	}
}

func TestPreflightAllowsNoCookies(t *testing.T) {
	request := get()
	request.Method = http.MethodOptions
	response := serve(Preflight, request)
	if response.StatusCode != http.StatusNoContent || response.Header.Get("Access-Control-Allow-Origin") != "*" ||
		response.Header.Get("Access-Control-Allow-Credentials") != "" {
		t.Errorf("%s: %v", response.Status, response.Header)
	}
}
