package keys

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/storage/seal"
)

// SigningKey is a private key of Wicket's, sealed. Its public half is published before it signs and as long as anything
// that it signed may be valid.
type SigningKey struct {
	bun.BaseModel `bun:"table:signing_keys,alias:signing_key"`

	KID            string     `bun:"kid,pk"` // RFC 7638 thumbprint
	Alg            string     `bun:"alg"`
	SealedKey      []byte     `bun:"sealed_key"` // PKCS #8
	CreatedAt      time.Time  `bun:"created_at"`
	SignsFrom      time.Time  `bun:"signs_from"`
	PublishedUntil *time.Time `bun:"published_until"` // nil: no successor yet
}

// SigningAlgs are the algorithms for which there is always a key: RS256, which every client understands, ES256, which
// costs a thirtieth of it, and EdDSA (RFC 7518, section 3.1; RFC 8037).
var SigningAlgs = []jose.SignatureAlgorithm{jose.RS256, jose.ES256, jose.EdDSA}

const sealForKeys = "signing key"

// generate makes a key for the algorithm and closes it with sealed.
func generate(alg jose.SignatureAlgorithm, sealed *seal.Seal) (*SigningKey, error) {
	var private crypto.Signer
	var err error
	switch alg {
	case jose.RS256:
		private, err = rsa.GenerateKey(rand.Reader, 2048)
	case jose.ES256:
		private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case jose.EdDSA:
		_, private, err = ed25519.GenerateKey(rand.Reader)
	default:
		err = errors.New("unknown algorithm")
	}
	if err != nil {
		return nil, err
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, err
	}
	kid, err := thumbprint(private.Public())
	if err != nil {
		return nil, err
	}
	return &SigningKey{KID: kid, Alg: string(alg), SealedKey: sealed.Close(sealForKeys, encoded)}, nil
}

// thumbprint is the name of a public key: RFC 7638.
func thumbprint(public crypto.PublicKey) (string, error) {
	digest, err := (&jose.JSONWebKey{Key: public}).Thumbprint(crypto.SHA256)
	return base64.RawURLEncoding.EncodeToString(digest), err
}

// SealedColumns are where this package keeps what the master key has sealed.
var SealedColumns = []seal.SealedColumn{
	{Table: "signing_keys", Key: "kid", Column: "sealed_key", Purpose: sealForKeys},
	{Table: "encryption_keys", Key: "kid", Column: "sealed_key", Purpose: sealForEncryption},
}
