// Package dpoptest makes DPoP proofs for tests.
package dpoptest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"maps"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"

	"github.com/wicket-id/wicket/storage"
)

// Key is a key of an app, with which it proves that a token is its own.
type Key struct {
	private    *ecdsa.PrivateKey
	Thumbprint string
}

// NewKey returns a new key.
func NewKey(t testing.TB) *Key {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	k := &Key{private: private}
	digest, err := k.public().Thumbprint(crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	k.Thumbprint = base64.RawURLEncoding.EncodeToString(digest)
	return k
}

func (k *Key) public() *jose.JSONWebKey { return &jose.JSONWebKey{Key: k.private.Public()} }

// Private is the private key as a JWK.
func (k *Key) Private() *jose.JSONWebKey { return &jose.JSONWebKey{Key: k.private} }

// Parts are the header and the claims of a proof.
type Parts struct{ Header, Claims map[string]any }

// Proof makes a proof for a request. token is the access token that goes with it; empty: none. change may spoil what it
// says before it is signed; nil: nothing.
func (k *Key) Proof(t testing.TB, method, uri, token string, change func(Parts)) string {
	t.Helper()
	p := Parts{
		Header: map[string]any{"typ": "dpop+jwt", "alg": "ES256", "jwk": k.public()},
		Claims: map[string]any{"jti": uuid.NewString(), "htm": method, "htu": uri, "iat": time.Now().Unix()},
	}
	if token != "" {
		p.Claims["ath"] = base64.RawURLEncoding.EncodeToString(storage.Digest(token))
	}
	if change != nil {
		change(p)
	}
	signed := encoded(t, p.Header) + "." + encoded(t, p.Claims)
	r, s, err := ecdsa.Sign(rand.Reader, k.private, storage.Digest(signed))
	if err != nil {
		t.Fatal(err)
	}
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// encoded is a part of a JWT. A value of nil is left out.
func encoded(t testing.TB, part map[string]any) string {
	t.Helper()
	part = maps.Clone(part)
	maps.DeleteFunc(part, func(_ string, value any) bool { return value == nil })
	text, err := json.Marshal(part)
	if err != nil {
		t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(text)
}
