//go:build schemathesis

package management

import (
	"os"
	"os/exec"
	"testing"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/identity/administrators"
	"github.com/wicket-id/wicket/manage"
)

// A program that reads the API's own description calls all of it, in ways that are right and wrong, by a key for each
// administrative role and by one that may do little: no fault of ours, no status and no answer that is not described.
// It is make test-api, for it takes ten minutes.
func TestTheDescriptionIsTrue(t *testing.T) {
	program := os.Getenv("WICKET_TEST_SCHEMATHESIS")
	if program == "" {
		t.Fatal("WICKET_TEST_SCHEMATHESIS must be the path of schemathesis; make test-api installs it")
	}
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		narrow := func(k *manage.NewAPIKey) { k.Permissions = []manage.Permission{manage.ReadUsers} }
		callers := map[string]caller{"narrow": keyFor(t, h, administrators.Owner, narrow)}
		for _, role := range administrators.Names {
			callers[role] = keyFor(t, h, role)
		}
		for role, c := range callers {
			run := exec.CommandContext(t.Context(), program, "run", h.Issuer+"/api/v1/openapi.json",
				"--header", "Authorization: Bearer "+c.token, "--max-examples", "10", "--suppress-health-check", "all",
				"--checks", "not_a_server_error,status_code_conformance,content_type_conformance,"+
					"response_schema_conformance,response_headers_conformance,ignored_auth,unsupported_method",
				// or it would take its own key away
				"--exclude-operation-id", "revoke-api-key", "--request-timeout", "60", "--no-color")
			run.Dir = t.TempDir()
			if told, err := run.CombinedOutput(); err != nil {
				t.Errorf("%s: %v\n%s", role, err, told)
			} else {
				t.Logf("%s: %s", role, lastLines(told, 12))
			}
		}
	})
}

// lastLines is the end of a text.
func lastLines(text []byte, n int) string {
	at := len(text)
	for ; at > 0 && n >= 0; at-- {
		if text[at-1] == '\n' {
			n--
		}
	}
	return string(text[at:])
}
