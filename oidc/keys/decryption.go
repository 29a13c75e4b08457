package keys

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// decryptionKey is an encryption key, parsed.
type decryptionKey struct {
	EncryptionKey

	private any // *rsa.PrivateKey or *ecdsa.PrivateKey
	public  jose.JSONWebKey
}

// ErrDecryption says that something cannot be decrypted. Why is not told: it is all that who has encrypted nothing
// could learn from our keys.
var ErrDecryption = errors.New("it is not encrypted by the algorithms that this client is registered for, with a key " +
	"that is published here, and without compression")

// maxEncrypted is how long something encrypted may be, in bytes.
const maxEncrypted = 32 << 10

// reloadedAfter is how often the keys are read again because somebody names one that is not known, which anybody can.
const reloadedAfter = time.Second

// Decrypt returns what an app has encrypted with one of our keys, in the compact form of RFC 7516, by exactly that
// algorithm of key agreement and that of the content. The header names the key by its kid, or the one that is published
// is meant. What is compressed is refused, for a little of it can become much. It returns ErrDecryption for whatever is
// wrong. Who has encrypted it is not known by that: anybody can.
func (k *Keys) Decrypt(
	ctx context.Context, encrypted string, alg jose.KeyAlgorithm, enc jose.ContentEncryption,
) ([]byte, error) {
	kid, ok := readEncryptedHeader(encrypted)
	if !ok {
		return nil, ErrDecryption
	}
	key := k.ring.Load().decryption(kid, alg, k.Now())
	if key == nil && k.mayReloadFor(k.Now()) { // another process may have made it a moment ago
		if err := k.Reload(ctx); err != nil && ctx.Err() == nil {
			k.Log.Error("reload keys for one that is not known", "error", err)
		}
		key = k.ring.Load().decryption(kid, alg, k.Now())
	}
	if key == nil {
		return nil, ErrDecryption
	}
	parsed, err := jose.ParseEncryptedCompact(encrypted, []jose.KeyAlgorithm{alg}, []jose.ContentEncryption{enc})
	if err != nil {
		return nil, ErrDecryption
	}
	content, err := parsed.Decrypt(key.private)
	if err != nil {
		return nil, ErrDecryption
	}
	return content, nil
}

// readEncryptedHeader reads the kid in the header of something encrypted, and tells whether the rest may be looked at.
func readEncryptedHeader(encrypted string) (kid string, ok bool) {
	encoded, _, _ := strings.Cut(encrypted, ".")
	decoded, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil || len(encrypted) > maxEncrypted {
		return "", false
	}
	var header map[string]json.RawMessage
	if err := json.Unmarshal(decoded, &header); err != nil {
		return "", false
	}
	for _, name := range []string{"zip", "crit"} {
		if _, given := header[name]; given {
			return "", false
		}
	}
	if value, given := header["kid"]; given {
		return kid, json.Unmarshal(value, &kid) == nil && kid != ""
	}
	return "", true
}

// mayReloadFor tells whether the keys may be read again now because one is not known.
func (k *Keys) mayReloadFor(now time.Time) bool {
	before := k.reloadedFor.Load()
	return now.UnixMicro()-before >= reloadedAfter.Microseconds() &&
		k.reloadedFor.CompareAndSwap(before, now.UnixMicro())
}

// encryption is the key that apps encrypt with by that algorithm, or nil.
func (r *ring) encryption(alg jose.KeyAlgorithm) *decryptionKey {
	if r == nil {
		return nil
	}
	for _, key := range r.encryptionKeys {
		if key.Alg == string(alg) && key.DecryptsUntil == nil {
			return key
		}
	}
	return nil
}

// decryption is the key with that kid, which is for that algorithm and decrypts at that time, or nil; without a kid the
// one that is published.
func (r *ring) decryption(kid string, alg jose.KeyAlgorithm, at time.Time) *decryptionKey {
	if kid == "" {
		return r.encryption(alg)
	}
	for _, key := range r.encryptionKeys {
		if key.KID == kid && key.Alg == string(alg) && (key.DecryptsUntil == nil || at.Before(*key.DecryptsUntil)) {
			return key
		}
	}
	return nil
}

// reloadEncryption reads the encryption keys into next, and returns those that are published. One that cannot be read
// is left out, and the log names it once: what is encrypted with it is refused, and nothing else is worse for it.
func (k *Keys) reloadEncryption(ctx context.Context, before, next *ring) ([]jose.JSONWebKey, error) {
	rows, err := k.ListEncryption(ctx)
	if err != nil {
		return nil, err
	}
	var published []jose.JSONWebKey
	for _, row := range rows {
		key := before.encryptionByID(row.KID)
		if key != nil {
			key = &decryptionKey{row, key.private, key.public}
		} else if key, err = k.parseEncryption(row); err != nil {
			k.tellUnreadable(row.KID, fmt.Errorf("encryption key %s: %w", row.KID, err))
			continue
		}
		next.encryptionKeys = append(next.encryptionKeys, key)
		if key.DecryptsUntil == nil {
			published = append(published, key.public)
		}
	}
	return published, nil
}

func (r *ring) encryptionByID(kid string) *decryptionKey {
	if r == nil {
		return nil
	}
	for _, key := range r.encryptionKeys {
		if key.KID == kid {
			return key
		}
	}
	return nil
}

func (k *Keys) parseEncryption(row EncryptionKey) (*decryptionKey, error) {
	private, err := k.open(sealForEncryption, row.SealedKey)
	if err != nil {
		return nil, err
	}
	return &decryptionKey{row, private, jose.JSONWebKey{
		Key: private.Public(), KeyID: row.KID, Algorithm: row.Alg, Use: "enc",
	}}, nil
}
