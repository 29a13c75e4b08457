package federation

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// Whoever sends forged tokens, again and again, makes us fetch the provider's keys once in a while, and a key that the
// provider has begun to sign with is found then.
func TestForgedTokensFetchKeysOnce(t *testing.T) {
	t.Parallel()
	sign := func(kid string) (token string, public jose.JSONWebKey) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: key, KeyID: kid}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		signed, err := signer.Sign([]byte("{}"))
		if err != nil {
			t.Fatal(err)
		}
		if token, err = signed.CompactSerialize(); err != nil {
			t.Fatal(err)
		}
		return token, jose.JSONWebKey{Key: key.Public(), KeyID: kid, Algorithm: "ES256", Use: "sig"}
	}
	genuine, first := sign("first")
	forged, _ := sign("first")
	rotated, second := sign("second")
	published := []jose.JSONWebKey{first}
	var fetches atomic.Int64
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fetches.Add(1)
		_ = json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: published})
	}))
	defer provider.Close()
	now := time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)
	keys := newKeySet(t.Context(), provider.Client(), provider.URL, func() time.Time { return now })

	for range 200 {
		if _, err := keys.VerifySignature(t.Context(), forged); err == nil {
			t.Fatal("a forged token is accepted")
		}
	}
	if _, err := keys.VerifySignature(t.Context(), genuine); err != nil {
		t.Errorf("a genuine token among forged ones: %v", err)
	}
	if n := fetches.Load(); n != 1 {
		t.Errorf("%d fetches for 200 forged tokens", n)
	}
	published = []jose.JSONWebKey{first, second}
	now = now.Add(keysKept)
	// The library joins a fetch that has just ended, while it puts its answer away: then the next one asks anew.
	var err error
	for until := time.Now().Add(10 * time.Second); time.Now().Before(until); {
		if _, err = keys.VerifySignature(t.Context(), rotated); err == nil {
			break
		}
	}
	if err != nil {
		t.Errorf("a new key, a moment later: %v", err)
	}
	if n := fetches.Load(); n != 2 {
		t.Errorf("%d fetches after a rotation", n)
	}
}
