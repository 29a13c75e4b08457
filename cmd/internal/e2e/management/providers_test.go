package management

import (
	"net/http"
	"strings"
	"testing"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/federation"
	"github.com/wicket-id/wicket/identity/administrators"
)

func TestProvidersOverTheAPI(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		owner := keyFor(t, h, administrators.Owner)
		path := "/api/v1/providers/acme"
		settings := map[string]any{
			"kind": "oidc", "name": "Acme", "issuer": "https://login.acme.example", "client_id": "wicket",
			"client_secret": "a secret of theirs", "active": true,
		}
		create := []string{"If-None-Match", "*"}
		added := owner.must(t, http.StatusCreated, http.MethodPut, path, settings, create...)
		if added.JSON["redirect_uri"] != h.Upstreams.Callback("acme") || strings.Contains(added.Text, "a secret of theirs") {
			t.Errorf("added: %s", added.Text)
		}
		if again := owner.call(t, http.MethodPut, path, settings, create...); again.code() != "precondition.exists" {
			t.Errorf("added twice: %s", again.Text)
		}
		offered := func() bool {
			t.Helper()
			response, err := http.Get(h.Issuer + "/sign-in")
			return strings.Contains(harness.ReadPage(t, response, err).Text, "with-acme")
		}
		if !offered() {
			t.Error("the sign-in page does not offer it")
		}
		// Changed without its secret, which stays; by what was seen alone.
		delete(settings, "client_secret")
		settings["name"], settings["active"] = "Acme Inc.", false
		stale := owner.call(t, http.MethodPut, path, settings, "If-Match", `"stale"`)
		if stale.code() != "precondition.failed" {
			t.Errorf("changed by what nobody has seen: %s", stale.Text)
		}
		changed := owner.must(t, http.StatusOK, http.MethodPut, path, settings, "If-Match", added.Header.Get("ETag"))
		if changed.JSON["name"] != "Acme Inc." || offered() {
			t.Errorf("changed: %s", changed.Text)
		}
		settings["kind"] = "github"
		settings["active"] = true
		same := owner.must(t, http.StatusOK, http.MethodPut, path, settings, "If-Match", "*")
		if same.JSON["kind"] != "oidc" || !offered() {
			t.Errorf("its kind: %s", same.Text)
		}
		rows, err := h.Upstreams.All(t.Context())
		if err != nil || len(rows) != 1 || len(rows[0].SealedSecret) == 0 {
			t.Fatalf("the row: %v, %v", rows, err)
		}
		for name, wrong := range map[string]map[string]any{
			"no secret":   {"kind": "oidc", "name": "X", "issuer": "https://x.example", "client_id": "wicket", "active": true},
			"http":        {"kind": "oidc", "name": "X", "issuer": "http://x.example", "client_id": "wicket", "client_secret": "s", "active": true},
			"a bare rule": {"kind": "google", "client_id": "wicket", "client_secret": "s", "active": true, "roles": []any{map[string]any{"role": "x", "claim": "", "value": ""}}},
		} {
			got := owner.call(t, http.MethodPut, "/api/v1/providers/other", wrong, create...)
			if got.Status != http.StatusUnprocessableEntity || got.code() != "provider.invalid" {
				t.Errorf("%s: %d %s", name, got.Status, got.Text)
			}
		}
		audit := owner.must(t, http.StatusOK, http.MethodGet, "/api/v1/audit?entity=provider&limit=10", nil)
		for _, want := range []string{`"added"`, `"changed"`, `"client_secret_changed":false`} {
			if !strings.Contains(audit.Text, want) {
				t.Errorf("the audit trail lacks %s: %s", want, audit.Text)
			}
		}
		if strings.Contains(audit.Text, "a secret of theirs") {
			t.Error("the audit trail has the secret")
		}
		owner.must(t, http.StatusNoContent, http.MethodDelete, path, nil)
		owner.must(t, http.StatusNotFound, http.MethodGet, path, nil)
	})
}

// A provider that the configuration names is shown, and changed nowhere else.
func TestDeclaredProviderIsChangedInTheConfiguration(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		named := federation.Provider{
			Kind: federation.KindGoogle, ClientID: "wicket", Secret: "s", Named: true, IsActive: true,
		}
		if err := named.Check(); err != nil {
			t.Fatal(err)
		}
		h.Upstreams.Named = func() []federation.Provider { return []federation.Provider{named} }
		owner := keyFor(t, h, administrators.Owner)
		shown := owner.must(t, http.StatusOK, http.MethodGet, "/api/v1/providers/google", nil)
		if shown.JSON["declared"] != true {
			t.Errorf("shown: %s", shown.Text)
		}
		settings := map[string]any{"kind": "google", "client_id": "other", "active": true}
		got := owner.call(t, http.MethodPut, "/api/v1/providers/google", settings, "If-Match", "*")
		if got.Status != http.StatusConflict || got.code() != "provider.declared" {
			t.Errorf("changed: %d %s", got.Status, got.Text)
		}
		owner.must(t, http.StatusNotFound, http.MethodDelete, "/api/v1/providers/google", nil)
	})
}
