package commands

import (
	"fmt"
	"strings"
	"testing"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/storage/storagetest"
)

func TestFactorCommands(t *testing.T) {
	t.Parallel()
	storagetest.EachURL(t, func(t *testing.T, databaseURL string) {
		line, issuer := harness.NewCommandLine(t, databaseURL)
		server := line.Serve(t, issuer)
		line.JSON(
			t, &harness.PrintedUser{}, harness.Password, "user", "create", "--username", harness.Username, "--email",
			harness.Email, "--email-verified", "--password-stdin",
		)
		h := &harness.Server{Issuer: issuer}
		b := h.NewBrowser(t)
		b.SignIn(t, harness.Page{})
		b.AddAuthenticator(t, "")
		var view harness.PrintedFactors
		line.JSON(t, &view, "", "user", "factors", harness.Username)
		if !view.HasPassword || !view.TwoFactor || len(view.Factors) != 1 || view.Factors[0].Kind != "totp" ||
			view.Factors[0].Name != "My phone" {
			t.Errorf("factors: %+v", view)
		}
		if shown := h.NewBrowser(t).SignIn(t, harness.Page{}); !harness.AsksForCode(shown) {
			t.Errorf("no second step: %s", shown.Status)
		}
		var user harness.PrintedUser
		line.JSON(t, &user, "", "user", "reset-factors", harness.Username)
		line.JSON(t, &view, "", "user", "factors", harness.Username)
		if user.SessionVersion != 2 || len(view.Factors) != 0 || view.TwoFactor {
			t.Errorf("after the reset: %+v, %+v", user, view)
		}
		if shown := h.NewBrowser(t).SignIn(t, harness.Page{}); !strings.Contains(shown.Text, `id="sign-out"`) {
			t.Errorf("after the reset a sign-in ends in %s", shown.Status)
		}
		if shown := b.Get(t, "/account"); !strings.Contains(shown.Text, `id="sign-in"`) {
			t.Error("after the reset a session lives on")
		}
		var entries []map[string]any
		line.JSON(t, &entries, "", "audit", "list", "--action", "factors_reset")
		if len(entries) != 1 || !strings.HasPrefix(fmt.Sprint(entries[0]["actor"]), "operator") {
			t.Errorf("the audit trail: %v", entries)
		}
		server.Interrupt(t)
		server.NoFaults(t)
	})
}
