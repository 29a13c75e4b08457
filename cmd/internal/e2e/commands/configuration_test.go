package commands

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// A file is planned and applied by commands, whose exit code tells what is to do.
func TestConfigurationCommands(t *testing.T) {
	t.Parallel()
	storagetest.EachURL(t, func(t *testing.T, databaseURL string) {
		line, _ := harness.NewCommandLine(t, databaseURL)
		folder := t.TempDir()
		write := func(name, content string) string {
			t.Helper()
			path := filepath.Join(folder, name)
			if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			return path
		}
		runs := func(code int, want string, arguments ...string) string {
			t.Helper()
			p := line.Run(t, "", arguments...)
			if told := p.Out.String() + p.ErrOut.String(); p.ProcessState.ExitCode() != code || !strings.Contains(told, want) {
				t.Errorf("%v: %s, want the exit status %d and %q\n%s", arguments, p.ProcessState, code, want, told)
			}
			return p.Out.String()
		}
		secret := write("grafana", strings.Repeat("s3cret", 8))
		document := `
version: 1
groups: [{slug: staff, name: Staff, roles: [employee]}]
clients:
  - client_id: grafana
    client_name: Grafana
    redirect_uris: [https://grafana.example.com/login/generic_oauth]
    client_secret_file: ` + secret + `
    access: [staff]
apis: [{identifier: "https://orders.example.com", name: Orders}]
`
		file := write("wicket.yaml", document)
		runs(2, "+ client grafana\n", "plan", file)
		var plan struct {
			Digest  string `json:"digest"`
			Changes []struct {
				Kind, ID, Action string
				Entries          []struct {
					Entity, Action string
					New            map[string]any
				}
			} `json:"changes"`
		}
		line.JSON(t, &plan, "", "apply", file)
		if len(plan.Changes) != 3 || plan.Changes[0].ID != "staff" || plan.Changes[0].Action != "created" ||
			plan.Changes[1].Entries[0].New["access"] != "listed" {
			t.Errorf("%+v", plan)
		}
		runs(0, "Nothing to make", "plan", file)

		write("grafana", strings.Repeat("another", 8))
		write("wicket.yaml", strings.NewReplacer(
			"generic_oauth]", "generic_oauth, https://grafana.example.com/2]", "name: Staff", "name: All staff",
		).Replace(document))
		told := runs(2, "~ group staff  name: Staff -> \"All staff\"\n", "plan", file)
		const change = "~ client grafana  redirect_uris + https://grafana.example.com/2  secret: changed\n"
		if !strings.Contains(told, change) || !strings.Contains(told, "2 changes to make; digest ") {
			t.Errorf("told %s", told)
		}
		digest := strings.TrimSpace(told[strings.LastIndex(told, " "):])
		runs(4, "plan again", "apply", "--plan", "another", file)
		runs(0, change, "apply", "--plan", digest, file)

		runs(4, "the configuration configuration declares it", "client", "update", "grafana", "--name", "X")
		runs(0, "- client grafana  (disabled; 0 people)\n", "apply", "--prune", write("none.yaml", "version: 1"))
		runs(0, "is_disabled: true -> false", "apply", file)
		runs(0, "No file declares", "detach", "client", "grafana")
		runs(3, "not found", "detach", "client", "nobody")
		runs(0, "", "client", "update", "grafana", "--name", "X")

		exported := runs(0, "# client_secret_file: grafana", "export")
		if path := write("exported.yaml", exported); !strings.Contains(runs(2, "", "plan", path), "1 change to make") {
			t.Errorf("exported, and not the same:\n%s", exported)
		}

		var schema map[string]any
		if line.JSON(t, &schema, "", "config", "schema"); schema["type"] != "object" {
			t.Errorf("the schema: %v", schema)
		}

		const faulty = "line 3, clients[0].redirect_uris: here must be a list"
		runs(1, faulty, "plan", write("faulty.yaml", "version: 1\nclients:\n- {client_id: x, redirect_uris: s3cret}"))
		runs(1, "unknown flag --what", "plan", "--what", file)
		runs(1, "no such file", "plan", filepath.Join(folder, "nowhere.yaml"))
	})
}
