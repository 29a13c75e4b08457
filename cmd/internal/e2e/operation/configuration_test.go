package operation

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// A server makes what its configuration file declares when it starts and when the file changes, and tells what it would
// change.
func TestConfigurationFile(t *testing.T) {
	t.Parallel()
	storagetest.EachURL(t, func(t *testing.T, databaseURL string) {
		folder := t.TempDir()
		write := func(name, content string) (path string) {
			t.Helper()
			path = filepath.Join(folder, name)
			if err := os.WriteFile(path+".new", []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(path+".new", path); err != nil {
				t.Fatal(err)
			}
			return path
		}
		const clients = `version: 1
groups: [{slug: staff}]
clients:
- {client_id: web, client_name: Web, redirect_uris: ["https://web.example/"], client_secret_env: WEB_SECRET, access: [staff]}`
		const spa = "{client_id: spa, client_name: SPA, token_endpoint_auth_method: none, redirect_uris: [\"https://spa.example/\"]}"
		address := fmt.Sprintf("127.0.0.1:%d", harness.FreePort(t))
		beside, issuer := harness.NewCommandLine(t, databaseURL)
		line := append(
			beside[:len(beside):len(beside)], "WICKET_CONFIGURATION_FILE="+write("wicket.yaml", clients),
			"WEB_SECRET="+storage.NewSecret(), "WICKET_METRICS_LISTEN="+address,
		)
		names := func() string {
			var listed []struct {
				Name string `json:"client_name"`
			}
			beside.JSON(t, &listed, "", "client", "list")
			var names []string
			for _, client := range listed {
				names = append(names, client.Name)
			}
			return strings.Join(names, " ")
		}
		server := line.Serve(t, issuer)
		if got := names(); got != "Web" {
			t.Errorf("at first there are %q", got)
		}
		write("wicket.yaml", clients+"\n- "+spa)
		storagetest.Eventually(t, 30*time.Second, "another app is there", func() bool { return names() == "SPA Web" })
		write("wicket.yaml", clients+"\n- {client_id: spa, hunter2: hunter2}")
		storagetest.Eventually(t, 30*time.Second, "the log says what is wrong", func() bool {
			return strings.Contains(server.ErrOut.String(), "WICKET_CONFIGURATION: line 5, clients[1]: unknown field")
		})
		if got := names(); got != "SPA Web" {
			t.Errorf("after a mistake there are %q", got)
		}

		if p := beside.Run(t, "", "client", "update", "spa", "--name", "Other"); p.ProcessState.ExitCode() != 4 {
			t.Errorf("what is declared is changed: %s", p.ProcessState)
		}
		beside.JSON(t, new(any), "", "detach", "client", "spa")
		beside.JSON(t, new(any), "", "client", "update", "spa", "--name", "Other")
		seen := scrape(t, address)
		for kind, want := range map[string]float64{"client": 1, "group": 0, "api": 0} {
			if got := seen.value("wicket_configuration_drift", "kind", kind); got != want {
				t.Errorf("the drift of the kind %s is %v, not %v", kind, got, want)
			}
		}
		server.Interrupt(t)

		write("wicket.yaml", clients+"\n- "+spa)
		server = line.Serve(t, issuer)
		if got := names(); got != "SPA Web" {
			t.Errorf("after the next start there are %q", got)
		}
		server.Interrupt(t)

		twice := append(line[:len(line):len(line)], "WICKET_CLIENTS=["+spa+"]").Run(t, "", "serve")
		const want = `WICKET_CLIENTS: WICKET_CONFIGURATION declares the client "spa", too`
		if told := twice.ErrOut.String(); twice.ProcessState.ExitCode() != 1 || !strings.Contains(told, want) {
			t.Errorf("declared twice: %s\n%s", twice.ProcessState, told)
		}
	})
}
