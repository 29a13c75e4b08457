package management

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/identity/administrators"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// A client in Go is made from the API's description, as docs/api.md says, and does what it should.
func TestClientInGo(t *testing.T) {
	t.Parallel()
	h := harness.Start(t, storagetest.URL(t, storage.SQLite))
	owner := keyFor(t, h, administrators.Owner)
	folder, from := t.TempDir(), filepath.Join(harness.ClientsFolder, "go")
	write := func(name string, content []byte) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for source, name := range map[string]string{"oapi-codegen.yaml": "oapi-codegen.yaml", "people.go.txt": "people.go"} {
		text, err := os.ReadFile(filepath.Join(from, source))
		if err != nil {
			t.Fatal(err)
		}
		write(name, text)
	}
	response, err := http.Get(h.Issuer + "/api/v1/openapi.json")
	write("openapi.json", []byte(harness.ReadPage(t, response, err).Text))
	if err := os.Mkdir(filepath.Join(folder, "wicket"), 0o700); err != nil {
		t.Fatal(err)
	}
	run := func(arguments ...string) string {
		t.Helper()
		command := exec.CommandContext(t.Context(), "go", arguments...)
		command.Dir = folder
		out, err := command.CombinedOutput()
		if err != nil {
			t.Fatalf("go %s: %v\n%s", strings.Join(arguments, " "), err, out)
		}
		return string(out)
	}
	run("mod", "init", "example.com/people")
	const generator = "github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v2.8.2"
	run("run", generator, "-config", "oapi-codegen.yaml", "openapi.json")
	run("mod", "tidy")
	run("build", "-o", "people", ".")
	command := exec.CommandContext(t.Context(), "./people", h.Issuer, owner.token)
	command.Dir = folder
	if out, err := command.CombinedOutput(); err != nil || string(out) != "Typed Person 1 typed\n" {
		t.Errorf("it says %q, %v", out, err)
	}
}
