package main

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/wicket-id/wicket/oidc"
)

// Fifty at once: one code gives tokens once, and its family lives on.
func TestParallelRedemptionsOfOneCode(t *testing.T) {
	inEachHouse(t, func(t *testing.T, h *openHouse) {
		client := h.client(t, nil)
		code := h.browser(t).code(t, client, nil)
		answers := atOnce(50, func() answer { return h.redeem(t, client, code) })
		var won []answer
		for _, a := range answers {
			switch {
			case a.status == http.StatusOK:
				won = append(won, a)
			case a.status != http.StatusBadRequest || a.text("error") != "invalid_grant":
				t.Errorf("a loser heard %d %v", a.status, a.json)
			}
		}
		if len(won) != 1 {
			t.Fatalf("%d of 50 redemptions succeeded, want 1", len(won))
		}
		if info := h.userinfo(t, won[0].text("access_token")); info.status != http.StatusOK {
			t.Errorf("the winner's access token: %d %v", info.status, info.json)
		}
		if again := h.refresh(t, client, won[0].text("refresh_token")); again.status != http.StatusOK {
			t.Errorf("the winner's refresh token: %d %v", again.status, again.json)
		}
	})
}

// Fifty at once: one refresh token has one successor, whoever hears of it.
func TestParallelRefreshes(t *testing.T) {
	inEachHouse(t, func(t *testing.T, h *openHouse) {
		client := h.client(t, nil)
		first := h.redeem(t, client, h.browser(t).code(t, client, nil)).text("refresh_token")
		successors := map[string]bool{}
		for _, a := range atOnce(50, func() answer { return h.refresh(t, client, first) }) {
			if a.status != http.StatusOK {
				t.Errorf("%d %v", a.status, a.json)
			}
			successors[a.text("refresh_token")] = true
		}
		if len(successors) != 1 {
			t.Fatalf("one refresh token has %d successors", len(successors))
		}
		for successor := range successors {
			if a := h.refresh(t, client, successor); a.status != http.StatusOK {
				t.Errorf("the successor: %d %v", a.status, a.json)
			}
			// The successor is in use, so the first answer arrived: its predecessor is a copy in the wrong hands.
			if a := h.refresh(t, client, first); a.status != http.StatusBadRequest || a.text("error") != "invalid_grant" {
				t.Errorf("a replayed refresh token: %d %v", a.status, a.json)
			}
			if a := h.refresh(t, client, successor); a.status != http.StatusBadRequest {
				t.Errorf("after the replay the family lives on: %d %v", a.status, a.json)
			}
		}
	})
}

// A code that comes again after its answer ends the family.
func TestReusedCodeEndsItsFamily(t *testing.T) {
	inEachHouse(t, func(t *testing.T, h *openHouse) {
		client := h.client(t, nil)
		code := h.browser(t).code(t, client, nil)
		tokens := h.redeem(t, client, code)
		if again := h.redeem(t, client, code); again.text("error") != "invalid_grant" {
			t.Errorf("the code worked again: %d %v", again.status, again.json)
		}
		if info := h.userinfo(t, tokens.text("access_token")); info.status != http.StatusUnauthorized {
			t.Errorf("the access token still works: %d", info.status)
		}
		if a := h.refresh(t, client, tokens.text("refresh_token")); a.text("error") != "invalid_grant" {
			t.Errorf("the refresh token still works: %d %v", a.status, a.json)
		}
	})
}

// Ending one device ends its tokens alone; signing out everywhere ends all.
func TestEndingSessionsEndsTheirTokens(t *testing.T) {
	inEachHouse(t, func(t *testing.T, h *openHouse) {
		client := h.client(t, nil)
		phone, laptop := h.browser(t), h.browser(t)
		onPhone, onLaptop := h.redeem(t, client, phone.code(t, client, nil)), h.redeem(t, client, laptop.code(t, client, nil))
		sessions, err := h.Identity.Sessions().List(t.Context(), h.user.ID)
		if err != nil || len(sessions) != 2 {
			t.Fatalf("%d sessions, %v", len(sessions), err)
		}
		shown := laptop.get(t, "/account")
		if strings.Count(shown.body, "Test app") != 2 {
			t.Errorf("the account page does not show the app on both devices:\n%s", shown.body)
		}
		for _, session := range sessions { // the one that is not shown as this device is the phone
			laptop.post(t, "/account/devices/end-others", url.Values{"id": {session.ID.String()}})
		}
		if a := h.refresh(t, client, onPhone.text("refresh_token")); a.text("error") != "invalid_grant" {
			t.Errorf("the phone's refresh token lives on: %v", a.json)
		}
		if a := h.userinfo(t, onPhone.text("access_token")); a.status != http.StatusUnauthorized {
			t.Errorf("the phone's access token lives on: %d", a.status)
		}
		if a := h.userinfo(t, onLaptop.text("access_token")); a.status != http.StatusOK {
			t.Errorf("the laptop's access token ended too: %v", a.json)
		}
		renewed := h.refresh(t, client, onLaptop.text("refresh_token"))
		if renewed.status != http.StatusOK {
			t.Fatalf("the laptop's refresh token ended too: %v", renewed.json)
		}
		laptop.post(t, "/account/sign-out-everywhere", url.Values{})
		for name, a := range map[string]answer{
			"refresh token": h.refresh(t, client, renewed.text("refresh_token")),
			"access token":  h.userinfo(t, renewed.text("access_token")),
		} {
			if a.status == http.StatusOK {
				t.Errorf("after signing out everywhere the %s works", name)
			}
		}
		if a := h.call(t, oidc.PathIntrospect, client, url.Values{"token": {renewed.text("access_token")}}); a.json["active"] != false {
			t.Errorf("introspection: %v", a.json)
		}
		if shown := laptop.get(t, "/account"); !strings.Contains(shown.body, `id="sign-in"`) {
			t.Error("the laptop is still signed in")
		}
	})
}

// An account that is switched off is off at once, everywhere.
func TestDisabledAccount(t *testing.T) {
	inEachHouse(t, func(t *testing.T, h *openHouse) {
		client, b := h.client(t, nil), h.browser(t)
		tokens := h.redeem(t, client, b.code(t, client, nil))
		if err := h.Identity.Users().SetActive(t.Context(), h.user.ID, false); err != nil {
			t.Fatal(err)
		}
		if a := h.userinfo(t, tokens.text("access_token")); a.status != http.StatusUnauthorized {
			t.Errorf("userinfo: %d", a.status)
		}
		if a := h.refresh(t, client, tokens.text("refresh_token")); a.text("error") != "invalid_grant" {
			t.Errorf("refresh: %v", a.json)
		}
		if shown := b.signIn(t, page{}); shown.StatusCode != http.StatusUnauthorized {
			t.Errorf("sign-in: %s", shown.Status)
		}
	})
}

// Wrong passwords lock the account for a while, and then the right one is refused with the same words.
func TestWrongPasswordsLock(t *testing.T) {
	inEachHouse(t, func(t *testing.T, h *openHouse) {
		b := h.browser(t)
		wrong := url.Values{"username": {testEmail}, "password": {"wrong password"}}
		var last page
		for range 10 {
			last = b.post(t, "/sign-in", wrong)
		}
		right := b.signIn(t, page{})
		if right.StatusCode != http.StatusUnauthorized || last.StatusCode != http.StatusUnauthorized {
			t.Errorf("wrong: %s, then right: %s", last.Status, right.Status)
		}
		if err := h.Identity.Users().Unlock(t.Context(), h.user.ID); err != nil {
			t.Fatal(err)
		}
		if shown := b.signIn(t, page{}); shown.StatusCode != http.StatusOK || !strings.Contains(shown.body, "Alice Example") {
			t.Errorf("after unlocking: %s", shown.Status)
		}
	})
}

// atOnce calls do from n goroutines that start together.
func atOnce[T any](n int, do func() T) []T {
	start := make(chan struct{})
	results := make([]T, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-start
			results[i] = do()
		})
	}
	close(start)
	wg.Wait()
	return results
}
