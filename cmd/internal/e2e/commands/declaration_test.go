package commands

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/cmd/internal/server"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// Apps that WICKET_CLIENTS_FILE declares are there when the server answers, change with the file, and keep their
// secrets in files of their own. What `wicket client list` prints can be declared as it is.
func TestDeclaredClientsOfTheServer(t *testing.T) {
	t.Parallel()
	storagetest.EachURL(t, func(t *testing.T, databaseURL string) {
		line, issuer := harness.NewCommandLine(t, databaseURL)
		folder := t.TempDir()
		write := func(name, content string) string {
			t.Helper()
			path := filepath.Join(folder, name)
			if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			return path
		}
		secret := storage.NewSecret()
		secretFile := write("secret", secret+"\n")
		line = append(line, "WICKET_CLIENTS_FILE="+write("clients.yaml", `
- client_id: web
  client_name: Web app
  redirect_uris: [https://app.example/callback]
  grant_types: [authorization_code, client_credentials]
  token_endpoint_auth_method: client_secret_post
  scope: openid email
  client_secret_file: `+secretFile+`
- client_id: spa
  client_name: "SPA"
  token_endpoint_auth_method: none
  redirect_uris:
    - https://spa.example/
  jwks_uri: https://spa.example/keys
`))
		h := &harness.Server{Issuer: issuer}
		app := harness.Client{Client: &clients.Client{ID: "web", AuthMethod: clients.AuthPost}, Secret: secret}
		credentials := url.Values{"grant_type": {oidc.GrantClientCredentials}, "scope": {"email"}}
		server := line.Serve(t, issuer)
		if a := h.Call(t, oidc.PathToken, app, credentials); a.Status != http.StatusOK {
			t.Errorf("the declared app asks for a token: %d %v", a.Status, a.JSON)
		}
		server.Interrupt(t)
		server.NoFaults(t)
		if log := server.ErrOut.String(); !strings.Contains(log, `"created":["web","spa"]`) || strings.Contains(log, secret) {
			t.Errorf("the log: %s", log)
		}

		listed := line.Run(t, "", "client", "list", "-o", "json").Out.String()
		write(
			"clients.yaml",
			strings.Replace(listed, `"client_id": "web",`, `"client_id": "web", "client_secret_file": "`+secretFile+`",`, 1),
		)
		again := line.Serve(t, issuer)
		again.Interrupt(t)
		if log := again.ErrOut.String(); strings.Contains(log, "as declared") {
			t.Errorf("the same clients were made again: %s", log)
		}

		renewed := storage.NewSecret()
		write("secret", renewed)
		server = line.Serve(t, issuer)
		if a := h.Call(t, oidc.PathToken, app, credentials); a.Status != http.StatusUnauthorized {
			t.Errorf("the old secret: %d %v", a.Status, a.JSON)
		}
		app.Secret = renewed
		if a := h.Call(t, oidc.PathToken, app, credentials); a.Status != http.StatusOK {
			t.Errorf("the new secret: %d %v", a.Status, a.JSON)
		}
		server.Interrupt(t)
	})
}

// A declaration that is wrong stops the server, which says which client and what.
func TestWrongClientsFile(t *testing.T) {
	t.Parallel()
	line, _ := harness.NewCommandLine(t, storagetest.URL(t, storage.SQLite))
	const valid = "\n- {client_id: spa, client_name: SPA, token_endpoint_auth_method: none, redirect_uris: [https://spa.example/]}"
	for name, c := range map[string]struct{ text, want string }{
		"no YAML":                {"\t- {", "is not YAML"},
		"no YAML, near a secret": {"- client_id: x\n  client_secret: hunter2\n  : {", "something is wrong at line"},
		"no list":                {"clients: []", "must be a list of clients"},
		"a mistyped name": {"- {client_id: x, redirect_uri: https://x.example/}" +
			valid, `client 1, "x": unknown field "redirect_uri"`},
		"a secret in it":     {"- {client_id: x, client_secret: hunter2}" + valid, `unknown field "client_secret"`},
		"a wrong type":       {"- {client_id: x, redirect_uris: https://x.example/}", "redirect_uris"},
		"the same key twice": {"- {client_id: x, client_id: y}", "something is wrong at line 1, column 18"},
		"no such file":       {"- {client_id: x, client_secret_file: /nowhere/secret}", "read client_secret_file: open /nowhere/secret"},
		"metadata":           {"- {client_id: x, client_name: X, token_endpoint_auth_method: none, redirect_uris: [/callback]}" + valid, `client 1, "x": invalid client metadata: `},
	} {
		t.Run(name, func(t *testing.T) {
			p := append(line[:len(line):len(line)], "WICKET_CLIENTS="+c.text).Run(t, "", "serve")
			if told := p.ErrOut.String(); p.ProcessState.ExitCode() != 1 || !strings.Contains(told, "WICKET_CLIENTS: ") ||
				!strings.Contains(told, c.want) || strings.Contains(told, "hunter2") {
				t.Errorf("%s, want the exit status 1 and %q\n%s", p.ProcessState, c.want, told)
			}
		})
	}
	var clients []any
	if line.JSON(t, &clients, "", "client", "list"); len(clients) != 0 {
		t.Errorf("the failures left %v behind", clients)
	}
}

// The example of the documentation is taken as it stands.
func TestDocumentedDeclaration(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../../../docs/declared-clients.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "```yaml\n")
	example, _, found := strings.Cut(rest, "```")
	if !found {
		t.Fatal("there is no example")
	}
	config, err := server.Load(server.Environment{
		"WICKET_DATABASE_URL": "sqlite:" + t.TempDir() + "/wicket.db",
		"WICKET_CLIENTS":      strings.ReplaceAll(example, "/etc/wicket/clients/shop", passwordFile(t, storage.NewSecret())),
	})
	if err != nil {
		t.Fatal(err)
	}
	h := harness.Start(t, storagetest.URL(t, storage.SQLite))
	if created, _, err := h.Clients.Declare(t.Context(), config.Clients); err != nil ||
		strings.Join(created, " ") != "shop pocket" {
		t.Errorf("created %v, %v", created, err)
	}
}
