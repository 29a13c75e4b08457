package oidc

import (
	"encoding/json"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/password"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/cache"
	"github.com/wicket-id/wicket/storage/seal"
	"github.com/wicket-id/wicket/storage/storagetest"
)

const testIssuer = "https://id.example.com"

// testHouse is a provider on a fresh database whose clock stands still until a test moves it.
type testHouse struct {
	*Provider
	clock time.Time
}

func eachHouse(t *testing.T, test func(t *testing.T, h *testHouse)) {
	t.Helper()
	storagetest.Each(t, func(t *testing.T, db *storage.Database) { test(t, newTestHouse(t, db)) })
}

func newTestHouse(t testing.TB, db *storage.Database) *testHouse {
	t.Helper()
	seal, err := seal.Parse(seal.NewMasterKey())
	if err != nil {
		t.Fatal(err)
	}
	h := &testHouse{clock: time.Date(2024, 5, 6, 7, 8, 9, 123456000, time.UTC)}
	now := func() time.Time { return h.clock }
	memory := cache.NewLocal(now)
	keys := &Keys{Database: db, Seal: seal, Now: now, Log: slog.New(slog.DiscardHandler)}
	if err := keys.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.Provider, err = New(Config{
		Issuer: testIssuer, Database: db, Memory: memory, Seal: seal, Keys: keys, Lifetimes: DefaultLifetimes, Now: now,
		Identity: &identity.Store{
			Database: db, Cache: memory, Hasher: password.NewHasher(64, 1, 4, time.Minute), Now: now,
			SessionIdle: 30 * 24 * time.Hour,
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *testHouse) pass(d time.Duration) { h.clock = h.clock.Add(d) }

// add registers a client and returns its secret.
func (h *testHouse) add(t testing.TB, client *Client) string {
	t.Helper()
	secret, err := h.CreateClient(t.Context(), client)
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

// refusal returns the code of what an app was refused with, or the text of any other error.
func refusal(err error) string {
	var refused *Error
	if errors.As(err, &refused) {
		return refused.Code
	}
	if err != nil {
		return "fault: " + err.Error()
	}
	return ""
}

// publishedKIDs returns the ids of the keys that are served.
func publishedKIDs(t testing.TB, keys *Keys) map[string]bool {
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
