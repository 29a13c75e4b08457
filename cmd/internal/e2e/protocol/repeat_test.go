package protocol

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
)

// A client that lost the answer to a refresh asks again at once and from where it was. Who does so from elsewhere, or
// later, has stolen the token, or was stolen from: nobody keeps it.
func TestALostAnswerIsRepeatedNearby(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		var passed atomic.Int64
		h = h.Replica(t, func(c *harness.Config) {
			c.TrustedProxies = []string{"127.0.0.1"}
			c.Clock = func() time.Time { return identity.Clock().Add(time.Duration(passed.Load())) }
		})
		refresh := func(client harness.Client, token, from string) string {
			form := url.Values{
				"client_id": {client.ID}, "grant_type": {oidc.GrantRefreshToken}, "refresh_token": {token},
			}
			if client.Secret != "" {
				form.Set("client_secret", client.Secret)
			}
			request, err := http.NewRequest(http.MethodPost, h.Issuer+oidc.PathToken, strings.NewReader(form.Encode()))
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			request.Header.Set("X-Forwarded-For", from)
			var answer struct {
				RefreshToken string `json:"refresh_token"`
			}
			if page := h.Send(t, request); json.Unmarshal([]byte(page.Text), &answer) != nil {
				t.Fatalf("%s\n%s", page.Status, page.Text)
			}
			return answer.RefreshToken
		}
		confidential := h.AddClient(t, nil)
		public := h.AddClient(t, func(c *clients.Client) { c.AuthMethod = clients.AuthNone })
		for name, c := range map[string]struct {
			client        harness.Client
			first, second string
			after         time.Duration
			answered      bool
		}{
			"the same address":         {confidential, "192.0.2.1", "192.0.2.1", 8 * time.Second, true},
			"too late":                 {confidential, "192.0.2.1", "192.0.2.1", 11 * time.Second, false},
			"the same network":         {confidential, "192.0.2.1", "192.0.2.99", 0, true},
			"another network":          {confidential, "192.0.2.1", "192.0.3.1", 0, false},
			"the same /48":             {confidential, "2001:db8:1:1::1", "2001:db8:1:2::1", 0, true},
			"another /48":              {confidential, "2001:db8:1:1::1", "2001:db8:2:1::1", 0, false},
			"a public client":          {public, "192.0.2.1", "192.0.2.1", time.Second, true},
			"a public client, later":   {public, "192.0.2.1", "192.0.2.1", 5 * time.Second, false},
			"a public client far away": {public, "192.0.2.1", "192.0.3.1", 0, false},
		} {
			token := h.Redeem(t, c.client, h.NewBrowser(t).Code(t, c.client, nil)).Text("refresh_token")
			successor := refresh(c.client, token, c.first)
			passed.Add(int64(c.after))
			again := refresh(c.client, token, c.second)
			if successor == "" || again != map[bool]string{true: successor}[c.answered] {
				t.Errorf("%s: answered %t, want %t", name, again != "", c.answered)
			}
			// An app with a secret may have several addresses: it is refused there, and keeps what it has.
			want := c.answered || c.after == 0 && !c.client.IsPublic()
			if lives := refresh(c.client, successor, c.first) != ""; lives != want {
				t.Errorf("%s: the family lives: %t, want %t", name, lives, want)
			}
		}
	})
}
