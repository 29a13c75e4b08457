package protocol

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
)

// Fifty at once: one code gives tokens once, and its family lives on.
func TestParallelRedemptionsOfOneCode(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		client := h.AddClient(t, nil)
		code := h.NewBrowser(t).Code(t, client, nil)
		answers := harness.AtOnce(50, func() harness.Answer { return h.Redeem(t, client, code) })
		var won []harness.Answer
		for _, a := range answers {
			switch {
			case a.Status == http.StatusOK:
				won = append(won, a)
			case a.Status != http.StatusBadRequest || a.Text("error") != "invalid_grant":
				t.Errorf("a loser heard %d %v", a.Status, a.JSON)
			}
		}
		if len(won) != 1 {
			t.Fatalf("%d of 50 redemptions succeeded, want 1", len(won))
		}
		if info := h.Userinfo(t, won[0].Text("access_token")); info.Status != http.StatusOK {
			t.Errorf("the winner's access token: %d %v", info.Status, info.JSON)
		}
		if again := h.Refresh(t, client, won[0].Text("refresh_token")); again.Status != http.StatusOK {
			t.Errorf("the winner's refresh token: %d %v", again.Status, again.JSON)
		}
	})
}

// Fifty at once: one refresh token has one successor, whoever hears of it.
func TestParallelRefreshes(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		client := h.AddClient(t, nil)
		first := h.Redeem(t, client, h.NewBrowser(t).Code(t, client, nil)).Text("refresh_token")
		successors := map[string]bool{}
		for _, a := range harness.AtOnce(50, func() harness.Answer { return h.Refresh(t, client, first) }) {
			if a.Status != http.StatusOK {
				t.Errorf("%d %v", a.Status, a.JSON)
			}
			successors[a.Text("refresh_token")] = true
		}
		if len(successors) != 1 {
			t.Fatalf("one refresh token has %d successors", len(successors))
		}
		for successor := range successors {
			if a := h.Refresh(t, client, successor); a.Status != http.StatusOK {
				t.Errorf("the successor: %d %v", a.Status, a.JSON)
			}
			// The successor is in use, so the first answer arrived: its predecessor is a copy in the wrong hands.
			if a := h.Refresh(t, client, first); a.Status != http.StatusBadRequest || a.Text("error") != "invalid_grant" {
				t.Errorf("a replayed refresh token: %d %v", a.Status, a.JSON)
			}
			if a := h.Refresh(t, client, successor); a.Status != http.StatusBadRequest {
				t.Errorf("after the replay the family lives on: %d %v", a.Status, a.JSON)
			}
		}
	})
}

// A code that comes again after its answer ends the family.
func TestReusedCodeEndsItsFamily(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		client := h.AddClient(t, nil)
		code := h.NewBrowser(t).Code(t, client, nil)
		tokens := h.Redeem(t, client, code)
		if again := h.Redeem(t, client, code); again.Text("error") != "invalid_grant" {
			t.Errorf("the code worked again: %d %v", again.Status, again.JSON)
		}
		if info := h.Userinfo(t, tokens.Text("access_token")); info.Status != http.StatusUnauthorized {
			t.Errorf("the access token still works: %d", info.Status)
		}
		if a := h.Refresh(t, client, tokens.Text("refresh_token")); a.Text("error") != "invalid_grant" {
			t.Errorf("the refresh token still works: %d %v", a.Status, a.JSON)
		}
	})
}

// Who merely knows a used code, and is not its client, ends nobody's tokens.
func TestForeignReuseOfACodeEndsNothing(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		public := func(c *clients.Client) { c.AuthMethod = clients.AuthNone }
		confidential, native := h.AddClient(t, nil), h.AddClient(t, public)
		other, otherNative := h.AddClient(t, nil), h.AddClient(t, public)
		for name, c := range map[string]struct{ owner, thief harness.Client }{
			"a public client":             {confidential, otherNative},
			"another confidential client": {confidential, other},
			"without the code verifier":   {native, native},
		} {
			code := h.NewBrowser(t).Code(t, c.owner, nil)
			tokens := h.Redeem(t, c.owner, code)
			again := h.Call(t, oidc.PathToken, c.thief, url.Values{
				"grant_type": {oidc.GrantCode}, "code": {code}, "redirect_uri": {c.owner.RedirectURIs[0]},
				"code_verifier": {strings.Repeat("wrong", 10)},
			})
			if again.Text("error") != "invalid_grant" {
				t.Errorf("%s: %d %v", name, again.Status, again.JSON)
			}
			if a := h.Refresh(t, c.owner, tokens.Text("refresh_token")); a.Status != http.StatusOK {
				t.Errorf("%s ends the family: %d %v", name, a.Status, a.JSON)
			}
		}
	})
}

// Ending one device ends its tokens alone; signing out everywhere ends all.
func TestEndingSessionsEndsTheirTokens(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		client := h.AddClient(t, nil)
		phone, laptop := h.NewBrowser(t), h.NewBrowser(t)
		onPhone, onLaptop := h.Redeem(t, client, phone.Code(t, client, nil)), h.Redeem(t, client, laptop.Code(t, client, nil))
		sessions, err := h.Identity.Sessions().List(t.Context(), h.User.ID)
		if err != nil || len(sessions) != 2 {
			t.Fatalf("%d sessions, %v", len(sessions), err)
		}
		shown := laptop.Get(t, "/account/devices")
		if strings.Count(shown.Text, "Test app") != 2 {
			t.Errorf("the account page does not show the app on both devices:\n%s", shown.Text)
		}
		for _, session := range sessions { // the one that is not shown as this device is the phone
			laptop.Post(t, "/account/devices/end-others", url.Values{"id": {session.ID.String()}})
		}
		if a := h.Refresh(t, client, onPhone.Text("refresh_token")); a.Text("error") != "invalid_grant" {
			t.Errorf("the phone's refresh token lives on: %v", a.JSON)
		}
		if a := h.Userinfo(t, onPhone.Text("access_token")); a.Status != http.StatusUnauthorized {
			t.Errorf("the phone's access token lives on: %d", a.Status)
		}
		if a := h.Userinfo(t, onLaptop.Text("access_token")); a.Status != http.StatusOK {
			t.Errorf("the laptop's access token ended too: %v", a.JSON)
		}
		renewed := h.Refresh(t, client, onLaptop.Text("refresh_token"))
		if renewed.Status != http.StatusOK {
			t.Fatalf("the laptop's refresh token ended too: %v", renewed.JSON)
		}
		laptop.Post(t, "/account/sign-out-everywhere", url.Values{})
		for name, a := range map[string]harness.Answer{
			"refresh token": h.Refresh(t, client, renewed.Text("refresh_token")),
			"access token":  h.Userinfo(t, renewed.Text("access_token")),
		} {
			if a.Status == http.StatusOK {
				t.Errorf("after signing out everywhere the %s works", name)
			}
		}
		if a := h.Call(
			t, oidc.PathIntrospect, client, url.Values{"token": {renewed.Text("access_token")}},
		); a.JSON["active"] != false {
			t.Errorf("introspection: %v", a.JSON)
		}
		if shown := laptop.Get(t, "/account"); !strings.Contains(shown.Text, `id="sign-in"`) {
			t.Error("the laptop is still signed in")
		}
	})
}

// An account that is switched off is off at once, everywhere.
func TestDisabledAccount(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		client, b := h.AddClient(t, nil), h.NewBrowser(t)
		tokens := h.Redeem(t, client, b.Code(t, client, nil))
		if err := h.Identity.Users().SetActive(t.Context(), h.User.ID, false); err != nil {
			t.Fatal(err)
		}
		if a := h.Userinfo(t, tokens.Text("access_token")); a.Status != http.StatusUnauthorized {
			t.Errorf("userinfo: %d", a.Status)
		}
		if a := h.Refresh(t, client, tokens.Text("refresh_token")); a.Text("error") != "invalid_grant" {
			t.Errorf("refresh: %v", a.JSON)
		}
		if shown := b.SignIn(t, harness.Page{}); shown.StatusCode != http.StatusUnauthorized {
			t.Errorf("sign-in: %s", shown.Status)
		}
	})
}

// Wrong passwords lock the account for a while, and then the right one is refused with the same words.
func TestWrongPasswordsLock(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		b := h.NewBrowser(t)
		wrong := url.Values{"username": {harness.Email}, "password": {"wrong password"}}
		var last harness.Page
		for range 10 {
			last = b.Post(t, "/sign-in", wrong)
		}
		right := b.SignIn(t, harness.Page{})
		if right.StatusCode != http.StatusUnauthorized || last.StatusCode != http.StatusUnauthorized {
			t.Errorf("wrong: %s, then right: %s", last.Status, right.Status)
		}
		if err := h.Identity.Users().Unlock(t.Context(), h.User.ID); err != nil {
			t.Fatal(err)
		}
		if shown := b.SignIn(t, harness.Page{}); shown.StatusCode != http.StatusOK ||
			!strings.Contains(shown.Text, "Alice Example") {
			t.Errorf("after unlocking: %s", shown.Status)
		}
	})
}
