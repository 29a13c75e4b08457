package commands

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/manage/configuration"
	"github.com/wicket-id/wicket/oidc/apis"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// APIs are registered, changed, listed and deleted by commands.
func TestAPICommands(t *testing.T) {
	t.Parallel()
	storagetest.EachURL(t, func(t *testing.T, databaseURL string) {
		line, _ := harness.NewCommandLine(t, databaseURL)
		fails := func(code int, want string, arguments ...string) {
			t.Helper()
			p := line.Run(t, "", arguments...)
			if told := p.ErrOut.String(); p.ProcessState.ExitCode() != code || !strings.Contains(told, want) {
				t.Errorf("%v: %s, want the exit status %d and %q\n%s", arguments, p.ProcessState, code, want, told)
			}
		}
		const id = "https://orders.example"
		var api, changed configuration.API
		line.JSON(t, &api, "", "api", "create", "--identifier", id, "--name", "Orders",
			"--scope", "read=Read your orders", "--scope", "write", "--token-lifetime", "5m")
		read := apis.Scope{Name: "read", Words: "Read your orders"}
		if api.Name != "Orders" || len(api.Scopes) != 2 || api.Scopes[0] != read ||
			api.TokenLifetime != 300 || api.TokenType != "at+jwt" || api.Open {
			t.Errorf("created: %+v", api)
		}
		line.JSON(t, &changed, "", "api", "update", id+"/", "--open", "--token-type", "JWT")
		if changed.Name != "Orders" || len(changed.Scopes) != 2 || changed.TokenLifetime != 300 || !changed.Open ||
			changed.TokenType != "JWT" {
			t.Errorf("changed: %+v", changed)
		}
		line.JSON(t, &changed, "", "api", "update", id, "--no-open", "--scope", "read")
		if changed.Open || len(changed.Scopes) != 1 {
			t.Errorf("changed again: %+v", changed)
		}
		var app struct {
			APIs []string `json:"apis"`
		}
		line.JSON(t, &app, "", "client", "create", "--name", "Shop", "--redirect-uri", "https://shop.example/cb", "--api", id+"/")
		if len(app.APIs) != 1 || app.APIs[0] != id {
			t.Errorf("the app: %+v", app)
		}
		var metadata struct {
			Resource string   `json:"resource"`
			Servers  []string `json:"authorization_servers"`
		}
		if line.JSON(t, &metadata, "", "api", "metadata", id); metadata.Resource != id || len(metadata.Servers) != 1 {
			t.Errorf("metadata: %+v", metadata)
		}
		fails(4, "exists already", "api", "create", "--identifier", "HTTPS://orders.example/", "--name", "Again")
		fails(1, "must be an absolute URI", "api", "create", "--identifier", "orders", "--name", "Orders")
		fails(2, "whole seconds", "api", "update", id, "--token-lifetime", "1ms")
		fails(3, "there is no API", "api", "update", "urn:else", "--open")
		fails(3, "there is no API", "api", "metadata", "urn:else")
		fails(3, "there is no API", "client", "create", "--name", "Shop", "--redirect-uri", "https://shop.example/cb", "--api", "urn:else")
		line.JSON(t, &struct{}{}, "", "api", "delete", id)
		fails(3, "there is no API", "api", "delete", id)
		var list []configuration.API
		if line.JSON(t, &list, "", "api", "list"); len(list) != 0 {
			t.Errorf("deleted, and listed: %+v", list)
		}
	})
}

// What is declared is made once, changed where it differs, and read the same when it was printed.
func TestDeclaredAPIs(t *testing.T) {
	t.Parallel()
	line, issuer := harness.NewCommandLine(t, storagetest.URL(t, storage.SQLite))
	file := filepath.Join(t.TempDir(), "apis.yaml")
	declare := func(text string) *harness.Process {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		p := append(line[:len(line):len(line)], "WICKET_APIS_FILE="+file).Serve(t, issuer)
		p.Interrupt(t)
		return p
	}
	const declared = "- {identifier: 'https://orders.example', name: Orders, scopes: [{name: read, words: Read your orders}]}\n" +
		"- {identifier: 'https://tools.example/mcp', name: Tools, open: true}\n"
	if log := declare(declared).ErrOut.String(); !strings.Contains(log, `"created":["https://orders.example","https://tools.example/mcp"]`) {
		t.Errorf("the log: %s", log)
	}
	listed := line.Run(t, "", "api", "list", "-o", "json").Out.String()
	if log := declare(listed).ErrOut.String(); strings.Contains(log, "as declared") {
		t.Errorf("what was printed is not the same: %s\n%s", listed, log)
	}
	if log := declare(strings.Replace(declared, "open: true", "open: false", 1)).ErrOut.String(); !strings.Contains(log, `"changed":["https://tools.example/mcp"]`) {
		t.Errorf("the log: %s", log)
	}
	for text, want := range map[string]string{
		"- {identifier: 'urn:a', nam: A}":                                     `unknown field "nam"`,
		"- {identifier: 'urn:a'}":                                             "the API needs a name",
		"- {identifier: 'urn:a', name: A}\n- {identifier: 'urn:a/', name: B}": "declared twice",
		"- {identifier: 'urn:a', name: A, introspection_clients: [ghost]}":    `there is no client "ghost"`,
		"- {identifier: '" + issuer + "', name: A}":                           "this server's issuer",
	} {
		p := append(line[:len(line):len(line)], "WICKET_APIS="+text).Run(t, "", "serve")
		if told := p.ErrOut.String(); p.ProcessState.ExitCode() != 1 || !strings.Contains(told, "WICKET_APIS: ") ||
			!strings.Contains(told, want) {
			t.Errorf("%s: %s, want the exit status 1 and %q\n%s", text, p.ProcessState, want, told)
		}
	}
}
