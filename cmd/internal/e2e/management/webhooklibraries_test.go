package management

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/identity/administrators"
)

// The libraries of Standard Webhooks for Node.js and for Python verify what a webhook gets, by either of two secrets;
// the receiver of all these tests does so by the one for Go.
func TestLibrariesVerifyEvents(t *testing.T) {
	t.Parallel()
	harness.NeedNPMPackages(t)
	harness.NeedPythonPackages(t)
	withWebhooks(t, func(t *testing.T, h *harness.Server) {
		c, receiver := keyFor(t, h, administrators.Owner), harness.NewWebhookReceiver(t)
		first := makeWebhook(t, c, receiver, "user.created").JSON["secret"].(string)
		second := c.must(t, http.StatusCreated, http.MethodPost, hook+"/secrets", nil).JSON["secret"].(string)
		register(t, h, "bob")
		told := receiver.Wait("user.created")
		headers := map[string]string{}
		for name := range told.Header {
			headers[strings.ToLower(name)] = told.Header.Get(name)
		}
		encoded, err := json.Marshal(headers)
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{first, second} {
			for _, command := range [][]string{
				{"node", "webhook.mjs"}, {filepath.Join("python", ".venv", "bin", "python"), filepath.Join("python", "webhook.py")},
			} {
				script := exec.CommandContext(t.Context(), command[0], command[1:]...)
				script.Dir = harness.ClientsFolder
				script.Env = append(os.Environ(), "SECRET="+secret, "BODY="+told.Body, "HEADERS="+string(encoded),
					"TYPE=user.created")
				out, err := script.CombinedOutput()
				if err != nil {
					t.Errorf("%s: %v\n%s", command[1], err, out)
				}
			}
		}
	})
}
