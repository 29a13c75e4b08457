package protocol

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
)

// RFC 7662 and RFC 7009: who asks about what.
func TestIntrospectionAndRevocationOfBadTokens(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		client, other := h.AddClient(t, nil), h.AddClient(t, nil)
		public := h.AddClient(t, func(c *clients.Client) { c.AuthMethod = clients.AuthNone })
		tokens := h.Redeem(t, client, h.NewBrowser(t).Code(t, client, nil))
		access, refreshToken, id := tokens.Text("access_token"), tokens.Text("refresh_token"), tokens.Text("id_token")
		if got := h.Call(
			t, oidc.PathIntrospect, public, url.Values{"token": {access}},
		); got.Status != http.StatusUnauthorized || got.Text("error") != "invalid_client" {
			t.Errorf("a public client asks: %d %v", got.Status, got.JSON)
		}
		for name, token := range map[string]string{
			"nonsense": "nonsense", "an ID token": id, "a changed token": access[:len(access)-6] + "AAAAAA",
			"no signature":            access[:strings.LastIndexByte(access, '.')+1],
			"another's refresh token": "", "lines": "a\r\nb", "dots": "..",
		} {
			asker := client
			if name == "another's refresh token" {
				asker, token = other, refreshToken
			}
			if got := h.Call(t, oidc.PathIntrospect, asker, url.Values{"token": {token}}); got.Status != http.StatusOK ||
				fmt.Sprint(got.JSON) != "map[active:false]" {
				t.Errorf("introspect %s: %d %v", name, got.Status, got.JSON)
			}
		}
		for _, path := range []string{oidc.PathIntrospect, oidc.PathRevoke} {
			for name, values := range map[string][]string{"missing": nil, "empty": {""}, "doubled": {access, access}, "endless": {strings.Repeat("a", 10<<10)}, "charset": {"\xff"}, "NUL": {"a\x00"}} {
				if got := h.Call(t, path, client, url.Values{"token": values}); got.Status != http.StatusBadRequest ||
					got.Text("error") != "invalid_request" {
					t.Errorf("%s, token %s: %d %v", path, name, got.Status, got.JSON)
				}
			}
		}
		for name, token := range map[string]string{"an access token": access, "a refresh token": refreshToken} {
			if got := h.Call(t, oidc.PathRevoke, other, url.Values{"token": {token}}); got.Status != http.StatusBadRequest ||
				got.Text("error") != "invalid_grant" {
				t.Errorf("another client revokes %s: %d %v", name, got.Status, got.JSON)
			}
		}
		for _, token := range []string{"nonsense", id, "a\r\nb"} { // revoked, as far as anyone can tell
			if got := h.Call(
				t, oidc.PathRevoke, client, url.Values{"token": {token}, "token_type_hint": {"nonsense"}},
			); got.Status != http.StatusOK || len(got.JSON) != 0 {
				t.Errorf("revoke %.20q: %d %v", token, got.Status, got.JSON)
			}
		}
		if got := h.Call(
			t, oidc.PathIntrospect, client, url.Values{"token": {access}, "token_type_hint": {"refresh_token"}},
		); got.JSON["active"] != true {
			t.Errorf("after all that the access token is void: %v", got.JSON)
		}
		if got := h.Refresh(t, client, refreshToken); got.Status != http.StatusOK {
			t.Errorf("after all that the refresh token is void: %v", got.JSON)
		}
	})
}
