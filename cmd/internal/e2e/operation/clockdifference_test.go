package operation

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/identity"
)

// Of three replicas one has a clock that is 90 seconds ahead, and one a clock that is 90 seconds late: longer than a
// code lives. Whichever does which step, nobody notices.
func TestReplicasWhoseClocksDiffer(t *testing.T) {
	servers, _ := harness.StartReplicas(t, 1)
	for _, wrong := range []time.Duration{90 * time.Second, -90 * time.Second} {
		servers = append(servers, servers[0].Replica(t, func(c *harness.Config) {
			c.Clock = func() time.Time { return identity.Clock().Add(wrong) }
		}))
	}
	client := servers[0].AddClient(t, nil)
	for _, order := range [][]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
		one, two, three := servers[order[0]], servers[order[1]], servers[order[2]]
		b := one.NewBrowser(t)
		tokens := two.Redeem(t, client, b.Code(t, client, nil))
		refreshed := three.Refresh(t, client, tokens.Text("refresh_token"))
		repeated := one.Refresh(t, client, tokens.Text("refresh_token")) // as if the answer had been lost
		again := two.Refresh(t, client, repeated.Text("refresh_token"))
		for what, a := range map[string]harness.Answer{
			"code": tokens, "refresh": refreshed, "refresh repeated": repeated, "refresh again": again,
		} {
			if a.Status != http.StatusOK {
				t.Errorf("%v: %s: %d %v", order, what, a.Status, a.JSON)
				continue
			}
			issuedAt, _ := harness.TokenClaims(t, a.Text("id_token"))["iat"].(float64)
			if off := time.Since(time.Unix(int64(issuedAt), 0)); off.Abs() > 10*time.Second {
				t.Errorf("%v: %s: apps see an ID token that is %s old", order, what, off)
			}
		}
		if a := three.Userinfo(t, again.Text("access_token")); a.Status != http.StatusOK {
			t.Errorf("%v: userinfo: %d %v", order, a.Status, a.JSON)
		}
		// A sign-in that an app asks for begins on one replica, is done on another one and counts on the first.
		asked := at(t, b, one).Get(t, one.AuthorizeURL(client, url.Values{"prompt": {"login"}}))
		shown := at(t, b, two).Post(t, "/sign-in", url.Values{
			"username": {harness.Username}, "password": {harness.Password}, "continue": {asked.Continue()},
		})
		if location, err := shown.Location(); err != nil || location.Query().Get("code") == "" {
			t.Errorf("%v: signed in again, and shown %s %s", order, shown.Status, shown.Request.URL)
		}
		if at(t, b, three).Post(t, "/account/sign-out-everywhere", nil); isSignedIn(t, at(t, b, one)) {
			t.Errorf("%v: signed in after a global logout", order)
		}
		if a := two.Refresh(t, client, again.Text("refresh_token")); a.Text("error") != "invalid_grant" {
			t.Errorf("%v: refreshed after a global logout: %d %v", order, a.Status, a.JSON)
		}
	}
}
