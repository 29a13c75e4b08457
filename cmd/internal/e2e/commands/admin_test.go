package commands

import (
	"strings"
	"testing"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// Administrators and API keys are made, listed and taken away by commands; a key is printed once.
func TestAdministratorsByCommands(t *testing.T) {
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
		type admin struct {
			Role   string  `json:"role"`
			Name   string  `json:"name"`
			EndsAt *string `json:"ends_at"`
		}
		var ignored map[string]any
		line.JSON(t, &ignored, "", "user", "create", "--username", "ada")
		line.JSON(t, &ignored, "", "client", "create", "--id", "reports", "--name", "Reports", "--grant-type",
			"client_credentials")
		line.JSON(t, &ignored, "", "admin", "grant", "ada", "owner")
		line.JSON(t, &ignored, "", "admin", "grant", "--client", "reports", "auditor", "--for", "8h")
		fails(4, "held already", "admin", "grant", "ada", "owner")
		fails(3, "nobody is registered", "admin", "grant", "bob", "owner")
		fails(3, "no app", "admin", "grant", "--client", "none", "owner")
		fails(1, "one of owner", "admin", "grant", "ada", "king")
		fails(4, "last owner", "admin", "revoke", "ada", "owner")
		fails(4, "not held", "admin", "revoke", "ada", "support")
		var list []admin
		line.JSON(t, &list, "", "admin", "list")
		if len(list) != 2 || list[0].Role != "owner" || list[0].Name != "ada" || list[0].EndsAt != nil ||
			list[1].Name != "Reports" || list[1].EndsAt == nil {
			t.Errorf("listed: %+v", list)
		}

		type key struct {
			ID          string   `json:"id"`
			Key         string   `json:"key"`
			Hint        string   `json:"hint"`
			Permissions []string `json:"permissions"`
			Networks    []string `json:"networks"`
		}
		var made key
		line.JSON(t, &made, "", "api-key", "create", "--name", "ci", "--role", "user-manager", "--permission",
			"users:read,users:write", "--network", "192.0.2.7")
		if !strings.HasPrefix(made.Key, "wkt_") || !strings.HasSuffix(made.Key, made.Hint) || len(made.Permissions) != 2 ||
			made.Networks[0] != "192.0.2.7/32" {
			t.Errorf("made: %+v", made)
		}
		fails(1, "some of those that the role allows", "api-key", "create", "--name", "ci", "--role", "support",
			"--permission", "keys:rotate")
		fails(1, "within two years", "api-key", "create", "--name", "ci", "--role", "support", "--for", "30000h")
		fails(1, "a network is", "api-key", "create", "--name", "ci", "--role", "support", "--network", "everywhere")
		var keys []key
		line.JSON(t, &keys, "", "api-key", "list")
		if len(keys) != 1 || keys[0].ID != made.ID || keys[0].Key != "" {
			t.Errorf("listed: %+v", keys)
		}
		line.JSON(t, &ignored, "", "api-key", "revoke", made.ID)
		fails(3, "no key", "api-key", "revoke", made.ID)

		var entries []struct {
			Entity string `json:"entity"`
			Via    string `json:"via"`
		}
		line.JSON(t, &entries, "", "audit", "list", "--entity", "admin_role")
		if len(entries) != 3 || entries[0].Via != "cli" {
			t.Errorf("the audit trail says %+v", entries)
		}
	})
}
