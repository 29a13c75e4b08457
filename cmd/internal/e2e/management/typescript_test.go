package management

import (
	"encoding/json"
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

// Types for TypeScript are made from the API's description, as docs/api.md says; a program with them is checked by its
// compiler, refused by it where the API would refuse it, and does what it should.
func TestTypesForTypeScript(t *testing.T) {
	t.Parallel()
	harness.NeedNPMPackages(t)
	h := harness.Start(t, storagetest.URL(t, storage.SQLite))
	owner := keyFor(t, h, administrators.Owner)
	clients, err := filepath.Abs(harness.ClientsFolder)
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(t.TempDir(), "management")
	if err := os.CopyFS(folder, os.DirFS(filepath.Join(clients, "management"))); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(clients, "node_modules"), filepath.Join(folder, "node_modules")); err != nil {
		t.Fatal(err)
	}
	run := func(program string, arguments ...string) (string, error) {
		command := exec.CommandContext(t.Context(), program, arguments...)
		command.Dir = folder
		out, err := command.CombinedOutput()
		return string(out), err
	}
	tool := func(name string) string { return filepath.Join(clients, "node_modules", ".bin", name) }
	if out, err := run(tool("openapi-typescript"), h.Issuer+"/api/v1/openapi.json", "-o", "wicket.d.ts"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if out, err := run(tool("tsc"), "-p", "."); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	out, err := run("node", "people.mjs", h.Issuer, owner.token)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var told struct {
		Found []string
		Name  string
		Stale string
	}
	if err := json.Unmarshal([]byte(out), &told); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if len(told.Found) != 1 || told.Found[0] != "typed" || told.Name != "Renamed" || told.Stale != "precondition.failed" {
		t.Errorf("it says %+v", told)
	}
	source := filepath.Join(folder, "people.mts")
	text, err := os.ReadFile(source)
	if err != nil {
		t.Fatal(err)
	}
	wrong := strings.Replace(string(text), `username: "typed"`, `usrname: "typed"`, 1)
	if err := os.WriteFile(source, []byte(wrong), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := run(tool("tsc"), "-p", "."); err == nil || !strings.Contains(out, "usrname") {
		t.Errorf("a member that there is none of: %v\n%s", err, out)
	}
}
