package upstream

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/storage"
)

// A provider's word is one factor: who has a second one here is asked for it, and the session that begins then is still
// one that came from there.
func TestSecondStepAfterUpstream(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		startUpstream(t, h, anyProvider())
		carol := someone("carol", nil)
		first := h.NewBrowser(t)
		signInFrom(t, first, "oidc", carol)
		if shown := first.Post(t, "/arrival/register", url.Values{"username": {"carol"}}); shown.Path() != "/account" {
			t.Fatalf("registered: %s %s", shown.Status, shown.Request.URL)
		}
		secret, shown := first.AddAuthenticator(t, "")
		if shown.StatusCode != http.StatusOK {
			t.Fatalf("added an app: %s\n%s", shown.Status, shown.Text)
		}

		b, client := h.NewBrowser(t), h.AddClient(t, nil)
		shown = signInUpstream(t, b, b.ToUpstream(t, "oidc", b.Get(t, h.AuthorizeURL(client, nil))), carol)
		if !harness.AsksForCode(shown) || !strings.Contains(shown.Text, client.Name) {
			t.Fatalf("no second step: %s %s\n%s", shown.Status, shown.Request.URL, shown.Text)
		}
		if account := b.Get(t, "/account"); !strings.Contains(account.Text, `id="sign-in"`) {
			t.Error("the provider's word alone opens the account page")
		}
		claims := b.ReachApp(t, client, b.AnswerSecondStep(t, shown, harness.TOTPCode(t, secret, 0)))
		if claims.ACR != identity.ACRMultiFactor || strings.Join(claims.AMR, " ") != "fed otp mfa" {
			t.Errorf("the app is told %+v", claims)
		}
		user, err := h.Identity.Users().Find(t.Context(), "carol")
		if err != nil {
			t.Fatal(err)
		}
		account := h.Linked(t, user)[0]
		mark := storage.NewOneTimeMark("logout token", "1", time.Now().Add(time.Minute))
		if _, err := h.Identity.ExternalAccounts().EndUpstream(
			t.Context(), mark, account.Provider, account.Issuer, account.Subject, "",
		); err != nil {
			t.Fatal(err)
		}
		for name, browser := range map[string]*harness.Browser{"two steps": b, "the one that added the app": first} {
			if shown := browser.Get(t, "/account"); !strings.Contains(shown.Text, `id="sign-in"`) {
				t.Errorf("the provider ended its sessions, but not the one of %s", name)
			}
		}
	})
}

// Linking what came from a provider to an account with two factors asks for both.
func TestLinkingAsksForTheSecondFactor(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		startUpstream(t, h, anyProvider())
		owner := h.NewBrowser(t)
		owner.SignIn(t, harness.Page{})
		secret, _ := owner.AddAuthenticator(t, "")
		b := h.NewBrowser(t)
		signInFrom(t, b, "oidc", someone("alice-there", nil))
		shown := b.SignIn(t, b.Post(t, "/arrival/sign-in", nil))
		if !harness.AsksForCode(shown) {
			t.Fatalf("after the password: %s %s", shown.Status, shown.Request.URL)
		}
		if linked := h.Linked(t, h.User); len(linked) > 0 {
			t.Fatalf("linked after the password alone: %+v", linked)
		}
		if shown = b.AnswerSecondStep(t, shown, harness.TOTPCode(t, secret, 0)); shown.Path() != "/arrival/link" {
			t.Fatalf("after the code: %s %s", shown.Status, shown.Request.URL)
		}
		b.Post(t, "/arrival/link", url.Values{"choice": {"link"}, "continue": {shown.Continue()}})
		if linked := h.Linked(t, h.User); len(linked) != 1 || linked[0].Subject != "alice-there" {
			t.Errorf("linked: %+v", linked)
		}
	})
}
