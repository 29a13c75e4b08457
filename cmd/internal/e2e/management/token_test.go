package management

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/administrators"
	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/oidc/dpop/dpoptest"
)

func TestAppThatActsByItself(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		if err := h.DeclareManagement(t.Context()); err != nil {
			t.Fatal(err)
		}
		api := manage.APIOf(h.Issuer)
		app := h.AddClient(t, func(c *clients.Client) {
			c.GrantTypes, c.RedirectURIs, c.APIs = []string{oidc.GrantClientCredentials}, nil, []string{api}
		})
		token := func(scope string) caller {
			got := h.Call(t, "/token", app, url.Values{
				"grant_type": {"client_credentials"}, "resource": {api}, "scope": {scope},
			})
			if got.Status != http.StatusOK {
				t.Fatalf("no token: %d %v", got.Status, got.JSON)
			}
			return caller{h, got.Text("access_token")}
		}
		c := token("users:read clients:read")
		if got := c.must(t, http.StatusForbidden, http.MethodGet, "/api/v1/users", nil); got.code() != "forbidden.role" {
			t.Error(got.Text)
		}
		owner := keyFor(t, h, administrators.Owner)
		role := "/api/v1/administrators/clients/" + app.ID + "/user-manager"
		owner.must(t, http.StatusNoContent, http.MethodPut, role, map[string]any{})
		c.must(t, http.StatusOK, http.MethodGet, "/api/v1/users", nil)
		// The scope bounds the role, and the role the scope.
		got := c.must(t, http.StatusForbidden, http.MethodPost, "/api/v1/users", map[string]any{"username": "dora"})
		if got.code() != "forbidden.scope" || !strings.Contains(got.Header.Get("WWW-Authenticate"), `scope="users:write"`) {
			t.Errorf("%s %v", got.Text, got.Header)
		}
		token("keys:rotate").must(t, http.StatusForbidden, http.MethodPost, "/api/v1/keys", map[string]any{})
		// A role that is taken back refuses the very next call, also at another replica.
		replica := caller{h.Replica(t), c.token}
		replica.must(t, http.StatusOK, http.MethodGet, "/api/v1/users", nil)
		owner.must(t, http.StatusNoContent, http.MethodDelete, role, nil)
		replica.must(t, http.StatusForbidden, http.MethodGet, "/api/v1/users", nil)
		c.must(t, http.StatusForbidden, http.MethodGet, "/api/v1/users", nil)
		// A token for the server itself is none for the API.
		elsewhere := h.AddClient(t, nil)
		plain := h.Call(t, "/token", elsewhere, url.Values{"grant_type": {"client_credentials"}})
		caller{h, plain.Text("access_token")}.must(t, http.StatusUnauthorized, http.MethodGet, "/api/v1/me", nil)
		owner.must(t, http.StatusNoContent, http.MethodDelete, "/api/v1/clients/"+app.ID, nil)
		c.must(t, http.StatusUnauthorized, http.MethodGet, "/api/v1/me", nil)
	})
}

// A token that is bound to a key is good at the API with a proof of that key alone (RFC 9449, section 7.1).
func TestBoundTokenAtTheAPI(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		if err := h.DeclareManagement(t.Context()); err != nil {
			t.Fatal(err)
		}
		api, key, other := manage.APIOf(h.Issuer), dpoptest.NewKey(t), dpoptest.NewKey(t)
		app := h.AddClient(t, func(c *clients.Client) {
			c.GrantTypes, c.RedirectURIs, c.APIs = []string{oidc.GrantClientCredentials}, nil, []string{api}
		})
		got := h.Call(t, "/token", app, url.Values{
			"grant_type": {"client_credentials"}, "resource": {api}, "scope": {"users:read"},
		}, key.Proof(t, http.MethodPost, h.Issuer+"/token", "", nil))
		token, at := got.Text("access_token"), h.Issuer+"/api/v1/me"
		for what, c := range map[string]struct {
			authorization, proof string
			status               int
		}{
			"its holder":        {"DPoP " + token, key.Proof(t, http.MethodGet, at, token, nil), http.StatusOK},
			"another key":       {"DPoP " + token, other.Proof(t, http.MethodGet, at, token, nil), http.StatusUnauthorized},
			"another operation": {"DPoP " + token, key.Proof(t, http.MethodGet, at+"/x", token, nil), http.StatusUnauthorized},
			"a bearer":          {"Bearer " + token, key.Proof(t, http.MethodGet, at, token, nil), http.StatusUnauthorized},
		} {
			request, _ := http.NewRequest(http.MethodGet, at, nil)
			request.Header.Set("Authorization", c.authorization)
			request.Header.Set("DPoP", c.proof)
			if answer := h.Send(t, request); answer.StatusCode != c.status {
				t.Errorf("%s: %s %s", what, answer.Status, answer.Text)
			} else if challenge := answer.Header.Get("WWW-Authenticate"); c.status == 401 && challenge == "" {
				t.Errorf("%s: no challenge: %v", what, answer.Header)
			}
		}
	})
}

func TestPersonByAnApp(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		if err := h.DeclareManagement(t.Context()); err != nil {
			t.Fatal(err)
		}
		api := manage.APIOf(h.Issuer)
		app := h.AddClient(t, func(c *clients.Client) { c.APIs, c.IsTrusted = []string{api}, true })
		owner := keyFor(t, h, administrators.Owner)
		owner.must(
			t,
			http.StatusNoContent,
			http.MethodPut,
			"/api/v1/administrators/users/"+h.User.ID.String()+"/support",
			map[string]any{},
		)
		dora := h.Register(t, identity.NewUser{Username: "dora", Password: harness.Password})
		page := h.NewBrowser(t)
		shown := page.SignIn(t, page.Get(t, h.AuthorizeURL(app, url.Values{
			"resource": {api}, "scope": {"openid users:read users:recover users:erase"},
		})))
		to, err := shown.Location()
		if err != nil {
			t.Fatalf("%s\n%s", shown.Path(), shown.Text)
		}
		tokens := h.Redeem(t, app, to.Query().Get("code"))
		c := caller{h, tokens.Text("access_token")}
		me := c.must(t, http.StatusOK, http.MethodGet, "/api/v1/me", nil)
		if me.JSON["name"] != h.User.Actor() || len(me.JSON["permissions"].([]any)) != 2 {
			t.Errorf("who calls: %s", me.Text)
		}
		c.must(t, http.StatusOK, http.MethodGet, "/api/v1/users/"+dora.ID.String(), nil)
		// What is dangerous takes two factors.
		got := c.must(t, http.StatusUnauthorized, http.MethodPost, "/api/v1/users/"+dora.ID.String()+"/actions/unlock", nil)
		if got.code() != "step_up" ||
			!strings.Contains(got.Header.Get("WWW-Authenticate"), "insufficient_user_authentication") {
			t.Errorf("%s %v", got.Text, got.Header)
		}
		// The token is good here alone, and only as long as its session.
		if info := h.Userinfo(t, c.token); info.Status != http.StatusUnauthorized {
			t.Errorf("userinfo takes a token of the API: %d", info.Status)
		}
		// A browser's session is nobody here.
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.Issuer+"/api/v1/me", nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := page.Client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != http.StatusUnauthorized {
			t.Errorf("a cookie opens the API: %d", response.StatusCode)
		}
		if _, err := h.Identity.Sessions().SignOutEverywhere(t.Context(), h.User.ID, identity.EndedByOperator); err != nil {
			t.Fatal(err)
		}
		c.must(t, http.StatusUnauthorized, http.MethodGet, "/api/v1/me", nil)
	})
}

func TestRoleThatEnds(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		owner := keyFor(t, h, administrators.Owner)
		path := "/api/v1/administrators/users/" + h.User.ID.String() + "/auditor"
		past := owner.must(
			t,
			http.StatusUnprocessableEntity,
			http.MethodPut,
			path,
			map[string]any{"ends_at": h.Manage.Now()},
		)
		if past.code() != "admin_role.ends" {
			t.Error(past.Text)
		}
		owner.must(t, http.StatusNoContent, http.MethodPut, path, map[string]any{"ends_at": h.Manage.Now().Add(time.Hour)})
		store := *h.Manage.Administrators
		if roles, _, err := store.Held(t.Context(), administrators.Person(h.User.ID)); err != nil || len(roles) != 1 {
			t.Errorf("held: %v %v", roles, err)
		}
		store.Now = func() time.Time { return h.Manage.Now().Add(2 * time.Hour) }
		if roles, _, err := store.Held(t.Context(), administrators.Person(h.User.ID)); err != nil || len(roles) != 0 {
			t.Errorf("held after its end: %v %v", roles, err)
		}
		if _, err := store.Grant(t.Context(), administrators.Person(h.User.ID), administrators.Auditor, nil); err != nil {
			t.Errorf("granted again after its end: %v", err)
		}
	})
}
