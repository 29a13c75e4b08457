package management

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/identity/administrators"
)

func TestClientsOverTheAPI(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		c := keyFor(t, h, administrators.AppManager)
		const path = "/api/v1/clients/grafana"
		wanted := map[string]any{"client_name": "Grafana", "redirect_uris": []string{"https://grafana.example/login"}}
		got := c.must(t, http.StatusPreconditionRequired, http.MethodPut, path, wanted)
		if got.code() != "precondition.required" {
			t.Error(got.Text)
		}
		made := c.must(t, http.StatusCreated, http.MethodPut, path, wanted, "If-None-Match", "*")
		secret, _ := made.JSON["client_secret"].(string)
		if secret == "" || made.JSON["client_id"] != "grafana" || made.JSON["registered_by"] != "operator" {
			t.Errorf("made as %s", made.Text)
		}
		again := c.must(t, http.StatusPreconditionFailed, http.MethodPut, path, wanted, "If-None-Match", "*")
		if again.code() != "precondition.exists" {
			t.Error(again.Text)
		}
		shown := c.must(t, http.StatusOK, http.MethodGet, path, nil)
		if shown.JSON["client_secret"] != nil || strings.Contains(shown.Text, secret) {
			t.Errorf("the secret is shown again: %s", shown.Text)
		}
		// What was read can be sent back, and changes nothing.
		same := c.must(t, http.StatusOK, http.MethodPut, path, shown.Text, "If-Match", shown.Header.Get("ETag"))
		if same.Text != shown.Text || same.Header.Get("ETag") != shown.Header.Get("ETag") {
			t.Errorf("sent back as it was, it became\n%s\n%s", same.Text, shown.Text)
		}
		wanted["client_name"] = "Grafana of the second floor"
		after := c.must(t, http.StatusOK, http.MethodPut, path, wanted, "If-Match", shown.Header.Get("ETag"))
		if after.JSON["client_name"] != wanted["client_name"] {
			t.Error(after.Text)
		}
		c.must(t, http.StatusPreconditionFailed, http.MethodPut, path, wanted, "If-Match", shown.Header.Get("ETag"))
		c.must(t, http.StatusOK, http.MethodPut, path, wanted, "If-Match", "*")
		for what, wrong := range map[string]string{
			`/redirect_uri`:  `{"client_name":"x","redirect_uri":"https://x.example"}`,
			`/redirect_uris`: `{"client_name":"x","redirect_uris":"https://x.example"}`,
			``:               `{"client_name":"x","redirect_uris":["javascript:alert(1)"]}`,
		} {
			got := c.must(t, http.StatusUnprocessableEntity, http.MethodPut, path, wrong, "If-Match", "*")
			if what != "" && !strings.Contains(got.Text, `"pointer":"`+what+`"`) {
				t.Errorf("%s: %s", wrong, got.Text)
			}
			if strings.Contains(got.Text, "x.example") {
				t.Errorf("what was sent is repeated: %s", got.Text)
			}
		}
		rotated := c.must(t, http.StatusCreated, http.MethodPost, path+"/secrets", map[string]any{"keep_old_seconds": 0})
		if rotated.JSON["client_secret"] == secret || rotated.JSON["previous_secret_until"] != nil {
			t.Error(rotated.Text)
		}
		listed := c.must(t, http.StatusOK, http.MethodGet, "/api/v1/clients?q=graf", nil)
		if len(listed.JSON["items"].([]any)) != 1 {
			t.Error(listed.Text)
		}
		c.must(t, http.StatusNoContent, http.MethodDelete, path, nil)
		c.must(t, http.StatusNotFound, http.MethodGet, path, nil)
	})
}

func TestAPIsOverTheAPI(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		if err := h.DeclareManagement(t.Context()); err != nil {
			t.Fatal(err)
		}
		c := keyFor(t, h, administrators.Owner)
		path := "/api/v1/apis/" + url.PathEscape("https://orders.example/v1")
		wanted := map[string]any{
			"name":   "Orders",
			"scopes": []map[string]any{{"name": "read", "words": "Read your orders"}},
		}
		made := c.must(t, http.StatusCreated, http.MethodPut, path, wanted, "If-None-Match", "*")
		if made.JSON["identifier"] != "https://orders.example/v1" || made.JSON["token_type"] != "at+jwt" {
			t.Error(made.Text)
		}
		shown := c.must(t, http.StatusOK, http.MethodGet, path, nil)
		wanted["open"] = true
		c.must(t, http.StatusOK, http.MethodPut, path, wanted, "If-Match", shown.Header.Get("ETag"))
		c.must(t, http.StatusPreconditionFailed, http.MethodPut, path, wanted, "If-Match", shown.Header.Get("ETag"))
		c.must(t, http.StatusNoContent, http.MethodDelete, path, nil)
		c.must(t, http.StatusNotFound, http.MethodGet, path, nil)
		own := "/api/v1/apis/" + url.PathEscape(h.Issuer+"/api")
		for _, got := range []answer{
			c.call(t, http.MethodPut, own, wanted, "If-Match", "*"), c.call(t, http.MethodDelete, own, nil),
		} {
			if got.Status != http.StatusConflict || got.code() != "api.own" {
				t.Errorf("the server's own API: %d %s", got.Status, got.Text)
			}
		}
	})
}
