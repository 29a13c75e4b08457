package commands

import (
	"strings"
	"testing"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// Initial access tokens are made, listed and revoked by commands; the secret is printed once.
func TestRegistrationTokenCommands(t *testing.T) {
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
		type token struct {
			ID       string `json:"id"`
			Token    string `json:"token"`
			UsesLeft int    `json:"uses_left"`
			Policy   struct {
				Hosts []string `json:"hosts"`
			} `json:"policy"`
		}
		var made token
		line.JSON(t, &made, "", "registration-token", "create", "--name", "CI", "--uses", "5", "--host", ".corp.example")
		if made.Token == "" || made.UsesLeft != 5 || len(made.Policy.Hosts) != 1 {
			t.Errorf("made: %+v", made)
		}
		var list []token
		line.JSON(t, &list, "", "registration-token", "list")
		if len(list) != 1 || list[0].ID != made.ID || list[0].Token != "" {
			t.Errorf("listed: %+v", list)
		}
		fails(2, "good for one app", "registration-token", "create", "--name", "CI", "--uses", "0")
		fails(2, "needs a name", "registration-token", "create", "--name", " ")
		fails(3, "there is no API", "registration-token", "create", "--name", "CI", "--api", "urn:else")
		line.JSON(t, &struct{}{}, "", "registration-token", "revoke", made.ID)
		fails(3, "there is no initial access token", "registration-token", "revoke", made.ID)
		if line.JSON(t, &list, "", "registration-token", "list"); len(list) != 0 {
			t.Errorf("revoked, and listed: %+v", list)
		}
	})
}
