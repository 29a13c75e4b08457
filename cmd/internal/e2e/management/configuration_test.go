package management

import (
	"net/http"
	"strings"
	"testing"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/identity/administrators"
	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/oidc/clients"
)

const (
	pathConfiguration = "/api/v1/configuration"
	configuredSecret  = "0123456789abcdef0123456789abcdef"
)

// file is a configuration file as the body of a request.
func file(text string, more ...string) map[string]any {
	body := map[string]any{"file": text}
	for i := 0; i+1 < len(more); i += 2 {
		body[more[i]] = more[i+1]
	}
	return body
}

func TestConfigurationOverTheAPI(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		owner := keyFor(t, h, administrators.Owner)
		const text = `
version: 1
groups: [{slug: staff, name: Staff}]
clients:
  - client_id: grafana
    client_name: Grafana
    redirect_uris: [https://grafana.example.com/callback]
    client_secret: ` + configuredSecret + `
    access: [staff]
`
		plan := owner.must(t, http.StatusOK, http.MethodPost, pathConfiguration+"/plan", file(text))
		if changes := plan.JSON["changes"].([]any); len(changes) != 2 || changes[1].(map[string]any)["id"] != "grafana" {
			t.Error(plan.Text)
		}
		owner.must(t, http.StatusNotFound, http.MethodGet, "/api/v1/clients/grafana", nil)
		digest := plan.JSON["digest"].(string)
		moved := owner.must(t, http.StatusConflict, http.MethodPost, pathConfiguration+"/apply",
			file(text, "plan", digest, "prune", "disable"))
		if moved.code() != "plan.moved" {
			t.Error(moved.Text)
		}
		applied := owner.must(t, http.StatusOK, http.MethodPost, pathConfiguration+"/apply", file(text, "plan", digest))
		again := owner.must(t, http.StatusOK, http.MethodPost, pathConfiguration+"/plan", file(text))
		if len(again.JSON["changes"].([]any)) != 0 {
			t.Error(again.Text)
		}
		exported := owner.must(t, http.StatusOK, http.MethodGet, pathConfiguration, nil)
		if !strings.Contains(exported.JSON["file"].(string), "client_id: grafana") {
			t.Error(exported.Text)
		}
		for _, path := range []string{"/api/v1/groups/staff", "/api/v1/clients/grafana"} {
			if shown := owner.must(t, http.StatusOK, http.MethodGet, path, nil); shown.JSON["declared_by"] != "configuration" {
				t.Errorf("%s: %s", path, shown.Text)
			}
		}
		trail := owner.must(t, http.StatusOK, http.MethodGet, "/api/v1/audit?entity=client", nil)
		if !strings.Contains(trail.Text, `"via":"apply"`) || !strings.Contains(trail.Text, `"actor":"api-key:`) {
			t.Errorf("the audit trail: %s", trail.Text)
		}
		for _, answer := range []answer{plan, applied, exported, trail} {
			if strings.Contains(answer.Text, configuredSecret) {
				t.Errorf("a secret is in %s", answer.Text)
			}
		}

		for _, try := range []struct {
			method, path string
			body         any
			headers      []string
		}{
			{http.MethodPut, "/api/v1/groups/staff", map[string]any{"name": "Other"}, []string{"If-Match", "*"}},
			{http.MethodDelete, "/api/v1/groups/staff", nil, nil},
			{http.MethodPut, "/api/v1/groups/staff/roles/clerk", nil, nil},
			{http.MethodPut, "/api/v1/clients/grafana", map[string]any{
				"client_name": "Other", "redirect_uris": []string{"https://grafana.example.com/callback"},
			}, []string{"If-Match", "*"}},
			{http.MethodDelete, "/api/v1/clients/grafana", nil, nil},
			{http.MethodPost, "/api/v1/clients/grafana/secrets", map[string]any{}, nil},
		} {
			got := owner.must(t, http.StatusConflict, try.method, try.path, try.body, try.headers...)
			if got.code() != "declared.locked" || !strings.Contains(got.Text, "The configuration file of configuration") {
				t.Errorf("%s %s: %s", try.method, try.path, got.Text)
			}
		}
		detach := map[string]any{"kind": "group", "id": "staff"}
		owner.must(t, http.StatusNoContent, http.MethodPost, pathConfiguration+"/detach", detach)
		owner.must(t, http.StatusNotFound, http.MethodPost, pathConfiguration+"/detach", detach)
		owner.must(t, http.StatusOK, http.MethodPut, "/api/v1/groups/staff", map[string]any{"name": "X"}, "If-Match", "*")
	})
}

// Whoever calls from elsewhere reads no file and no variable of this server, nor is a value repeated to them.
func TestFaultsOfConfigurationOverTheAPI(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		owner := keyFor(t, h, administrators.Owner)
		const app = "version: 1\nclients:\n- client_id: x\n  client_name: X\n  redirect_uris: [https://x.example/]\n  "
		for member, want := range map[string]string{
			"client_secret_file: /etc/passwd": "line 6, clients[0].client_secret_file: the server reads no files",
			"client_secret_env: HOME":         "line 6, clients[0].client_secret_env: the server reads no variables",
			"client_secret: [hunter2]":        "line 6, clients[0].client_secret: here must be text",
			"client_secret: hunter2":          "needs a secret of at least 32",
			"client_secrets: hunter2":         "line 6, clients[0]: unknown field client_secrets",
			"Hunter2: hunter2":                "line 6, clients[0]: there is no such field here",
			"\"hunter2":                       "this is not YAML",
		} {
			for _, path := range []string{"/plan", "/apply"} {
				got := owner.must(t, http.StatusUnprocessableEntity, http.MethodPost, pathConfiguration+path, file(app+member))
				if got.code() != "configuration.invalid" || !strings.Contains(got.Text, want) ||
					strings.Contains(strings.ToLower(got.Text), "hunter2") {
					t.Errorf("%s, %s: %s", path, member, got.Text)
				}
			}
		}
		unknown := owner.must(t, http.StatusUnprocessableEntity, http.MethodPost, pathConfiguration+"/apply",
			file(app+"token_endpoint_auth_method: none\n  access: [nobody]"))
		if unknown.code() != "client.invalid" || !strings.Contains(unknown.Text, `no such group: \"nobody\"`) {
			t.Error(unknown.Text)
		}
		owner.must(t, http.StatusNotFound, http.MethodGet, "/api/v1/clients/x", nil)
	})
}

// A file reaches no app by which more may be done than its caller may do.
func TestConfigurationReachesNothingMightier(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		narrow := keyFor(t, h, administrators.Owner, func(k *manage.NewAPIKey) {
			k.Permissions = []manage.Permission{manage.ApplyConfiguration}
		})
		h.AddClient(t, func(c *clients.Client) { c.ID, c.APIs = "powerful", []string{manage.APIOf(h.Issuer)} })
		const app = "version: 1\nclients:\n- client_id: %\n  client_name: X\n  redirect_uris: [https://x.example/]\n" +
			"  client_secret: " + configuredSecret + "\n  apis: ["
		for what, text := range map[string]string{
			"one that is there": strings.Replace(app, "%", "powerful", 1) + "]",
			"a new one":         strings.Replace(app, "%", "new", 1) + h.Issuer + "/api]",
		} {
			for _, path := range []string{"/plan", "/apply"} {
				got := narrow.must(t, http.StatusForbidden, http.MethodPost, pathConfiguration+path, file(text))
				if got.code() != "forbidden.mightier" {
					t.Errorf("%s, %s: %s", what, path, got.Text)
				}
			}
		}
		plain := strings.Replace(app, "%", "x", 1) + "]"
		narrow.must(t, http.StatusOK, http.MethodPost, pathConfiguration+"/apply", file(plain))
		const upstream = "version: 1\nproviders:\n- {kind: google, client_id: x, client_secret: x}"
		narrow.must(t, http.StatusForbidden, http.MethodPost, pathConfiguration+"/apply", file(upstream))
		owner := keyFor(t, h, administrators.Owner)
		owner.must(t, http.StatusOK, http.MethodPost, pathConfiguration+"/apply", file(upstream))
		nothing := file("version: 1", "prune", "delete")
		narrow.must(t, http.StatusForbidden, http.MethodPost, pathConfiguration+"/apply", nothing)
	})
}
