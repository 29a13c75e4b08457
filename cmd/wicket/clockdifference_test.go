package main

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/wicket-id/wicket/identity"
)

// Of three replicas one has a clock that is 90 seconds ahead, and one a clock that is 90 seconds late: longer than a code lives. Whichever
// does which step, nobody notices.
func TestReplicasWhoseClocksDiffer(t *testing.T) {
	houses, _ := openReplicas(t, 1)
	for _, wrong := range []time.Duration{90 * time.Second, -90 * time.Second} {
		houses = append(houses, houses[0].replica(t, func(c *configuration) {
			c.Clock = func() time.Time { return identity.Clock().Add(wrong) }
		}))
	}
	client := houses[0].client(t, nil)
	for _, order := range [][]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
		one, two, three := houses[order[0]], houses[order[1]], houses[order[2]]
		b := one.browser(t)
		tokens := two.redeem(t, client, b.code(t, client, nil))
		refreshed := three.refresh(t, client, tokens.text("refresh_token"))
		repeated := one.refresh(t, client, tokens.text("refresh_token")) // as if the answer had been lost
		again := two.refresh(t, client, repeated.text("refresh_token"))
		for what, a := range map[string]answer{"code": tokens, "refresh": refreshed, "refresh repeated": repeated, "refresh again": again} {
			if a.status != http.StatusOK {
				t.Errorf("%v: %s: %d %v", order, what, a.status, a.json)
				continue
			}
			issuedAt, _ := claimsOf(t, a.text("id_token"))["iat"].(float64)
			if off := time.Since(time.Unix(int64(issuedAt), 0)); off.Abs() > 10*time.Second {
				t.Errorf("%v: %s: apps see an ID token that is %s old", order, what, off)
			}
		}
		if a := three.userinfo(t, again.text("access_token")); a.status != http.StatusOK {
			t.Errorf("%v: userinfo: %d %v", order, a.status, a.json)
		}
		// A sign-in that an app asks for begins on one replica, is done on another one and counts on the first.
		asked := at(t, b, one).get(t, one.authorizeURL(client, url.Values{"prompt": {"login"}}))
		shown := at(t, b, two).post(t, "/sign-in", url.Values{"username": {testUsername}, "password": {testPassword}, "continue": {asked.held()}})
		if location, err := shown.Location(); err != nil || location.Query().Get("code") == "" {
			t.Errorf("%v: signed in again, and shown %s %s", order, shown.Status, shown.Request.URL)
		}
		if at(t, b, three).post(t, "/account/sign-out-everywhere", nil); isSignedIn(t, at(t, b, one)) {
			t.Errorf("%v: signed in after a global logout", order)
		}
		if a := two.refresh(t, client, again.text("refresh_token")); a.text("error") != "invalid_grant" {
			t.Errorf("%v: refreshed after a global logout: %d %v", order, a.status, a.json)
		}
	}
}
