package commands

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// Commands that do what they were told warn of what may be a mistake, on standard error alone.
func TestCommandWarnings(t *testing.T) {
	t.Parallel()
	line, _ := harness.NewCommandLine(t, storagetest.URL(t, storage.SQLite))
	line.JSON(t, &struct{}{}, "", "api", "create", "--identifier", "urn:orders", "--name", "Orders", "--scope", "read:orders")
	create := []string{"client", "create", "--name", "Shop", "--redirect-uri", "https://shop.example/cb"}
	withoutIssuer := append(line[:len(line):len(line)], "WICKET_ISSUER=")
	for _, c := range []struct {
		line      harness.CommandLine
		arguments []string
		want      string // empty: no warning
	}{
		{line, append(create[:len(create):len(create)], "--scope", "openid,email", "--scope", "read:orders"), ""},
		{line, append(create[:len(create):len(create)], "--scope", "openid,emial"), `the scope "emial" is neither`},
		{line, []string{"user", "create", "--username", "ada", "--email", "ada@example.com", "--email-verified"}, ""},
		{line, []string{"user", "create", "--username", "bob", "--email", "bob@example.com"}, "--email-verified"},
		{line, []string{"user", "invite"}, ""},
		{withoutIssuer, []string{"user", "invite"}, "WICKET_ISSUER is not set here"},
		{line, []string{"user", "reset-link", "ada"}, ""},
		{withoutIssuer, []string{"user", "reset-link", "ada"}, "WICKET_ISSUER is not set here"},
		{line, []string{"version"}, ""},
	} {
		p := c.line.Run(t, "", append(c.arguments, "-o", "json")...)
		told := p.ErrOut.String()
		if p.ProcessState.ExitCode() != 0 || !json.Valid(p.Out.Bytes()) || (told != "") != (c.want != "") ||
			!strings.Contains(told, c.want) {
			t.Errorf("%v: %s, want the warning %q\n%s\n%s", c.arguments, p.ProcessState, c.want, told, &p.Out)
		}
	}
}

// Invitations are listed while they work, and one that is revoked does not.
func TestInvitationCommands(t *testing.T) {
	t.Parallel()
	storagetest.EachURL(t, func(t *testing.T, databaseURL string) {
		line, issuer := harness.NewCommandLine(t, databaseURL)
		server := line.Serve(t, issuer)
		h := &harness.Server{Issuer: issuer}
		var first, second harness.PrintedInvitation
		line.JSON(t, &first, "", "user", "invite", "--email", "dora@example.com", "--role", "clerk")
		line.JSON(t, &second, "", "user", "invite")
		var list []harness.PrintedInvitation
		line.JSON(t, &list, "", "invitation", "list")
		if len(list) < 2 || list[0].ID != second.ID || list[1].ID != first.ID ||
			list[1].Email != "dora@example.com" || list[1].ExpiresAt.Before(time.Now()) || list[1].Link != "" {
			t.Errorf("listed: %+v", list)
		}
		n := len(list)
		line.JSON(t, &struct{}{}, "", "invitation", "revoke", first.ID.String())
		if line.JSON(t, &list, "", "invitation", "list"); len(list) != n-1 || list[0].ID != second.ID {
			t.Errorf("listed after one was revoked: %+v", list)
		}
		for arguments, code := range map[string]int{first.ID.String(): codeNotFound, "one": codeUsage} {
			if p := line.Run(t, "", "invitation", "revoke", arguments); p.ProcessState.ExitCode() != code {
				t.Errorf("revoke %s: %s, want %d\n%s", arguments, p.ProcessState, code, &p.ErrOut)
			}
		}
		if shown := h.NewBrowser(t).Get(t, first.Link); strings.Contains(shown.Text, `id="username"`) {
			t.Errorf("the revoked link shows %s", shown.Status)
		}
		if shown := h.NewBrowser(t).Get(t, second.Link); !strings.Contains(shown.Text, `id="username"`) {
			t.Errorf("the other link shows %s", shown.Status)
		}
		server.Interrupt(t)
		server.NoFaults(t)
	})
}

// A server that cannot send email says at its start what people will miss.
func TestServeWarnsWithoutMail(t *testing.T) {
	t.Parallel()
	for mailServer, warns := range map[string]bool{"": true, "smtp://127.0.0.1:1?from=id@example.com": false} {
		line, issuer := harness.NewCommandLine(t, storagetest.URL(t, storage.SQLite))
		server := append(line, "WICKET_SMTP_URL="+mailServer).Serve(t, issuer)
		server.Interrupt(t)
		if told := strings.Contains(server.ErrOut.String(), "email cannot be sent"); told != warns {
			t.Errorf("WICKET_SMTP_URL=%s: warned %t\n%s", mailServer, told, &server.ErrOut)
		}
	}
}
