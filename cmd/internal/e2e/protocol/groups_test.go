package protocol

import (
	"fmt"
	"net/url"
	"reflect"
	"testing"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/groups"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/access"
	"github.com/wicket-id/wicket/oidc/clients"
)

// inGroups makes groups where they are missing, and puts alice into them.
func inGroups(t *testing.T, h *harness.Server, slugs ...string) groups.Store {
	t.Helper()
	store := h.Identity.Groups()
	for _, slug := range slugs {
		if _, err := store.Create(t.Context(), slug, ""); err != nil {
			t.Fatal(err)
		}
		if err := store.Add(t.Context(), slug, h.User.ID); err != nil {
			t.Fatal(err)
		}
	}
	return store
}

// Who asks for groups is told those of the person that its operator wants it to be told, under the name that it knows.
func TestGroupsAreToldAsTheAppIsRegistered(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		store := inGroups(t, h, "staff", "grafana-admins", "grafana-editors", "left")
		if _, err := store.Create(t.Context(), "others", ""); err != nil {
			t.Fatal(err)
		}
		if err := store.Remove(t.Context(), "left", h.User.ID); err != nil {
			t.Fatal(err)
		}
		all := []any{"grafana-admins", "grafana-editors", "staff"}
		b := h.NewBrowser(t)
		for name, c := range map[string]struct {
			change         func(*clients.Client)
			more           url.Values
			claim          string
			token, tellsBy []any // the ID token and userinfo; nil: nothing
		}{
			"all": {nil, nil, "groups", all, all},
			"under another name": {
				func(c *clients.Client) { c.GroupsClaim = "https://example.com/memberOf" }, nil, "https://example.com/memberOf",
				all, all,
			},
			"with a prefix": {
				func(c *clients.Client) { c.GroupsTold = "prefix:grafana-" }, nil, "groups", all[:2], all[:2],
			},
			"with a prefix that is a pattern to a database": {
				func(c *clients.Client) { c.GroupsTold = "prefix:g_afana-" }, nil, "groups", []any{}, []any{},
			},
			"those that may use it": {func(c *clients.Client) {
				c.Access, c.AccessGroups, c.GroupsTold = access.Listed, []string{"staff", "others"}, access.ToldAccess
			}, nil, "groups", all[2:], all[2:]},
			"by userinfo alone": {
				func(c *clients.Client) { c.IDTokenClaims = clients.IDTokenMinimal }, nil, "groups", nil, all,
			},
			"by name": {
				func(c *clients.Client) { c.GroupsClaim, c.IDTokenClaims = "memberOf", clients.IDTokenMinimal },
				url.Values{"scope": {"openid"}, "claims": {`{"id_token":{"memberOf":null}}`}}, "memberOf", all, nil,
			},
			"by the name that it does not use": {
				func(c *clients.Client) { c.GroupsClaim = "memberOf" },
				url.Values{"scope": {"openid"}, "claims": {`{"id_token":{"groups":null}}`}}, "memberOf", nil, nil,
			},
			"not registered for it": {
				func(c *clients.Client) { c.Scopes = []string{"openid", "profile"} }, nil, "groups", nil, nil,
			},
		} {
			client := h.AddClient(t, func(registered *clients.Client) {
				registered.IsTrusted, registered.Scopes = true, []string{"openid", "groups", "offline_access"}
				if c.change != nil {
					c.change(registered)
				}
			})
			asked := url.Values{"scope": {"openid groups offline_access"}}
			if c.more != nil {
				asked = c.more
			}
			answer := h.Redeem(t, client, b.Code(t, client, asked))
			check := func(where string, claims map[string]any, want []any) {
				t.Helper()
				if got, _ := claims[c.claim].([]any); !reflect.DeepEqual(got, want) {
					t.Errorf("%s: %s tells %v, want %v", name, where, got, want)
				}
				if c.claim != oidc.GroupsClaim && claims[oidc.GroupsClaim] != nil {
					t.Errorf("%s: %s tells it under both names: %v", name, where, claims)
				}
			}
			check("the ID token", harness.TokenClaims(t, answer.Text("id_token")), c.token)
			check("userinfo", h.Userinfo(t, answer.Text("access_token")).JSON, c.tellsBy)
			if refresh := answer.Text("refresh_token"); refresh != "" {
				check("a refresh", harness.TokenClaims(t, h.Refresh(t, client, refresh).Text("id_token")), c.token)
			}
		}
	})
}

// People are asked for their groups in words, and who says no is not told of.
func TestGroupsAreAskedFor(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		inGroups(t, h, "staff")
		client := h.AddClient(t, func(c *clients.Client) { c.Scopes = []string{"openid", "groups"} })
		b := h.NewBrowser(t)
		asked := h.AuthorizeURL(client, url.Values{"scope": {"openid groups"}})
		shown := b.SignIn(t, b.Get(t, asked))
		if !contains(shown.Text, "See your groups", `name="scope" value="groups"`) {
			t.Fatalf("the consent page: %s", shown.Text)
		}
		b.Post(t, "/consent", url.Values{"decision": {"allow"}, "continue": {shown.Continue()}}) // but for the groups
		answer := h.Redeem(t, client, b.Code(t, client, url.Values{"scope": {"openid groups"}}))
		if told := h.Userinfo(t, answer.Text("access_token")); told.JSON["sub"] == nil || told.JSON["groups"] != nil {
			t.Errorf("without consent userinfo tells %v", told.JSON)
		}
		shown = b.Get(t, asked+"&prompt=consent")
		shown = b.Post(t, "/consent", url.Values{
			"decision": {"allow"}, "continue": {shown.Continue()}, "scope": {"groups"},
		})
		location, err := shown.Location()
		if err != nil {
			t.Fatal(err)
		}
		answer = h.Redeem(t, client, location.Query().Get("code"))
		if told := h.Userinfo(t, answer.Text("access_token")); !reflect.DeepEqual(told.JSON["groups"], []any{"staff"}) {
			t.Errorf("with consent userinfo tells %v", told.JSON)
		}
	})
}

// An ID token has to fit into cookies: of somebody with very many groups, userinfo alone tells them.
func TestVeryManyGroupsAreToldByUserinfoAlone(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		slugs := make([]string, 200)
		for i := range slugs {
			slugs[i] = fmt.Sprintf("group-%03d", i)
		}
		inGroups(t, h, slugs...)
		client := h.AddClient(t, func(c *clients.Client) {
			c.IsTrusted, c.Scopes = true, []string{"openid", "groups"}
		})
		b := h.NewBrowser(t)
		for _, c := range []struct {
			more          string
			token, byInfo int
		}{{"", 200, 200}, {"one-more", 0, 201}} {
			if c.more != "" {
				inGroups(t, h, c.more)
			}
			answer := h.Redeem(t, client, b.Code(t, client, url.Values{"scope": {"openid groups"}}))
			token, _ := harness.TokenClaims(t, answer.Text("id_token"))["groups"].([]any)
			byInfo, _ := h.Userinfo(t, answer.Text("access_token")).JSON["groups"].([]any)
			if len(token) != c.token || len(byInfo) != c.byInfo {
				t.Errorf("the ID token tells %d, want %d, and userinfo %d, want %d", len(token), c.token, len(byInfo), c.byInfo)
			}
		}
	})
}

// The roles of a group are those of its people, wherever roles count.
func TestRolesOfGroupsAreRoles(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		store := inGroups(t, h, "staff", "clerks")
		for slug, role := range map[string]string{"staff": "employee", "clerks": "clerk"} {
			if err := store.GrantRole(t.Context(), slug, role); err != nil {
				t.Fatal(err)
			}
		}
		for _, role := range []string{"admin", "clerk"} {
			if err := h.Identity.Roles().Grant(t.Context(), h.User.ID, role); err != nil {
				t.Fatal(err)
			}
		}
		client := h.AddClient(t, func(c *clients.Client) {
			c.IsTrusted, c.Scopes = true, []string{"openid", "roles"}
		})
		b := h.NewBrowser(t)
		tells := func(want ...any) {
			t.Helper()
			answer := h.Redeem(t, client, b.Code(t, client, url.Values{"scope": {"openid roles"}}))
			for where, claims := range map[string]map[string]any{
				"the ID token": harness.TokenClaims(t, answer.Text("id_token")),
				"userinfo":     h.Userinfo(t, answer.Text("access_token")).JSON,
			} {
				if !reflect.DeepEqual(claims["roles"], want) {
					t.Errorf("%s tells the roles %v, want %v", where, claims["roles"], want)
				}
			}
		}
		tells("admin", "clerk", "employee")
		if err := store.RevokeRole(t.Context(), "clerks", "clerk"); err != nil {
			t.Fatal(err)
		}
		if err := store.Remove(t.Context(), "staff", h.User.ID); err != nil {
			t.Fatal(err)
		}
		tells("admin", "clerk") // of their own
	})
}

// The operator's rule of two factors is about those who hold a role by a group, too.
func TestTwoFactorsAreDemandedOfRolesOfGroups(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		rule := identity.TwoFactorRule{Roles: []string{"clerk"}}
		ruled := h.Replica(t, func(c *harness.Config) { c.TwoFactors = rule })
		store := inGroups(t, h, "clerks")
		client := ruled.AddClient(t, nil)
		b := ruled.NewBrowser(t)
		tokens := ruled.Redeem(t, client, b.Code(t, client, nil))
		if err := store.GrantRole(t.Context(), "clerks", "clerk"); err != nil {
			t.Fatal(err)
		}
		if shown := b.Get(t, "/account"); shown.Path() != "/enrol" {
			t.Errorf("the account by one factor: at %s", shown.Path())
		}
		if a := ruled.Refresh(t, client, tokens.Text("refresh_token")); a.Text("error") != "invalid_grant" {
			t.Errorf("a refresh by one factor: %v", a.JSON)
		}
		if err := store.Remove(t.Context(), "clerks", h.User.ID); err != nil {
			t.Fatal(err)
		}
		if shown := b.Get(t, "/account"); shown.Path() != "/account" {
			t.Errorf("the account of who is no clerk: at %s", shown.Path())
		}
	})
}
