package clients

import (
	"context"
	"crypto/ecdsa"
	"crypto/rsa"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"github.com/wicket-id/wicket/oidc"
)

// Encryption is how something is encrypted for an app, as it is registered: RFC 7516, section 4.1. The zero value is:
// not at all.
type Encryption struct {
	Alg string `bun:"alg"` // one of KeyAlgs
	Enc string `bun:"enc"` // one of ContentAlgs
}

// KeyAlgs are the ways in which the key of a message is agreed on: by public keys alone. Secrets of apps are kept as
// digests, so they cannot encrypt; and RSA1_5 has leaked too often (RFC 8017, section 7.2).
var KeyAlgs = []jose.KeyAlgorithm{jose.RSA_OAEP_256, jose.ECDH_ES, jose.ECDH_ES_A128KW, jose.ECDH_ES_A256KW}

// ContentAlgs are the ways in which the message itself is encrypted; the first is what is meant where none is named.
var ContentAlgs = []jose.ContentEncryption{jose.A128CBC_HS256, jose.A128GCM, jose.A256GCM}

const (
	useEncryption = "enc" // RFC 7517, section 4.2

	minRSABits = 2048 // RFC 7518, section 4.3
	maxRSABits = 8192 // more would cost us time, and others choose them
)

// encryptions are how an app wants to be told things in secret, with the beginning of their names.
func encryptions(c *Client) []namedEncryption {
	return []namedEncryption{
		{"id_token", &c.IDTokenEncryption}, {"userinfo", &c.UserinfoEncryption},
		{"authorization", &c.ResponseEncryption}, {"introspection", &c.IntrospectionEncryption},
	}
}

type namedEncryption struct {
	of string
	*Encryption
}

// fillInEncryption chooses what was left out. What is encrypted is signed first: anybody can encrypt for the app.
func fillInEncryption(c *Client) {
	for _, how := range encryptions(c) {
		if how.Alg != "" && how.Enc == "" {
			how.Enc = string(ContentAlgs[0])
		}
	}
	if how := &c.RequestEncryption; how.Alg != "" && how.Enc == "" {
		how.Enc = string(ContentAlgs[0]) // OpenID Connect Dynamic Client Registration, section 2
	}
	if c.UserinfoEncryption.Alg != "" && c.UserinfoAlg == "" {
		c.UserinfoAlg = string(jose.RS256)
	}
}

// checkEncryption says what is wrong with how an app wants to be told things in secret.
func checkEncryption(c *Client) error {
	for _, how := range encryptions(c) {
		of := how.of
		switch {
		case how.Alg == "" && how.Enc == "":
			continue
		case how.Alg == "":
			return fmt.Errorf("%s_encrypted_response_enc needs %s_encrypted_response_alg", of, of)
		case !slices.Contains(KeyAlgs, jose.KeyAlgorithm(how.Alg)):
			return fmt.Errorf("%s_encrypted_response_alg %q is not one of %s", of, how.Alg, join(KeyAlgs))
		case !slices.Contains(ContentAlgs, jose.ContentEncryption(how.Enc)):
			return fmt.Errorf("%s_encrypted_response_enc %q is not one of %s", of, how.Enc, join(ContentAlgs))
		case c.JWKS == nil && c.JWKSURI == "":
			return errors.New("an app that is told things in secret needs public keys: either a JWK set or the https URL of one")
		case c.JWKS != nil:
			keys, err := parseJWKS(c.JWKS)
			if err == nil {
				_, err = keys.encryptionKey(jose.KeyAlgorithm(how.Alg))
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func join[T ~string](names []T) string {
	texts := make([]string, len(names))
	for i, name := range names {
		texts[i] = string(name)
	}
	return strings.Join(texts, ", ")
}

// errNoEncryptionKey says that none of an app's keys is for encryption by an algorithm.
type errNoEncryptionKey struct{ alg jose.KeyAlgorithm }

func (e errNoEncryptionKey) Error() string {
	return fmt.Sprintf("none of the app's public keys is for encryption with %s: "+
		"it needs one of the right kind whose use is enc, or that has none, and whose alg is that or none", e.alg)
}

// encryptionKey returns the key to encrypt with, one that says that it is for encryption before others; or
// errNoEncryptionKey.
func (r registeredKeys) encryptionKey(alg jose.KeyAlgorithm) (*jose.JSONWebKey, error) {
	var found *jose.JSONWebKey
	for i := range r.Keys {
		key := &r.Keys[i]
		if key.Algorithm != "" && key.Algorithm != string(alg) || !fits(key, alg) {
			continue
		}
		if key.Use == useEncryption {
			return key, nil
		}
		if key.Use == "" && found == nil {
			found = key
		}
	}
	if found == nil {
		return nil, errNoEncryptionKey{alg}
	}
	return found, nil
}

// fits tells whether a key is of the kind that the algorithm takes, neither weak nor a burden, and one that can be
// encrypted with at all.
func fits(key *jose.JSONWebKey, alg jose.KeyAlgorithm) bool {
	switch public := key.Key.(type) {
	case *rsa.PublicKey:
		return alg == jose.RSA_OAEP_256 && public.N.BitLen() >= minRSABits && public.N.BitLen() <= maxRSABits &&
			public.N.Bit(0) == 1 && public.E >= 3 && public.E <= math.MaxInt32 && public.E%2 == 1
	case *ecdsa.PublicKey:
		return alg != jose.RSA_OAEP_256
	default:
		return false
	}
}

// CanEncrypt says, as an *oidc.Error for the app, why nothing can be encrypted for it in that way; nil where it can.
// Ask it before something is used up for the answer.
func (p *Store) CanEncrypt(ctx context.Context, client *Client, how Encryption) error {
	if how.Alg == "" {
		return nil
	}
	_, err := p.encryptionKey(ctx, client, jose.KeyAlgorithm(how.Alg))
	return err
}

func (p *Store) encryptionKey(ctx context.Context, client *Client, alg jose.KeyAlgorithm) (*jose.JSONWebKey, error) {
	keys, err := p.keySet(client)
	if err != nil {
		return nil, oidc.ServerError(err)
	}
	key, err := keys.EncryptionKey(ctx, alg)
	if none := (errNoEncryptionKey{}); errors.As(err, &none) {
		return nil, &oidc.Error{
			Code: "invalid_request", Status: http.StatusBadRequest,
			Description: "The answer cannot be encrypted: " + none.Error() + ".",
		}
	} else if err != nil {
		return nil, oidc.Unavailable(err)
	}
	return key, nil
}

// Encrypt encrypts a JWT that was signed for an app in the way that it is registered for, so that it alone can read it:
// RFC 7519, section 5.2. Where that is none, it returns the JWT as it is. It may fetch keys, so it has no place in a
// transaction. It returns an *oidc.Error where the app's keys cannot be fetched, or none fits.
func (p *Store) Encrypt(ctx context.Context, client *Client, how Encryption, signed string) (string, error) {
	if how.Alg == "" {
		return signed, nil
	}
	key, err := p.encryptionKey(ctx, client, jose.KeyAlgorithm(how.Alg))
	if err != nil {
		return "", err
	}
	encrypter, err := jose.NewEncrypter(
		jose.ContentEncryption(how.Enc),
		jose.Recipient{Algorithm: jose.KeyAlgorithm(how.Alg), Key: key.Key, KeyID: key.KeyID},
		new(jose.EncrypterOptions).WithContentType("JWT"),
	)
	if err != nil {
		return "", oidc.ServerError(fmt.Errorf("encrypt for the app %s: %w", client.ID, err))
	}
	encrypted, err := encrypter.Encrypt([]byte(signed))
	if err != nil {
		return "", oidc.ServerError(fmt.Errorf("encrypt for the app %s: %w", client.ID, err))
	}
	return encrypted.CompactSerialize()
}
