package clients_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/oidc/oidctest"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// Who names a jwks_uri says how long the set is, and how many keys it has: within bounds.
func TestKeySetsAreBounded(t *testing.T) {
	t.Parallel()
	h := oidctest.New(t, storagetest.Open(t, storage.SQLite))
	private := oidctest.NewAppKey(t)
	one := strings.TrimSuffix(strings.TrimPrefix(string(oidctest.JWKSOf(t, "k", private.Public())), `{"keys":[`), "]}")
	keys := func(n int) string { return `{"keys":[` + strings.Repeat(one+",", n-1) + one + `]}` }
	for name, c := range map[string]struct{ set, refusal string }{
		"many keys":     {keys(50), ""},
		"too many keys": {keys(51), "invalid_client"},
		"long":          {keys(1) + strings.Repeat(" ", 60<<10), ""},
		"too long":      {keys(1) + strings.Repeat(" ", 64<<10), "invalid_client"},
	} {
		app := h.RemoteApp(t, newKeyServer(t, json.RawMessage(c.set)).URL)
		if got := h.PresentAs(t, app, "k", private); got != c.refusal {
			t.Errorf("%s: %q, want %q", name, got, c.refusal)
		}
	}
	if logged := h.Logged.String(); !strings.Contains(logged, "the set has 51 keys, and may have 50") {
		t.Error(logged)
	}
}

// The keys of apps that nobody vouches for are fetched from public addresses alone, though others' may be elsewhere,
// and drive out those of no other app.
func TestStrangersKeysAreKeptApart(t *testing.T) {
	t.Parallel()
	h := oidctest.New(t, storagetest.Open(t, storage.SQLite))
	store := clients.New(h.Provider, h.Keys, true, slog.New(slog.DiscardHandler))
	server := newKeyServer(t, keySetOf(t, jose.JSONWebKey{Key: &rsaKey(t, 2048).PublicKey, Use: "enc"}))
	encrypt := func(origin, uri string) error {
		client := &clients.Client{ID: "app", Origin: origin, JWKSURI: uri}
		how := clients.Encryption{Alg: string(jose.RSA_OAEP_256), Enc: string(jose.A128GCM)}
		_, err := store.Encrypt(t.Context(), client, how, "a.b.c")
		return err
	}
	for _, origin := range []string{clients.OriginOpen, clients.OriginDocument} {
		if err := encrypt(origin, server.URL); err == nil || server.fetched.Load() != 0 {
			t.Errorf("%s: %v, %d requests", origin, err, server.fetched.Load())
		}
	}
	for _, origin := range []string{clients.OriginOperator, clients.OriginToken} {
		if err := encrypt(origin, server.URL); err != nil {
			t.Errorf("%s: %v", origin, err)
		}
	}
	before := server.fetched.Load()
	for n := range 1100 { // more than are kept
		if err := encrypt(clients.OriginOpen, fmt.Sprintf("%s/%d", server.URL, n)); err == nil {
			t.Fatal("a stranger's keys were fetched")
		}
	}
	for _, origin := range []string{clients.OriginOperator, clients.OriginToken} {
		if err := encrypt(origin, server.URL); err != nil || server.fetched.Load() != before {
			t.Errorf("%s, again: %v, %d requests more", origin, err, server.fetched.Load()-before)
		}
	}
}
