package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/wicket-id/wicket/cmd/internal/server"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/seal"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// At an issuer that is an address there are no keys, and everything else works: an app as the second step too.
func TestNoKeysAtAnAddress(t *testing.T) {
	settings := map[string]string{
		"WICKET_DATABASE_URL": storagetest.URL(t, storage.SQLite), "WICKET_ISSUER": "http://127.0.0.1:8080",
		"WICKET_SECRET": seal.NewMasterKey(),
	}
	config, err := server.Load(settings)
	if err != nil || config.RelyingParty != nil {
		t.Fatalf("%+v, %v", config, err)
	}
	h := openTestHouse(t, config.DatabaseURL, func(c *configuration) { c.RelyingParty = nil })
	b := h.browser(t)
	if shown := b.get(t, "/sign-in"); strings.Contains(shown.body, "passkey") {
		t.Errorf("a passkey is asked for:\n%s", shown.body)
	}
	b.signIn(t, page{})
	secret, _ := b.addApp(t, "")
	for _, path := range []string{"/account/passkeys/new", "/account/hardware-keys/new"} {
		if shown := b.get(t, path); shown.StatusCode != http.StatusUnprocessableEntity ||
			!strings.Contains(shown.body, "need a Wicket with a name") {
			t.Errorf("%s: %s", path, shown.Status)
		}
	}
	nonsense := url.Values{"state": {"x"}, "response": {"{}"}}
	for path, status := range map[string]int{"/account/passkeys/add": http.StatusUnprocessableEntity, "/account/hardware-keys/add": http.StatusUnprocessableEntity, "/sign-in/passkey": http.StatusUnauthorized} {
		if shown := b.post(t, path, nonsense); shown.StatusCode != status {
			t.Errorf("%s: %s", path, shown.Status)
		}
	}
	other := h.browser(t)
	if shown := other.verify(
		t, other.signIn(t, page{}), totpCode(t, secret, 0),
	); !strings.Contains(shown.body, "Alice Example") {
		t.Errorf("with an app: %s", shown.Status)
	}
}
