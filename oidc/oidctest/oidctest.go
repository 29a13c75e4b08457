// Package oidctest puts the parts of the OpenID Provider together for tests, on a fresh database of each kind and with
// a clock that stands still. Begin with Each.
package oidctest

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/password"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/apis"
	"github.com/wicket-id/wicket/oidc/authorize"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/oidc/grants"
	"github.com/wicket-id/wicket/oidc/keys"
	"github.com/wicket-id/wicket/oidc/keys/keystest"
	"github.com/wicket-id/wicket/oidc/logout"
	"github.com/wicket-id/wicket/oidc/registration"
	"github.com/wicket-id/wicket/oidc/requestobject"
	"github.com/wicket-id/wicket/oidc/tokens"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/cache"
	"github.com/wicket-id/wicket/storage/seal"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// TestIssuer is the issuer of the tests.
const TestIssuer = "https://id.example.com"

// Stack is a provider on a fresh database whose clock stands still until a test moves it.
type Stack struct {
	*oidc.Provider

	Identity  *identity.Store
	Keys      *keys.Keys
	Clients   *clients.Store
	APIs      *apis.Store
	Tokens    *tokens.Service
	Grants    *grants.Service
	Authorize *authorize.Service
	// apps that make themselves known
	Registration *registration.Service
	Logout       *logout.Service

	Clock  time.Time
	Logged bytes.Buffer // what the clients had to say
}

// Each runs test with a provider on SQLite and with one on PostgreSQL.
func Each(t *testing.T, test func(t *testing.T, h *Stack)) {
	t.Helper()
	storagetest.Each(t, func(t *testing.T, db *storage.Database) { test(t, New(t, db)) })
}

// New returns a provider on that database.
func New(t testing.TB, db *storage.Database) *Stack {
	t.Helper()
	master, err := seal.Parse(seal.NewMasterKey())
	if err != nil {
		t.Fatal(err)
	}
	h := &Stack{Clock: time.Date(2024, 5, 6, 7, 8, 9, 123456000, time.UTC)}
	now := func() time.Time { return h.Clock }
	memory := cache.NewLocal(now)
	signing := &keys.Keys{Database: db, Seal: master, Now: now, Log: slog.New(slog.DiscardHandler)}
	keystest.Prepare(t, signing)
	if err := signing.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.Provider = &oidc.Provider{
		Issuer: TestIssuer, Database: db, Cache: memory, Seal: master, Lifetimes: oidc.DefaultLifetimes, Now: now,
	}
	h.Keys = signing
	h.Identity = &identity.Store{
		Database: db, Cache: memory, Hasher: password.NewHasher(64, 1, 4, time.Minute), Now: now,
		SessionIdle: 30 * 24 * time.Hour,
	}
	h.Clients = clients.New(h.Provider, h.Keys, false, slog.New(slog.NewTextHandler(&h.Logged, nil)))
	h.APIs = apis.New(h.Provider)
	h.Tokens = tokens.New(h.Provider, h.Clients, h.APIs, h.Keys, h.Identity)
	h.Grants = grants.New(h.Provider, h.Clients, h.Tokens)
	h.Registration = registration.New(h.Provider, h.Clients, h.APIs)
	h.Authorize = &authorize.Service{
		Provider: h.Provider, Clients: h.Clients, Registration: h.Registration, APIs: h.APIs, Tokens: h.Tokens, Grants: h.Grants,
		RequestObjects: requestobject.New(h.Clients),
		Identity:       h.Identity,
	}
	h.Logout = &logout.Service{
		Provider: h.Provider, Clients: h.Clients, Tokens: h.Tokens, Identity: h.Identity,
		Log: slog.New(slog.NewTextHandler(&h.Logged, nil)),
	}
	if h.Logout.Jobs, err = db.NewJobs(nil, nil, h.Logout.Log); err != nil {
		t.Fatal(err)
	}
	h.Identity.Jobs, h.Identity.Listener = h.Logout.Jobs, h.Logout.Listener()
	h.Clients.Leaving = h.Logout.ClientLeaves
	return h
}

// Pass moves the clock on.
func (h *Stack) Pass(d time.Duration) { h.Clock = h.Clock.Add(d) }

// Add registers a client and returns its secret.
func (h *Stack) Add(t testing.TB, client *clients.Client) string {
	t.Helper()
	secret, err := h.Clients.Create(t.Context(), client)
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

// refusal returns the code of what an app was refused with, or the text of any other error.
func refusal(err error) string {
	var refused *oidc.Error
	if errors.As(err, &refused) {
		return refused.Code
	}
	if err != nil {
		return "fault: " + err.Error()
	}
	return ""
}

// PublishedKIDs returns the ids of the keys that are served.
func PublishedKIDs(t testing.TB, keys *keys.Keys) map[string]bool {
	t.Helper()
	var set struct {
		Keys []map[string]string `json:"keys"`
	}
	if err := json.Unmarshal(keys.Published(), &set); err != nil {
		t.Fatal(err)
	}
	kids := map[string]bool{}
	for _, key := range set.Keys {
		for _, private := range []string{"d", "p", "q", "dp", "dq", "qi", "k"} {
			if _, leaked := key[private]; leaked {
				t.Fatalf("the published set holds the private member %q", private)
			}
		}
		kids[key["kid"]] = true
	}
	return kids
}

// Beside returns the keys as another process on the same database sees them.
func (h *Stack) Beside() *keys.Keys {
	return &keys.Keys{Database: h.Database, Seal: h.Seal, Now: h.Now, Log: slog.New(slog.DiscardHandler)}
}
