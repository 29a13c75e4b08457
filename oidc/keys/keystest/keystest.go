// Package keystest has RSA keys for tests that are already made: to make one takes longer than most tests take besides.
// Prepare gives a database its own, and RSAKey is for whoever else signs.
package keystest

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/oidc/keys"
	"github.com/wicket-id/wicket/storage/audit"
)

var free struct {
	sync.Mutex
	keys []*rsa.PrivateKey
}

// RSAKey returns a key of 2048 bits that nobody else has until the test ends.
func RSAKey(t testing.TB) *rsa.PrivateKey {
	t.Helper()
	free.Lock()
	defer free.Unlock()
	var key *rsa.PrivateKey
	if n := len(free.keys); n > 0 {
		key, free.keys = free.keys[n-1], free.keys[:n-1]
	} else {
		var err error
		if key, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		free.Lock()
		defer free.Unlock()
		free.keys = append(free.keys, key)
	})
	return key
}

// firstSigns is how long ago the first key of a database signs from, as in Load.
const firstSigns = -5 * time.Minute

// Prepare puts a key for RS256 into a database that has no signing keys, until the test ends nobody else's. Load, which
// is to be called next, makes the others.
func Prepare(t testing.TB, k *keys.Keys) {
	t.Helper()
	if there, err := k.List(t.Context()); err != nil {
		t.Fatal(err)
	} else if len(there) > 0 {
		return
	}
	key := RSAKey(t)
	encoded, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	public := jose.JSONWebKey{Key: key.Public()}
	thumbprint, err := public.Thumbprint(crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	now := k.Now()
	row := &keys.SigningKey{
		KID: base64.RawURLEncoding.EncodeToString(thumbprint), Alg: string(jose.RS256),
		SealedKey: k.Seal.Close(keys.SealedColumns[0].Purpose, encoded), CreatedAt: now, SignsFrom: now.Add(firstSigns),
	}
	if err := k.Database.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.NewInsert().Model(row).Exec(ctx); err != nil {
			return err
		}
		return audit.Record(ctx, tx, now, audit.Change{
			Entity: "signing_key", EntityID: row.KID, Action: "created",
			New: audit.Values{"alg": row.Alg, "signs_from": row.SignsFrom},
		})
	}); err != nil {
		t.Fatal(err)
	}
}
