package clients_test

import (
	"errors"
	"testing"

	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/oidc/oidctest"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// An app is told of logouts at https addresses alone, or on this machine; in frames only on an origin to which codes go
// already.
func TestLogoutURIs(t *testing.T) {
	t.Parallel()
	h := oidctest.New(t, storagetest.Open(t, storage.SQLite))
	create := func(back, front string) error {
		_, err := h.Clients.Create(t.Context(), &clients.Client{
			Name: "App", RedirectURIs: []string{"https://app.example/callback", "http://localhost:9999/callback"},
			BackchannelLogoutURI: back, FrontchannelLogoutURI: front,
		})
		return err
	}
	for _, uri := range []string{
		"http://app.example/x", "ftp://app.example/x", "https:///x", "https://app.example/x#y", "https://me@app.example/x",
		"https://*.app.example/x", "javascript:alert(1)", "/x", "app.example/x", "https://app.example/ x", "https://app.example/é",
	} {
		if err := create(uri, ""); !errors.Is(err, clients.ErrClient) {
			t.Errorf("back-channel %s: %v", uri, err)
		}
		if err := create("", uri); !errors.Is(err, clients.ErrClient) {
			t.Errorf("front-channel %s: %v", uri, err)
		}
	}
	for _, uri := range []string{"https://other.example/x", "https://app.example:8443/x", "http://localhost:9998/x"} {
		if err := create("", uri); !errors.Is(err, clients.ErrClient) {
			t.Errorf("front-channel %s, on an origin of its own: %v", uri, err)
		}
		if err := create(uri, ""); err != nil {
			t.Errorf("back-channel %s: %v", uri, err)
		}
	}
	if err := create("https://app.example/x?y=1", "https://app.example/x?y=1"); err != nil {
		t.Error(err)
	}
}
