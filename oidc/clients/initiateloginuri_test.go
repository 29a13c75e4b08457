package clients_test

import (
	"errors"
	"testing"

	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/oidc/oidctest"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// A login that somebody else begins starts at an https address, on this machine too.
func TestInitiateLoginURI(t *testing.T) {
	t.Parallel()
	h := oidctest.New(t, storagetest.Open(t, storage.SQLite))
	create := func(uri string) error {
		_, err := h.Clients.Create(t.Context(), &clients.Client{
			Name: "App", RedirectURIs: []string{"https://app.example/callback"}, InitiateLoginURI: uri,
		})
		return err
	}
	for _, uri := range []string{
		"http://app.example/x", "http://localhost/x", "javascript:alert(1)", "com.example.app:/x", "https:///x", "https:x",
		"https://app.example/x#y", "https://me@app.example/x", "https://*.app.example/x", "/x", "https://app.example/ x",
	} {
		if err := create(uri); !errors.Is(err, clients.ErrClient) {
			t.Errorf("%s: %v", uri, err)
		}
	}
	for _, uri := range []string{"", "https://app.example/x", "https://app.example/x?y=1", "https://localhost:8443"} {
		if err := create(uri); err != nil {
			t.Errorf("%s: %v", uri, err)
		}
	}
}
