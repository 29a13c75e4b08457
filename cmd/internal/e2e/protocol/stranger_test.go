package protocol

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/apis"
	"github.com/wicket-id/wicket/oidc/authorize"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/oidc/registration"
)

// stranger registers an app as anybody may, with these redirect URIs.
func stranger(t *testing.T, h *harness.Server, redirectURIs ...string) (harness.Client, harness.Answer) {
	t.Helper()
	got := registers(t, h, http.MethodPost, oidc.PathClients, "", metadata{
		"client_name": "Notes", "redirect_uris": redirectURIs, "token_endpoint_auth_method": "client_secret_post",
	})
	if got.Status != http.StatusCreated {
		t.Fatalf("%d %v", got.Status, got.JSON)
	}
	return harness.Client{Client: &clients.Client{ID: got.Text("client_id")}, Secret: got.Text("client_secret")}, got
}

// A person knows an app that nobody vouches for by where it sends them: what they have allowed is for that place alone.
func TestConsentForAStrangerIsForOnePlace(t *testing.T) {
	t.Parallel()
	eachRegistering(t, registration.Open, func(t *testing.T, h *harness.Server) {
		const good, evil = "https://good.example/cb", "https://evil.example/cb"
		both, _ := stranger(t, h, good, evil)
		b := h.NewBrowser(t)
		codeFor(t, b, both, url.Values{"redirect_uri": {good}}, "profile", "email", "offline_access")
		asks := func(name string, client harness.Client, to string) {
			t.Helper()
			silent, err := b.Get(t, h.AuthorizeURL(client, url.Values{"redirect_uri": {to}, "prompt": {"none"}})).Location()
			if err != nil || silent.Query().Get("error") == "" {
				t.Errorf("%s: %v, %v, want an error", name, silent, err)
			}
			if page := b.Get(t, h.AuthorizeURL(client, url.Values{"redirect_uri": {to}})); page.Path() != "/consent" {
				t.Errorf("%s: not asked, but %s", name, page.Path())
			}
		}
		asks("another host of the same app", both, evil)
		if page := b.Get(t, h.AuthorizeURL(both, url.Values{"redirect_uri": {good}})); page.Path() == "/consent" {
			t.Error("asked again for the place that was allowed")
		}
		one, answer := stranger(t, h, good)
		codeFor(t, b, one, url.Values{"redirect_uri": {good}}, "profile", "email", "offline_access")
		token := answer.Text("registration_access_token")
		changed := registers(t, h, http.MethodPut, oidc.PathClients+"/"+one.ID, token, metadata{
			"client_id": one.ID, "redirect_uris": []string{good, evil}, "token_endpoint_auth_method": "client_secret_post",
		})
		if changed.Status != http.StatusOK {
			t.Fatalf("%d %v", changed.Status, changed.JSON)
		}
		asks("after a change", one, good)
		// Who allows a little then does not allow all that was allowed before.
		little := url.Values{"redirect_uri": {good}, "scope": {"openid"}}
		codeFor(t, b, one, little)
		asks("a consent of before the change", one, good)
	})
}

// What an operator lets an app have by a token is all that it gets, whatever it leaves out.
func TestAnAppGetsNoMoreThanItsToken(t *testing.T) {
	t.Parallel()
	eachRegistering(t, registration.Token, func(t *testing.T, h *harness.Server) {
		if err := h.APIs.Create(t.Context(), &apis.API{
			Identifier: orders, Name: "Orders", Scopes: []apis.Scope{{Name: "o:read"}, {Name: "o:admin"}},
		}); err != nil {
			t.Fatal(err)
		}
		_, token, err := h.Registration.CreateToken(t.Context(), "CI", 9, time.Hour, registration.Policy{
			Hosts: []string{"good.example"}, Scopes: []string{"o:read"}, APIs: []string{orders}, MayActForItself: true,
		})
		if err != nil {
			t.Fatal(err)
		}
		app := func(change metadata) metadata {
			m := metadata{
				"redirect_uris": []string{"https://good.example/cb"}, "grant_types": []string{"client_credentials"},
				"token_endpoint_auth_method": "client_secret_post",
			}
			for name, value := range change {
				m[name] = value
			}
			return m
		}
		for _, scope := range []any{nil, "openid", "o:read", "o:admin"} {
			got := registers(t, h, http.MethodPost, oidc.PathClients, token, app(metadata{"scope": scope}))
			if got.Status != http.StatusCreated {
				t.Fatalf("%v: %d %v", scope, got.Status, got.JSON)
			}
			client := harness.Client{Client: &clients.Client{ID: got.Text("client_id")}, Secret: got.Text("client_secret")}
			for asked, want := range map[string]int{"o:read": 200, "o:admin": 400} {
				tokens := h.Call(t, oidc.PathToken, client, url.Values{
					"grant_type": {oidc.GrantClientCredentials}, "scope": {asked},
				})
				if tokens.Status != want {
					t.Errorf("registered for %v, and asks for %s: %d %v", scope, asked, tokens.Status, tokens.JSON)
				}
			}
		}
		for name, change := range map[string]metadata{
			"logout elsewhere":        {"backchannel_logout_uri": "https://evil.example/x"},
			"an app's own scheme":     {"redirect_uris": []string{"com.evil.app:/cb"}},
			"a scheme with that host": {"redirect_uris": []string{"com.evil.app://good.example/cb"}},
			"this machine":            {"redirect_uris": []string{"http://localhost/cb"}},
		} {
			got := registers(t, h, http.MethodPost, oidc.PathClients, token, app(change))
			if got.Status != http.StatusBadRequest {
				t.Errorf("%s: %d %v", name, got.Status, got.JSON)
			}
		}
	})
}

// What a stranger says of itself is bounded, in length and in how often it changes.
func TestStrangersAreBounded(t *testing.T) {
	t.Parallel()
	eachRegistering(t, registration.Open, func(t *testing.T, h *harness.Server) {
		many := make([]string, 400)
		for i := range many {
			many[i] = fmt.Sprintf("https://app.example/%d/%s", i, strings.Repeat("x", 60))
		}
		for name, m := range map[string]metadata{
			"long":                {"redirect_uris": many},
			"an escape sequence":  {"redirect_uris": many[:1], "client_name": "a\x1b[2Jb"},
			"text that runs back": {"redirect_uris": many[:1], "client_name": "a\u202eb"},
			"nothing to be seen":  {"redirect_uris": many[:1], "contacts": []string{"a\u200bb"}},
		} {
			if got := registers(t, h, http.MethodPost, oidc.PathClients, "", m); got.Text("error") != "invalid_client_metadata" {
				t.Errorf("%s: %d %v", name, got.Status, got.JSON)
			}
		}
		client, answer := stranger(t, h, harness.RedirectURI)
		changed, token := 0, answer.Text("registration_access_token")
		for i := range 30 {
			got := registers(t, h, http.MethodPut, oidc.PathClients+"/"+client.ID, token, metadata{
				"client_id": client.ID, "redirect_uris": []string{fmt.Sprintf("https://app.example/%d", i)},
			})
			if got.Status == http.StatusOK {
				changed++
			} else if got.Status != http.StatusTooManyRequests {
				t.Errorf("%d %v", got.Status, got.JSON)
			}
		}
		if changed != 20 {
			t.Errorf("changed %d times of 30, want 20", changed)
		}
	})
}

// Rights at an API that an operator takes away are gone at the next refresh.
func TestRightsAtAnAPICanBeTakenAway(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		addAPIs(t, h, nil)
		client := h.AddClient(t, func(c *clients.Client) { c.APIs = []string{orders} })
		code := codeFor(t, h.NewBrowser(t), client, url.Values{
			"resource": {orders}, "scope": {"openid offline_access read write"},
		}, "offline_access", authorize.AtAPI(orders, "read"), authorize.AtAPI(orders, "write"))
		tokens := h.Redeem(t, client, code)
		if tokens.Text("scope") != "read write" {
			t.Fatalf("%v", tokens.JSON)
		}
		if _, err := h.APIs.Update(t.Context(), orders, func(api *apis.API) { api.Scopes = api.Scopes[:1] }); err != nil {
			t.Fatal(err)
		}
		fewer := h.Refresh(t, client, tokens.Text("refresh_token"))
		if fewer.Text("scope") != "read" {
			t.Errorf("after a scope was removed: %v", fewer.JSON)
		}
		if err := h.APIs.Delete(t.Context(), orders); err != nil {
			t.Fatal(err)
		}
		if err := h.APIs.Create(t.Context(), &apis.API{
			Identifier: orders, Name: "Orders", Scopes: []apis.Scope{{Name: "read"}},
		}); err != nil {
			t.Fatal(err)
		}
		if again := h.Refresh(t, client, fewer.Text("refresh_token")); again.Text("error") != "invalid_target" {
			t.Errorf("at an API that was made anew: %d %v", again.Status, again.JSON)
		}
	})
}
