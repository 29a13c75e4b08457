package configuration_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wicket-id/wicket/federation"
	"github.com/wicket-id/wicket/identity/administrators"
	"github.com/wicket-id/wicket/identity/declared"
	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/manage/configuration"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/oidc/oidctest"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// bench is a server without a door, and what files are read with.
type bench struct {
	*configuration.Store
	h *oidctest.Stack

	secrets configuration.Secrets
}

var operator = manage.Operator("operator:test")

func each(t *testing.T, test func(t *testing.T, b *bench)) {
	t.Helper()
	storagetest.Each(t, func(t *testing.T, db *storage.Database) { test(t, newBench(t, db)) })
}

func newBench(t testing.TB, db *storage.Database) *bench {
	stack := oidctest.New(t, db)
	now := func() time.Time { return stack.Clock }
	return &bench{
		h: stack,
		Store: &configuration.Store{
			Store: &manage.Store{
				Database: db, Seal: stack.Seal, Now: now, Tokens: stack.Tokens,
				Administrators: &administrators.Store{Database: db, Now: now},
			},
			Provider: stack.Provider, Clients: stack.Clients, APIs: stack.APIs, Upstreams: &federation.Upstreams{
				Issuer: stack.Issuer, Database: db, Cache: stack.Cache, Seal: stack.Seal, Identity: stack.Identity, Now: now,
				Named: func() []federation.Provider { return nil },
			},
		},
		secrets: configuration.Secrets{
			File:     func(path string) ([]byte, error) { return []byte(secretOf(path)), nil },
			Variable: func(name string) (string, bool) { return secretOf(name), true },
		},
	}
}

// secretOf is the secret at a place.
func secretOf(place string) string { return strings.Repeat(place+"-", 40)[:40] + "\n" }

func (b *bench) read(t testing.TB, file string) *configuration.Document {
	t.Helper()
	document, err := configuration.Read([]byte(file), b.secrets)
	if err != nil {
		t.Fatal(err)
	}
	return document
}

func (b *bench) apply(t testing.TB, file string, prune configuration.Prune) *configuration.Plan {
	t.Helper()
	plan, err := b.Apply(t.Context(), operator, b.read(t, file), prune, "")
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

func (b *bench) plan(t testing.TB, file string, prune configuration.Prune) *configuration.Plan {
	t.Helper()
	plan, err := b.Plan(t.Context(), operator, b.read(t, file), prune)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// said is a plan as a list of what happens to what.
func said(plan *configuration.Plan) string {
	said := []string{}
	for _, change := range plan.Changes {
		said = append(said, change.Action+" "+change.Kind+" "+change.ID)
	}
	return strings.Join(said, ", ")
}

const whole = `
version: 1
groups:
  - slug: staff
    name: Staff
    roles: [employee, "reports:read"]
  - slug: guests
clients:
  - client_id: grafana
    client_name: Grafana
    redirect_uris: [https://grafana.example.com/login/generic_oauth]
    client_secret_file: /run/secrets/grafana
    access: [staff]
    groups_claim: teams
  - {client_id: spa, client_name: SPA, token_endpoint_auth_method: none, redirect_uris: ["https://spa.example.com/"]}
  - client_id: orders
    client_name: Orders
    grant_types: [client_credentials]
    client_secret_env: ORDERS_SECRET
    apis: [https://orders.example.com]
apis:
  - identifier: https://orders.example.com
    name: Orders
    scopes: [{name: read, words: Read your orders}, {name: write}]
    introspection_clients: [orders]
`

// What a file declares is there once it was applied, and a plan has nothing to do then.
func TestApply(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		planned := b.plan(t, whole, "")
		const want = "created group staff, created group guests, created client grafana, created client spa, " +
			"created client orders, created api https://orders.example.com"
		if said(planned) != want {
			t.Errorf("planned: %s", said(planned))
		}
		applied := b.apply(t, whole, "")
		if said(applied) != want || applied.Digest != planned.Digest {
			t.Errorf("applied: %s with the digest %s, not %s", said(applied), applied.Digest, planned.Digest)
		}
		grafana, err := b.Clients.Fresh(t.Context(), "grafana")
		if err != nil || !slices.Equal(grafana.AccessGroups, []string{"staff"}) || grafana.Access != "listed" ||
			grafana.GroupsClaim != "teams" || grafana.DeclaredBy != "configuration" ||
			!slices.Equal(grafana.SecretHash, storage.Digest(strings.TrimSpace(secretOf("/run/secrets/grafana")))) {
			t.Errorf("%+v, %v", grafana, err)
		}
		staff, err := b.h.Identity.Groups().Find(t.Context(), "staff")
		if err != nil || staff.Name != "Staff" || staff.DeclaredBy != "configuration" {
			t.Errorf("%+v, %v", staff, err)
		}
		if roles, err := b.h.Identity.Groups().Roles(t.Context(), staff.ID); err != nil || len(roles) != 2 {
			t.Errorf("%v, %v", roles, err)
		}
		b.h.Pass(time.Hour)
		if again := b.plan(t, whole, ""); said(again) != "" {
			t.Errorf("planned again: %s", said(again))
		}
		before := b.tables(t)
		if again := b.apply(t, whole, ""); said(again) != "" || b.tables(t) != before {
			t.Errorf("applied again: %s", said(again))
		}
	})
}

// A plan leaves every table as it is, byte for byte, and what the process remembers.
func TestPlanChangesNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		b.apply(t, whole, "")
		if _, err := b.Clients.ByID(t.Context(), "grafana"); err != nil { // now it is remembered
			t.Fatal(err)
		}
		before := b.tables(t)
		b.h.Pass(time.Minute)
		for _, prune := range []configuration.Prune{
			configuration.PruneNothing, configuration.PruneDisable, configuration.PruneDelete,
		} {
			plan := b.plan(t, `
version: 1
groups: [{slug: guests, name: Guests of the house, roles: [guest]}, {slug: new}]
clients:
  - client_id: grafana
    client_name: Grafana 2
    redirect_uris: [https://grafana.example.com/callback]
    client_secret_file: /run/secrets/another
    access: [new]
    request_object_encryption_alg: RSA-OAEP-256
    request_object_signing_alg: RS256
    jwks_uri: https://grafana.example.com/jwks
`, prune)
			if len(plan.Changes) != 7 {
				t.Errorf("prune %q: %s", prune, said(plan))
			}
			if after := b.tables(t); after != before {
				t.Errorf("a plan with prune %q changed a table:\n%s", prune, firstDifference(before, after))
			}
		}
		if remembered, err := b.Clients.ByID(t.Context(), "grafana"); err != nil || remembered.Name != "Grafana" {
			t.Errorf("%+v, %v", remembered, err)
		}
	})
}

// Of many that apply one file at once, one writes what the audit trail tells.
func TestApplyByManyAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		var wg sync.WaitGroup
		var mu sync.Mutex
		did := map[string]int{}
		for range 12 {
			document := b.read(t, whole)
			wg.Go(func() {
				plan, err := b.Apply(context.Background(), operator, document, "", "")
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				defer mu.Unlock()
				did[said(plan)]++
			})
		}
		wg.Wait()
		if len(did) != 2 || did[""] != 11 {
			t.Errorf("they did %v", did)
		}
		entries, err := audit.Entries(t.Context(), b.h.Database, audit.Filter{Limit: 1000})
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]int{}
		for _, entry := range entries {
			if entry.Entity == "signing_key" {
				continue
			}
			if entry.Via != audit.ViaFile {
				t.Errorf("%s %s by way of %q", entry.Entity, entry.Action, entry.Via)
			}
			seen[entry.Entity+" "+entry.Action]++
		}
		if fmt.Sprint(seen) != "map[api created:1 client created:3 group created:2 group_role granted:2]" {
			t.Errorf("the audit trail: %v", seen)
		}
	})
}

// What a file changes, and how it is told.
func TestChanges(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		b.apply(t, whole, "")
		changed := strings.NewReplacer(
			"generic_oauth]", "generic_oauth, https://grafana.example.com/second]", "/run/secrets/grafana", "/run/secrets/new",
			"name: Staff", "name: All staff", `employee, "reports:read"`, `employee, "reports:write"`, "{name: write}", "{name: delete}",
		).Replace(whole)
		plan := b.plan(t, changed, "")
		if said(plan) != "changed group staff, changed client grafana, changed api https://orders.example.com" {
			t.Fatal(said(plan))
		}
		group, client := plan.Changes[0].Entries, plan.Changes[1].Entries
		if len(group) != 3 || group[0].New["name"] != "All staff" || group[1].Old["role_name"] != "reports:read" ||
			group[2].New["role_name"] != "reports:write" {
			t.Errorf("%+v", group)
		}
		if len(client) != 1 || client[0].New["secret"] != "replaced" || len(client[0].New) != 2 ||
			len(client[0].New["redirect_uris"].([]string)) != 2 {
			t.Errorf("%+v", client)
		}
		for _, secret := range []string{"/run/secrets/new", "/run/secrets/grafana"} {
			if text := fmt.Sprintf("%+v", plan); strings.Contains(text, strings.TrimSpace(secretOf(secret))) ||
				strings.Contains(text, fmt.Sprint(storage.Digest(strings.TrimSpace(secretOf(secret))))) {
				t.Error("a secret is in the plan")
			}
		}
	})
}

// A plan's digest keeps another thing from being done than what it said.
func TestDigest(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		plan := b.plan(t, whole, "")
		if _, err := b.h.Identity.Groups().Create(t.Context(), "staff", "Made meanwhile"); err != nil {
			t.Fatal(err)
		}
		before := b.tables(t)
		_, err := b.Apply(t.Context(), operator, b.read(t, whole), "", plan.Digest)
		if !errors.Is(err, configuration.ErrMoved) || b.tables(t) != before {
			t.Errorf("the server has moved, and it is applied: %v", err)
		}
		plan = b.plan(t, whole, "")
		other := strings.Replace(whole, "/run/secrets/grafana", "/run/secrets/other", 1)
		_, err = b.Apply(t.Context(), operator, b.read(t, other), "", plan.Digest)
		if !errors.Is(err, configuration.ErrMoved) {
			t.Errorf("another secret: %v", err)
		}
		_, err = b.Apply(t.Context(), operator, b.read(t, whole), configuration.PruneDisable, plan.Digest)
		if !errors.Is(err, configuration.ErrMoved) {
			t.Errorf("with prune: %v", err)
		}
		if _, err := b.Apply(t.Context(), operator, b.read(t, whole), "", plan.Digest); err != nil {
			t.Errorf("as planned: %v", err)
		}
	})
}

const empty = "version: 1"

// What a file names no more is let go, or pruned: apps are disabled first, and deleted a week later.
func TestPrune(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		h := b.h
		h.Add(t, &clients.Client{ID: "by-hand", Name: "By hand", RedirectURIs: []string{"https://hand.example/"}})
		if _, err := b.h.Identity.Groups().Create(t.Context(), "by-hand", ""); err != nil {
			t.Fatal(err)
		}
		b.apply(t, whole, "")
		b.apply(t, "version: 1\nsource: another\ngroups: [{slug: others}]", configuration.PruneDelete)
		const all = "client grafana, %[1]s client orders, %[1]s client spa"
		released := b.apply(t, empty, "")
		if want := fmt.Sprintf("%[1]s "+all+", %[1]s api https://orders.example.com, %[1]s group guests, "+
			"%[1]s group staff", "released"); said(released) != want {
			t.Errorf("%s, want %s", said(released), want)
		}
		if err := h.Clients.Delete(t.Context(), "spa"); err != nil {
			t.Errorf("a client that was let go: %v", err)
		}

		b.apply(t, whole, "")
		b.h.Pass(time.Hour)
		pruned := b.apply(t, empty, configuration.PruneDisable)
		if want := fmt.Sprintf("%[1]s "+all, "disabled") +
			", deleted api https://orders.example.com, deleted group guests, deleted group staff"; said(pruned) != want {
			t.Errorf("%s, want %s", said(pruned), want)
		}
		for _, prune := range []configuration.Prune{configuration.PruneNothing, configuration.PruneDisable} {
			if plan := b.plan(t, empty, prune); said(plan) != "" {
				t.Errorf("prune %q, again: %s", prune, said(plan))
			}
		}
		if grafana, err := h.Clients.Fresh(t.Context(), "grafana"); err != nil || !grafana.IsDisabled {
			t.Errorf("%+v, %v", grafana, err)
		}
		back := b.apply(t, whole, "")
		if grafana, err := h.Clients.Fresh(t.Context(), "grafana"); err != nil || grafana.IsDisabled {
			t.Errorf("named again: %s; %+v, %v", said(back), grafana, err)
		}

		b.apply(t, empty, configuration.PruneDisable)
		b.h.Pass(configuration.PruneAfter)
		if plan := b.apply(t, empty, configuration.PruneDisable); said(plan) != fmt.Sprintf("%[1]s "+all, "deleted") {
			t.Errorf("a week later: %s", said(plan))
		}
		for _, err := range []error{
			func() error { _, err := h.Clients.Fresh(t.Context(), "by-hand"); return err }(),
			func() error { _, err := b.h.Identity.Groups().Find(t.Context(), "by-hand"); return err }(),
			func() error { _, err := b.h.Identity.Groups().Find(t.Context(), "others"); return err }(),
		} {
			if err != nil {
				t.Errorf("what the file has not declared: %v", err)
			}
		}
	})
}

// What a file declares is changed by nothing else, until it is detached.
func TestDeclaredIsLocked(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		h := b.h
		b.apply(t, whole, "")
		const api = "https://orders.example.com"
		rename := func(c *clients.Client) error { c.Name = "Other"; return nil }
		changes := map[string]func() error{
			"client update": func() error { _, _, err := h.Clients.Update(t.Context(), "spa", rename); return err },
			"client delete": func() error { return h.Clients.Delete(t.Context(), "spa") },
			"client secret": func() error { _, _, err := h.Clients.RotateSecret(t.Context(), "grafana", 0); return err },
			"group rename":  func() error { _, err := b.h.Identity.Groups().Rename(t.Context(), "staff", "X", nil); return err },
			"group delete":  func() error { return b.h.Identity.Groups().Delete(t.Context(), "staff") },
			"role grant":    func() error { return b.h.Identity.Groups().GrantRole(t.Context(), "staff", "x") },
			"role revoke":   func() error { return b.h.Identity.Groups().RevokeRole(t.Context(), "staff", "employee") },
			"api delete":    func() error { return h.APIs.Delete(t.Context(), api) },
			"another file": func() error {
				file := b.read(t, "version: 1\nsource: other\ngroups: [{slug: staff}]")
				_, err := b.Apply(t.Context(), operator, file, "", "")
				return err
			},
		}
		before := b.tables(t)
		for what, change := range changes {
			if err := change(); !errors.Is(err, declared.ErrDeclared) || !strings.Contains(err.Error(), "configuration") {
				t.Errorf("%s: %v", what, err)
			}
		}
		if after := b.tables(t); after != before {
			t.Errorf("it changed:\n%s", firstDifference(before, after))
		}
		b.h.Pass(time.Second)
		for _, one := range [][2]string{{"client", "spa"}, {"client", "grafana"}, {"group", "staff"}, {"api", api}} {
			if err := b.Detach(t.Context(), operator, one[0], one[1]); err != nil {
				t.Errorf("detach %v: %v", one, err)
			}
			if err := b.Detach(t.Context(), operator, one[0], one[1]); !errors.Is(err, storage.ErrNotFound) {
				t.Errorf("detach %v again: %v", one, err)
			}
		}
		for _, what := range []string{
			"client update", "client delete", "client secret", "role grant", "role revoke", "group rename", "another file", "api delete",
		} {
			b.h.Pass(time.Second)
			if err := changes[what](); err != nil {
				t.Errorf("detached, %s: %v", what, err)
			}
		}
	})
}

// A group that an app of a file is for stays, though the file does not declare it: the file could not be applied
// without it.
func TestGroupOfADeclaredAppStays(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		all := b.h.Identity.Groups()
		for _, slug := range []string{"guests", "others"} {
			if _, err := all.Create(t.Context(), slug, slug); err != nil {
				t.Fatal(err)
			}
		}
		const file = "version: 1\nclients: [{client_id: wiki, client_name: Wiki, redirect_uris: [https://wiki.example/cb], " +
			"token_endpoint_auth_method: none, access: [guests]}]"
		b.apply(t, file, "")
		if err := all.Delete(t.Context(), "guests"); !errors.Is(err, declared.ErrDeclared) {
			t.Errorf("the group of a declared app: %v", err)
		}
		if err := all.Delete(t.Context(), "others"); err != nil {
			t.Errorf("another group: %v", err)
		}
		b.h.Pass(time.Second)
		b.apply(t, file, "")
		if err := b.Detach(t.Context(), operator, "client", "wiki"); err != nil {
			t.Fatal(err)
		}
		if err := all.Delete(t.Context(), "guests"); err != nil {
			t.Errorf("the group of an app that is declared no more: %v", err)
		}
	})
}

// An app that has registered itself is its own no more, and stays though nobody uses it, once a file declares it.
func TestDeclaredThoughItRegisteredItself(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		h := b.h
		h.Add(t, &clients.Client{
			ID: "itself", Name: "Itself", AuthMethod: clients.AuthNone, RedirectURIs: []string{"https://itself.example/"},
			Origin: clients.OriginOpen, RegistrationHash: storage.Digest("token"),
		})
		const file = "version: 1\nclients:\n- {client_id: itself, client_name: Ours, token_endpoint_auth_method: none, " +
			"redirect_uris: ['https://itself.example/']}"
		b.apply(t, file, "")
		h.Pass(100 * 24 * time.Hour)
		if expired, err := h.Registration.Expire(t.Context()); err != nil || expired["clients"] != 0 {
			t.Errorf("expired %v, %v", expired, err)
		}
		var refused *oidc.Error
		if err := h.Registration.Delete(t.Context(), "itself", "token"); !errors.As(err, &refused) || refused.Status != 401 {
			t.Errorf("it deletes itself: %v", err)
		}
		b.apply(t, empty, "")
		if expired, err := h.Registration.Expire(t.Context()); err != nil || expired["clients"] != 1 {
			t.Errorf("let go, and expired %v, %v", expired, err)
		}
	})
}
