package main

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// The cost of each way is a promise (docs/architecture.md): so many reads and so many transactions, and no more.
func TestQueriesOfEachWay(t *testing.T) {
	storagetest.EachURL(t, func(t *testing.T, databaseURL string) {
		storagetest.Unrehearsed(t, databaseURL)
		h := openTestHouse(t, databaseURL)
		client, b := h.client(t, nil), h.browser(t)
		b.code(t, client, nil) // signs in and consents
		counter := &queryCounter{}
		h.Database.Observe(counter)
		var code string
		var tokens answer
		for _, way := range []struct {
			name                string
			reads, transactions int
			once                func()
		}{
			{"authorize", 1, 1, func() { code = b.code(t, client, nil) }},
			{"code", 1, 1, func() { tokens = h.redeem(t, client, code) }},
			{"refresh", 1, 1, func() { tokens = h.refresh(t, client, tokens.text("refresh_token")) }},
			{"userinfo", 1, 0, func() { h.userinfo(t, tokens.text("access_token")) }},
			{"introspection", 1, 0, func() {
				h.call(t, oidc.PathIntrospect, client, url.Values{"token": {tokens.text("access_token")}})
			}},
			{"client credentials", 0, 0, func() {
				h.call(t, oidc.PathToken, client, url.Values{"grant_type": {"client_credentials"}})
			}},
			{"discovery", 0, 0, func() { b.get(t, oidc.PathConfiguration) }},
			{"jwks", 0, 0, func() { b.get(t, oidc.PathJWKS) }},
		} {
			counter.reset()
			way.once()
			reads, transactions := counter.counted(h.Database.Kind)
			if reads != way.reads || transactions != way.transactions {
				t.Errorf("%s: %d reads and %d transactions, want %d and %d:\n%s", way.name, reads, transactions, way.reads, way.transactions, strings.Join(counter.queries, "\n"))
			}
		}
		if tokens.status != http.StatusOK {
			t.Errorf("the last answer was %d %v", tokens.status, tokens.json)
		}
	})
}

// queryCounter notes the queries that a house runs.
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

// counted tells reads and transactions apart: on PostgreSQL a script without BEGIN is a transaction of its own.
func (c *queryCounter) counted(kind storage.Kind) (reads, transactions int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, query := range c.queries {
		switch {
		case query == "BEGIN", kind == storage.Postgres && strings.Contains(query, ";\n"):
			transactions++
		case strings.HasPrefix(query, "SELECT"):
			reads++
		}
	}
	return reads, transactions
}
