package commands

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// People are shown, found, renamed, given another password and deleted by commands, and a running server heeds it.
func TestUserCommands(t *testing.T) {
	t.Parallel()
	storagetest.EachURL(t, func(t *testing.T, databaseURL string) {
		line, issuer := harness.NewCommandLine(t, databaseURL)
		server := line.Serve(t, issuer)
		h := &harness.Server{Issuer: issuer}
		fails := func(code int, want, stdin string, arguments ...string) {
			t.Helper()
			p := line.Run(t, stdin, arguments...)
			if told := p.ErrOut.String(); p.ProcessState.ExitCode() != code || !strings.Contains(told, want) {
				t.Errorf("%v: %s, want the exit status %d and %q\n%s", arguments, p.ProcessState, code, want, told)
			}
		}
		var alice, bob harness.PrintedUser
		line.JSON(t, &alice, harness.Password+"\n", "user", "create", "--username", harness.Username,
			"--email", harness.Email, "--email-verified", "--name", "Alice Example", "--role", "clerk", "--password-stdin")
		line.JSON(t, &bob, "", "user", "create", "--username", "bob_1", "--name", "Bob 100% Else")

		var shown struct {
			harness.PrintedUser

			Name        string   `json:"name"`
			Emails      []string `json:"emails"`
			Roles       []string `json:"roles"`
			HasPassword bool     `json:"has_password"`
		}
		line.JSON(t, &shown, "", "user", "show", harness.Email)
		if shown.ID != alice.ID || shown.Name != "Alice Example" || len(shown.Emails) != 1 || len(shown.Roles) != 1 ||
			!shown.HasPassword {
			t.Errorf("shown: %+v", shown)
		}
		for text, want := range map[string]int{
			"LIC": 1, "example": 1, strings.ToUpper(harness.Email): 1, "else": 1, "e": 2, "_": 1, "0%": 1, "%": 1, "nobody": 0,
		} {
			var found []harness.PrintedUser
			if line.JSON(t, &found, "", "user", "search", text); len(found) != want {
				t.Errorf("%q finds %+v, want %d", text, found, want)
			}
		}
		line.JSON(t, &bob, "", "user", "update", "bob_1", "--username", "robert", "--name", "Robert Else")
		line.JSON(t, &shown, "", "user", "show", bob.ID.String())
		if bob.Username != "robert" || shown.Name != "Robert Else" {
			t.Errorf("changed: %+v, %+v", bob, shown)
		}
		fails(4, "taken", "", "user", "update", "robert", "--username", harness.Username)
		fails(2, "name what to change", "", "user", "update", "robert")
		fails(1, "username", "", "user", "update", "robert", "--username", "two words")

		const changed = "a rather different horse"
		line.JSON(t, &alice, changed+"\n", "user", "set-password", harness.Username, "--password-stdin")
		fails(1, "password", "12345\n", "user", "set-password", harness.Username, "--password-stdin")
		fails(2, "--password-stdin", "", "user", "set-password", harness.Username)
		b := h.NewBrowser(t)
		entered := func(password string) bool {
			page := b.Post(t, "/sign-in", url.Values{"username": {harness.Username}, "password": {password}})
			return page.StatusCode == http.StatusOK && strings.Contains(page.Text, `id="sign-out"`)
		}
		if entered(harness.Password) || !entered(changed) {
			t.Error("the old password works, or the new one does not")
		}
		var link struct {
			Link string `json:"link"`
		}
		line.JSON(t, &link, "", "user", "reset-link", harness.Username)
		if !strings.HasPrefix(link.Link, issuer+"/reset-password?token=") {
			t.Fatalf("the link: %+v", link)
		}
		const chosen = "what alice chose herself"
		h.NewBrowser(t).FollowLink(t, link.Link, url.Values{"password": {chosen}})
		if b = h.NewBrowser(t); !entered(chosen) {
			t.Error("the password that was chosen by the link does not work")
		}

		fails(2, "say --yes", "", "user", "delete", "robert")
		line.JSON(t, &struct{}{}, "", "user", "delete", "robert", "--yes")
		line.JSON(t, &struct{}{}, "", "user", "delete", harness.Username, "-y")
		fails(3, "nobody is registered", "", "user", "show", "robert")
		if entered(chosen) || strings.Contains(b.Get(t, "/account").Text, `id="sign-out"`) {
			t.Error("who is deleted is signed in")
		}
		server.Interrupt(t)
		server.NoFaults(t)
	})
}
