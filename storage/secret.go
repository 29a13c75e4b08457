package storage

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
)

// NewSecret returns 256 random bits in base64url: a code, a token, a client secret. Only its Digest is ever stored.
func NewSecret() string {
	bits := make([]byte, 32)
	_, _ = rand.Read(bits) // never fails, says its documentation
	return base64.RawURLEncoding.EncodeToString(bits)
}

// Digest is the form in which a secret of at least 128 random bits is stored and looked up: its SHA-256. Such a secret
// cannot be guessed from it, so no slow hash is needed.
func Digest(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}
