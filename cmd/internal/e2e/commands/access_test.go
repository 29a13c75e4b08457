package commands

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage/storagetest"
)

type (
	printedSession struct {
		ID       string   `json:"id"`
		Username string   `json:"username"`
		AMR      []string `json:"amr"`
	}
	printedGrant struct {
		ID        string `json:"id"`
		Username  string `json:"username"`
		ClientID  string `json:"client_id"`
		Scope     string `json:"scope"`
		SessionID string `json:"session_id"`
	}
)

// The operator sees where somebody is signed in and what apps hold of them, and ends it.
func TestOperatorEndsSessionsAndGrants(t *testing.T) {
	t.Parallel()
	storagetest.EachURL(t, func(t *testing.T, databaseURL string) {
		t.Parallel()
		line, issuer := harness.NewCommandLine(t, databaseURL)
		server := line.Serve(t, issuer)
		h := &harness.Server{Issuer: issuer}
		line.JSON(
			t, &harness.PrintedUser{}, harness.Password, "user", "create", "--username", harness.Username, "--email",
			harness.Email, "--email-verified", "--password-stdin",
		)
		var made struct {
			ID     string `json:"client_id"`
			Secret string `json:"client_secret"`
		}
		line.JSON(t, &made, "", "client", "create", "--name", "App", "--redirect-uri", harness.RedirectURI,
			"--auth-method", clients.AuthPost)
		app := harness.Client{Client: &clients.Client{ID: made.ID}, Secret: made.Secret}
		var devices []*harness.Browser
		var held []harness.Answer
		for range 3 {
			b := h.NewBrowser(t)
			devices = append(devices, b)
			held = append(held, h.Redeem(t, app, b.Code(t, app, nil)))
		}

		var sessions []printedSession
		var grants, ofClient []printedGrant
		line.JSON(t, &sessions, "", "session", "list", harness.Email)
		line.JSON(t, &grants, "", "grant", "list", harness.Username)
		line.JSON(t, &ofClient, "", "grant", "list", "--client", made.ID)
		if len(sessions) != 3 || len(grants) != 3 || len(ofClient) != 3 || grants[0] != ofClient[0] {
			t.Fatalf("%d sessions, %d grants, %d of the app", len(sessions), len(grants), len(ofClient))
		}
		first := grants[len(grants)-1]
		if first.Username != harness.Username || first.ClientID != made.ID || !strings.Contains(first.Scope, "openid") ||
			sessions[0].Username != harness.Username || len(sessions[0].AMR) == 0 {
			t.Errorf("listed %+v and %+v", first, sessions[0])
		}
		good := func(n int) bool { return h.Userinfo(t, held[n].Text("access_token")).Status == http.StatusOK }
		expect := func(after string, want ...bool) {
			t.Helper()
			for n := range want {
				if got := good(n); got != want[n] {
					t.Errorf("after %s the token of device %d is good: %t", after, n, got)
				}
			}
		}
		line.JSON(t, &map[string]any{}, "", "grant", "revoke", first.ID)
		expect("grant revoke ID", false, true, true)
		if shown := devices[0].Get(t, h.AuthorizeURL(app, nil)); strings.Contains(shown.Text, `id="allow"`) {
			t.Error("one grant was revoked, and the consent is gone")
		}
		line.JSON(t, &map[string]any{}, "", "session", "end", grants[1].SessionID)
		expect("session end ID", false, false, true)
		if shown := devices[1].Get(t, "/account"); !strings.Contains(shown.Text, `id="sign-in"`) {
			t.Error("the session was ended, and its browser is still signed in")
		}
		line.JSON(t, &map[string]any{}, "", "grant", "revoke", "--user", harness.Username, "--client", made.ID)
		expect("grant revoke --user --client", false, false, false)
		if shown := devices[0].Get(t, h.AuthorizeURL(app, nil)); !strings.Contains(shown.Text, `id="allow"`) {
			t.Error("the app need not ask again")
		}
		var ended struct{ Ended int }
		line.JSON(t, &ended, "", "session", "end", "--user", harness.Username)
		line.JSON(t, &sessions, "", "session", "list", harness.Username)
		if ended.Ended != 2 || len(sessions) != 0 {
			t.Errorf("%d sessions ended, %d left", ended.Ended, len(sessions))
		}
		var entries []harness.PrintedEntry
		line.JSON(t, &entries, "", "audit", "list", "--user", harness.Username, "--action", "withdrawn")
		if len(entries) != 1 || !strings.HasPrefix(entries[0].Actor, "operator") {
			t.Errorf("the audit trail of the consent: %+v", entries)
		}
		if shown := h.NewBrowser(t).Post(t, "/sign-in", url.Values{
			"username": {harness.Username}, "password": {harness.Password},
		}); !strings.Contains(shown.Text, `id="sign-out"`) {
			t.Errorf("she cannot come back: %s", shown.Status)
		}
		server.Interrupt(t)
		server.NoFaults(t)
	})
}
