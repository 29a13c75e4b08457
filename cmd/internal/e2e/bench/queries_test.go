package bench

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/access"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// The cost of each way is a promise (docs/architecture.md): so many reads and so many transactions, and no more.
func TestQueriesOfEachWay(t *testing.T) { testQueriesOfEachWay(t, false) }

// That programs elsewhere are told of what happens takes none more.
func TestQueriesOfEachWayWhereSomebodyListens(t *testing.T) { testQueriesOfEachWay(t, true) }

func testQueriesOfEachWay(t *testing.T, listens bool) {
	t.Helper()
	storagetest.EachURL(t, func(t *testing.T, databaseURL string) {
		storagetest.Unrehearsed(t, databaseURL)
		h := harness.Start(t, databaseURL)
		if listens {
			h.SQL(t, "INSERT INTO event_feed (id, is_on, last_sequence) VALUES (1, TRUE, 0)")
		}
		client, b := h.AddClient(t, nil), h.NewBrowser(t)
		minimal := func(c *clients.Client) { c.IsTrusted, c.IDTokenClaims = true, clients.IDTokenMinimal }
		terse, byName := h.AddClient(t, minimal), h.AddClient(t, minimal)
		roles := h.AddClient(t, func(c *clients.Client) { c.IsTrusted, c.Scopes = true, []string{"openid", "roles"} })
		pairwise := h.AddClient(t, func(c *clients.Client) {
			c.IsTrusted, c.SubjectType, c.RedirectURIs = true, clients.SubjectPairwise, []string{pairwiseURI}
		})
		listed := h.AddClient(t, func(c *clients.Client) {
			c.IsTrusted, c.Scopes = true, []string{"openid", "groups", "offline_access"}
			c.Access, c.AccessGroups, c.GroupsTold = access.Listed, inGroup(t, h, "staff"), access.ToldAccess
		})
		groups := url.Values{"scope": {"openid groups offline_access"}}
		toPairwise := url.Values{"redirect_uri": {pairwiseURI}}
		scope := url.Values{"scope": {"openid roles"}}
		claims := url.Values{"claims": {`{"id_token":{"name":null},"userinfo":{"birthdate":null}}`}}
		b.Code(t, client, nil) // signs in and consents
		b.Code(t, terse, nil)
		b.Code(t, byName, nil)
		b.Code(t, roles, scope)
		b.Code(t, pairwise, toPairwise)
		b.Code(t, listed, groups)
		approved := h.BeginDevice(t, client, "openid profile")
		b.DecideDevice(t, b.Get(t, approved.Text("verification_uri_complete")), "approve")
		counter := &queryCounter{}
		h.Database.Observe(counter)
		var code, pushed string
		var tokens, device harness.Answer
		for _, way := range []struct {
			name                string
			reads, transactions int
			once                func()
		}{
			{"authorize", 1, 1, func() { code = b.Code(t, client, nil) }},
			{"PAR", 0, 1, func() { pushed = h.PushedURL(t, client, nil) }},
			{"authorize by PAR", 2, 1, func() { b.Get(t, pushed) }},
			{"code", 1, 1, func() { tokens = h.Redeem(t, client, code) }},
			{"refresh", 1, 1, func() { tokens = h.Refresh(t, client, tokens.Text("refresh_token")) }},
			{"userinfo", 1, 0, func() { h.Userinfo(t, tokens.Text("access_token")) }},
			{"introspection", 1, 0, func() {
				h.Call(t, oidc.PathIntrospect, client, url.Values{"token": {tokens.Text("access_token")}})
			}},
			{"client credentials", 0, 0, func() {
				h.Call(t, oidc.PathToken, client, url.Values{"grant_type": {"client_credentials"}})
			}},
			{"authorize, minimal", 1, 1, func() { code = b.Code(t, terse, nil) }},
			{"code without claims", 1, 1, func() { tokens = h.Redeem(t, terse, code) }},
			{"authorize, claims by name", 1, 1, func() { code = b.Code(t, byName, claims) }},
			{"code with claims by name alone", 2, 1, func() { tokens = h.Redeem(t, byName, code) }},
			{"userinfo by name", 1, 0, func() { h.Userinfo(t, tokens.Text("access_token")) }},
			{"authorize, roles", 1, 1, func() { code = b.Code(t, roles, scope) }},
			{"code with roles", 1, 1, func() { tokens = h.Redeem(t, roles, code) }},
			{"userinfo with roles", 1, 0, func() { h.Userinfo(t, tokens.Text("access_token")) }},
			{"authorize, for a group", 1, 1, func() { code = b.Code(t, listed, groups) }},
			{"code with groups", 1, 1, func() { tokens = h.Redeem(t, listed, code) }},
			{"refresh with groups", 1, 1, func() { tokens = h.Refresh(t, listed, tokens.Text("refresh_token")) }},
			{"userinfo with groups", 1, 0, func() { h.Userinfo(t, tokens.Text("access_token")) }},
			{"introspection, for a group", 1, 0, func() {
				h.Call(t, oidc.PathIntrospect, listed, url.Values{"token": {tokens.Text("access_token")}})
			}},
			{"authorize, pairwise", 1, 1, func() { code = b.Code(t, pairwise, toPairwise) }},
			{"code, pairwise, of somebody whom the app does not know yet", 2, 2, func() {
				tokens = h.Call(t, oidc.PathToken, pairwise, codeAt(code, pairwiseURI))
			}},
			{"refresh, pairwise", 1, 1, func() { tokens = h.Refresh(t, pairwise, tokens.Text("refresh_token")) }},
			{"authorize, pairwise, with a hint", 1, 1, func() {
				hint := url.Values{"redirect_uri": {pairwiseURI}, "id_token_hint": {tokens.Text("id_token")}}
				code = b.Code(t, pairwise, hint)
			}},
			{"code, pairwise", 1, 1, func() { tokens = h.Call(t, oidc.PathToken, pairwise, codeAt(code, pairwiseURI)) }},
			{"userinfo, pairwise", 1, 0, func() { h.Userinfo(t, tokens.Text("access_token")) }},
			{"device authorization", 0, 1, func() { device = h.BeginDevice(t, client, "openid") }},
			{"device code, not decided yet", 1, 0, func() { h.PollDevice(t, client, device.Text("device_code")) }},
			{"device code", 2, 1, func() { h.PollDevice(t, client, approved.Text("device_code")) }},
			{"discovery", 0, 0, func() { b.Get(t, oidc.PathConfiguration) }},
			{"jwks", 0, 0, func() { b.Get(t, oidc.PathJWKS) }},
			{"logout, of which no app wants to be told", 1, 1, func() {
				b.Get(t, oidc.PathLogout+"?id_token_hint="+tokens.Text("id_token"))
			}},
		} {
			counter.reset()
			way.once()
			if several := counter.scripts(); len(several) > 0 {
				t.Errorf("%s: several statements, want one for each read and transaction:\n%s", way.name, several)
			}
			reads, transactions := counter.counted(h.Database.Kind)
			if reads != way.reads || transactions != way.transactions {
				t.Errorf(
					"%s: %d reads and %d transactions, want %d and %d:\n%s", way.name, reads, transactions, way.reads,
					way.transactions, strings.Join(counter.queries, "\n"),
				)
			}
		}
		if tokens.Status != http.StatusOK {
			t.Errorf("the last answer was %d %v", tokens.Status, tokens.JSON)
		}
	})
}

// inGroup makes a group with alice in it, and returns its slug.
func inGroup(t *testing.T, h *harness.Server, slug string) []string {
	t.Helper()
	if _, err := h.Identity.Groups().Create(t.Context(), slug, ""); err != nil {
		t.Fatal(err)
	}
	if err := h.Identity.Groups().Add(t.Context(), slug, h.User.ID); err != nil {
		t.Fatal(err)
	}
	return []string{slug}
}

const pairwiseURI = "https://pairwise.example/callback"

// codeAt is what redeems a code that was sent to another redirect URI than usual.
func codeAt(code, redirectURI string) url.Values {
	return url.Values{
		"grant_type": {oidc.GrantCode}, "code": {code}, "redirect_uri": {redirectURI}, "code_verifier": {harness.CodeVerifier},
	}
}

// queryCounter notes the queries that a server runs.
type queryCounter struct {
	mu      sync.Mutex
	queries []string
}

func (*queryCounter) BeforeQuery(ctx context.Context, _ *bun.QueryEvent) context.Context { return ctx }

func (c *queryCounter) AfterQuery(_ context.Context, event *bun.QueryEvent) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.queries = append(c.queries, event.Query)
}

func (c *queryCounter) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.queries = nil
}

// scripts are the queries that are several statements and no part of a longer transaction.
func (c *queryCounter) scripts() (scripts []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if slices.Contains(c.queries, "BEGIN") {
		return nil
	}
	for _, query := range c.queries {
		if strings.Contains(query, ";\n") {
			scripts = append(scripts, query)
		}
	}
	return scripts
}

// counted tells reads and transactions apart: on PostgreSQL a statement without BEGIN that writes is a transaction of
// its own.
func (c *queryCounter) counted(kind storage.Kind) (reads, transactions int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	within := false
	for _, query := range c.queries {
		alone := kind == storage.Postgres && !within
		switch {
		case query == "COMMIT", query == "ROLLBACK":
			within = false
		case query == "BEGIN":
			within = true
			transactions++
		case alone && (strings.HasPrefix(query, "WITH") || strings.HasPrefix(query, "INSERT")):
			transactions++
		case strings.HasPrefix(query, "SELECT"):
			reads++
		}
	}
	return reads, transactions
}
