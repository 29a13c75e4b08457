package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/wicket-id/wicket/identity"
)

// A provider's word is one factor: who has a second one here is asked for it, and the session that begins then is still one
// that came from there.
func TestSecondStepAfterUpstream(t *testing.T) {
	inEachHouse(t, func(t *testing.T, h *openHouse) {
		startUpstream(t, h, anyProvider())
		carol := someone("carol", nil)
		first := h.browser(t)
		signInFrom(t, first, "oidc", carol)
		if shown := first.post(t, "/arrival/register", url.Values{"username": {"carol"}}); shown.at() != "/account" {
			t.Fatalf("registered: %s %s", shown.Status, shown.Request.URL)
		}
		secret, shown := first.addApp(t, "")
		if shown.StatusCode != http.StatusOK {
			t.Fatalf("added an app: %s\n%s", shown.Status, shown.body)
		}

		b, client := h.browser(t), h.client(t, nil)
		shown = signInUpstream(t, b, b.toUpstream(t, "oidc", b.get(t, h.authorizeURL(client, nil))), carol)
		if !asksForCode(shown) || !strings.Contains(shown.body, client.Name) {
			t.Fatalf("no second step: %s %s\n%s", shown.Status, shown.Request.URL, shown.body)
		}
		if account := b.get(t, "/account"); !strings.Contains(account.body, `id="sign-in"`) {
			t.Error("the provider's word alone opens the account page")
		}
		claims := b.reachApp(t, client, b.verify(t, shown, totpCode(t, secret, 0)))
		if claims.ACR != identity.ACRMultiFactor || strings.Join(claims.AMR, " ") != "fed otp mfa" {
			t.Errorf("the app is told %+v", claims)
		}
		user, err := h.Identity.Users().Find(t.Context(), "carol")
		if err != nil {
			t.Fatal(err)
		}
		account := h.linked(t, user)[0]
		if _, err := h.Identity.ExternalAccounts().EndUpstream(t.Context(), account.Provider, account.Issuer, account.Subject, ""); err != nil {
			t.Fatal(err)
		}
		for name, browser := range map[string]*browser{"two steps": b, "the one that added the app": first} {
			if shown := browser.get(t, "/account"); !strings.Contains(shown.body, `id="sign-in"`) {
				t.Errorf("the provider ended its sessions, but not the one of %s", name)
			}
		}
	})
}

// Linking what came from a provider to an account with two factors asks for both.
func TestLinkingAsksForTheSecondFactor(t *testing.T) {
	inEachHouse(t, func(t *testing.T, h *openHouse) {
		startUpstream(t, h, anyProvider())
		owner := h.browser(t)
		owner.signIn(t, page{})
		secret, _ := owner.addApp(t, "")
		b := h.browser(t)
		signInFrom(t, b, "oidc", someone("alice-there", nil))
		shown := b.signIn(t, b.post(t, "/arrival/sign-in", nil))
		if !asksForCode(shown) {
			t.Fatalf("after the password: %s %s", shown.Status, shown.Request.URL)
		}
		if linked := h.linked(t, h.user); len(linked) > 0 {
			t.Fatalf("linked after the password alone: %+v", linked)
		}
		if shown = b.verify(t, shown, totpCode(t, secret, 0)); shown.at() != "/arrival/link" {
			t.Fatalf("after the code: %s %s", shown.Status, shown.Request.URL)
		}
		b.post(t, "/arrival/link", url.Values{"choice": {"link"}, "continue": {shown.held()}})
		if linked := h.linked(t, h.user); len(linked) != 1 || linked[0].Subject != "alice-there" {
			t.Errorf("linked: %+v", linked)
		}
	})
}
