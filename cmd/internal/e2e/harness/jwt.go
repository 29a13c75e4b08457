package harness

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
)

// scriptedKeyID is the kid in what Sign makes.
const scriptedKeyID = "scripted"

// Sign signs a JWT with the provider's key.
func (p *ScriptedProvider) Sign(payload []byte) string { return Sign(jose.RS256, p.Key, payload) }

// Sign signs a JWT in the name of a scripted provider, with any key and algorithm.
func Sign(alg jose.SignatureAlgorithm, key any, payload []byte) string {
	options := (&jose.SignerOptions{}).WithHeader("kid", scriptedKeyID).WithType("JWT")
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, options)
	if err != nil {
		panic(err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		panic(err)
	}
	compact, err := signed.CompactSerialize()
	if err != nil {
		panic(err)
	}
	return compact
}

// TokenClaims reads the claims of a JWT without a look at its signature.
func TokenClaims(t testing.TB, token string) map[string]any {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("%q is no JWT", token)
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	claims := make(map[string]any)
	if err := json.Unmarshal(payload, &claims); err != nil {
		t.Fatal(err)
	}
	return claims
}
