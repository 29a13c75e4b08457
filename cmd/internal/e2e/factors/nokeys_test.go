package factors

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/cmd/internal/server"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/seal"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// At an issuer that is an address there are no keys, and everything else works: an app as the second step too.
func TestNoKeysAtAnAddress(t *testing.T) {
	t.Parallel()
	settings := map[string]string{
		"WICKET_DATABASE_URL": storagetest.URL(t, storage.SQLite), "WICKET_ISSUER": "http://127.0.0.1:8080",
		"WICKET_SECRET": seal.NewMasterKey(),
	}
	config, err := server.Load(settings)
	if err != nil || config.RelyingParty != nil {
		t.Fatalf("%+v, %v", config, err)
	}
	h := harness.Start(t, config.DatabaseURL, func(c *harness.Config) { c.RelyingParty = nil })
	b := h.NewBrowser(t)
	if shown := b.Get(t, "/sign-in"); strings.Contains(shown.Text, "passkey") {
		t.Errorf("a passkey is asked for:\n%s", shown.Text)
	}
	b.SignIn(t, harness.Page{})
	secret, _ := b.AddAuthenticator(t, "")
	for _, path := range []string{"/account/passkeys/new", "/account/hardware-keys/new"} {
		if shown := b.Get(t, path); shown.StatusCode != http.StatusUnprocessableEntity ||
			!strings.Contains(shown.Text, "need a Wicket with a name") {
			t.Errorf("%s: %s", path, shown.Status)
		}
	}
	nonsense := url.Values{"state": {"x"}, "response": {"{}"}}
	for path, status := range map[string]int{"/account/passkeys/add": http.StatusUnprocessableEntity, "/account/hardware-keys/add": http.StatusUnprocessableEntity, "/sign-in/passkey": http.StatusUnauthorized} {
		if shown := b.Post(t, path, nonsense); shown.StatusCode != status {
			t.Errorf("%s: %s", path, shown.Status)
		}
	}
	other := h.NewBrowser(t)
	if shown := other.AnswerSecondStep(
		t, other.SignIn(t, harness.Page{}), harness.TOTPCode(t, secret, 0),
	); !strings.Contains(shown.Text, "Alice Example") {
		t.Errorf("with an app: %s", shown.Status)
	}
}
