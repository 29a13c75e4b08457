package operation

import (
	"strings"
	"testing"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// Kill -9 at each step of a device: what it was told, what the person has decided and what it has redeemed holds.
func TestKilledWhileADeviceWaits(t *testing.T) {
	t.Parallel()
	storagetest.EachURL(t, func(t *testing.T, databaseURL string) {
		t.Parallel()
		line, issuer := harness.NewCommandLine(t, databaseURL)
		line.JSON(
			t, &harness.PrintedUser{}, harness.Password, "user", "create", "--username", harness.Username, "--email",
			harness.Email, "--email-verified", "--password-stdin",
		)
		var app struct {
			ID string `json:"client_id"`
		}
		line.JSON(
			t, &app, "", "client", "create", "--name", "Television", "--public", "--grant-type", oidc.GrantDeviceCode,
			"--grant-type", oidc.GrantRefreshToken,
		)
		client, h := harness.Client{Client: &clients.Client{ID: app.ID}}, &harness.Server{Issuer: issuer}
		server := line.Serve(t, issuer)
		restart := func() {
			server.Kill()
			server.NoFaults(t)
			server = line.Serve(t, issuer)
		}
		b := h.NewBrowser(t)
		b.SignIn(t, harness.Page{})
		decide := func(asked harness.Answer, decision, says string) {
			t.Helper()
			done := b.DecideDevice(t, b.Get(t, asked.Text("verification_uri_complete")), decision)
			if !strings.Contains(done.Text, says) {
				t.Fatalf("%s: %s\n%s", decision, done.Status, done.Text)
			}
		}
		asked := h.BeginDevice(t, client, "openid offline_access")
		denied := h.BeginDevice(t, client, "openid offline_access")
		restart() // after they were told their codes
		if told := h.PollDevice(t, client, asked.Text("device_code")); told.Text("error") != "authorization_pending" {
			t.Fatalf("nobody has decided: %d %v", told.Status, told.JSON)
		}
		decide(denied, "deny", "was not connected")
		decide(asked, "approve", "is connected")
		restart() // after the answer
		if told := h.PollDevice(t, client, denied.Text("device_code")); told.Text("error") != "access_denied" {
			t.Errorf("denied before: %d %v", told.Status, told.JSON)
		}
		tokens := h.PollDevice(t, client, asked.Text("device_code"))
		if tokens.Text("refresh_token") == "" {
			t.Fatalf("approved before: %d %v", tokens.Status, tokens.JSON)
		}
		restart() // after the tokens
		if told := h.PollDevice(t, client, asked.Text("device_code")); told.Text("access_token") != "" {
			t.Errorf("a code that was redeemed before gives tokens again: %d", told.Status)
		}
		again := h.Refresh(t, client, tokens.Text("refresh_token"))
		if again.Text("access_token") == "" {
			t.Errorf("the tokens of before: %d %v", again.Status, again.JSON)
		}
		nothingHalfWritten(t, databaseURL)
		server.Interrupt(t)
		server.NoFaults(t)
	})
}
