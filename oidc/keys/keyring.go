package keys

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/seal"
)

// keysRefreshed is how often a running server looks for keys that another process made. It is well below announced, so
// that every server knows a key before any of them signs with it.
const keysRefreshed = 2 * time.Second

// Keys are the signing keys, and those that apps encrypt with, parsed and in memory: a signature, a verification and
// the published set cost no query.
// Make one with its fields set, and Load it.
type Keys struct {
	Database *storage.Database
	Seal     *seal.Seal
	Now      func() time.Time
	Log      *slog.Logger

	ring       atomic.Pointer[ring]
	loading    sync.Mutex
	unreadable map[string]bool // by kid: those that the log has named, behind loading

	providing   sync.Mutex   // while an encryption key is made
	reloadedFor atomic.Int64 // when they were last read for a key that was not known, in microseconds
}

// Load reads the keys, makes those that are missing and publishes them. Call it once at start.
func (k *Keys) Load(ctx context.Context) error {
	if err := k.Reload(ctx); err != nil {
		return err
	}
	var missing []jose.SignatureAlgorithm
	for _, alg := range SigningAlgs {
		if k.ring.Load().signing(alg, k.Now()) == nil {
			missing = append(missing, alg)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	if _, err := k.add(ctx, missing, -clockDifference, 0, true); err != nil {
		return err
	}
	return k.Reload(ctx)
}

// Watch takes over keys that another process makes, until ctx ends.
func (k *Keys) Watch(ctx context.Context) {
	ticker := time.NewTicker(keysRefreshed)
	defer ticker.Stop()
	failing := false // which is said once, and not every time
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			// A connection that hangs must not keep a key trusted that has leaked.
			reading, cancel := context.WithTimeout(ctx, keysRefreshed)
			err := k.Reload(reading)
			cancel()
			if err != nil && !failing && ctx.Err() == nil {
				k.Log.Error("reload signing keys; those in memory that can be read go on", "error", err)
			} else if err == nil && failing {
				k.Log.Info("the signing keys can be read again")
			}
			failing = err != nil
		}
	}
}

// ring is one state of the keys; it is never changed, only replaced.
type ring struct {
	keys           []*ringKey // newest first
	encryptionKeys []*decryptionKey
	jwks           []byte
}

type ringKey struct {
	SigningKey
	private crypto.Signer
	public  jose.JSONWebKey

	mu      sync.Mutex
	signers map[string]jose.Signer // by typ
}

// Published returns the JWK set as it is served (RFC 7517, section 5).
func (k *Keys) Published() []byte { return k.ring.Load().jwks }

// Sign signs claims as a JWT of that type, or of none where typ is empty, with the key of today.
func (k *Keys) Sign(alg jose.SignatureAlgorithm, typ string, claims any) (string, error) {
	key := k.ring.Load().signing(alg, k.Now())
	if key == nil {
		return "", fmt.Errorf("no signing key for %s", alg)
	}
	signer, err := key.signer(typ)
	if err != nil {
		return "", err
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		return "", err
	}
	return signed.CompactSerialize()
}

var errSignature = errors.New("this is not a JWT that we signed")

// Verify returns the payload of a JWT that we signed with one of algs, and a key that is published, and gave the type
// typ. It does not look at claims.
func (k *Keys) Verify(token, typ string, algs ...jose.SignatureAlgorithm) (payload []byte, kid string, err error) {
	signed, err := jose.ParseSignedCompact(token, algs)
	if err != nil || len(signed.Signatures) != 1 {
		return nil, "", errSignature
	}
	header := signed.Signatures[0].Protected
	if got, _ := header.ExtraHeaders[jose.HeaderType].(string); got != typ {
		return nil, "", errSignature
	}
	key := k.ring.Load().byID(header.KeyID)
	if key == nil || key.Alg != header.Algorithm || !key.published(k.Now()) {
		return nil, "", errSignature
	}
	payload, err = signed.Verify(&key.public)
	if err != nil {
		return nil, "", errSignature
	}
	return payload, key.KID, nil
}

// Trusts tells whether what the key of that id signed still counts.
func (k *Keys) Trusts(kid string) bool {
	key := k.ring.Load().byID(kid)
	return key != nil && key.published(k.Now())
}

// Reload reads the keys, which may be others now, and publishes them; it makes none. A key that cannot be read is left
// out, and the log names it once: the others, and the end of one that has leaked, must not wait for it. It returns an
// error where that key is one that signs now, which wraps seal.ErrSealed if the master key does not open it; the others
// are taken over all the same.
func (k *Keys) Reload(ctx context.Context) error {
	k.loading.Lock()
	defer k.loading.Unlock()
	rows, err := k.List(ctx)
	if err != nil {
		return err
	}
	now, before := k.Now(), k.ring.Load()
	next := &ring{}
	published := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{}}
	var fault error
	signed := make(map[string]bool) // by alg: the key that signs now was come by
	for _, row := range rows {      // newest first
		signs := !signed[row.Alg] && row.signs(now)
		signed[row.Alg] = signed[row.Alg] || signs
		key := before.byID(row.KID)
		if key == nil || !samePeriod(key.SigningKey, row) {
			if key, err = k.parse(row); err != nil {
				err = fmt.Errorf("signing key %s: %w", row.KID, err)
				if signs {
					fault = errors.Join(fault, err)
				}
				k.tellUnreadable(row.KID, err)
				continue
			}
		}
		next.keys = append(next.keys, key)
		if key.published(now) {
			published.Keys = append(published.Keys, key.public)
		}
	}
	encryption, err := k.reloadEncryption(ctx, before, next)
	if err != nil {
		return err
	}
	published.Keys = append(published.Keys, encryption...)
	if next.jwks, err = json.Marshal(published); err != nil {
		return err
	}
	k.ring.Store(next)
	return fault
}

// tellUnreadable says in the log that a key cannot be read, once.
func (k *Keys) tellUnreadable(kid string, err error) {
	if k.unreadable[kid] {
		return
	}
	if k.unreadable == nil {
		k.unreadable = make(map[string]bool)
	}
	k.unreadable[kid] = true
	k.Log.Error("a key cannot be read; the others go on", "kid", kid, "error", err)
}

func samePeriod(a, b SigningKey) bool {
	if (a.PublishedUntil == nil) != (b.PublishedUntil == nil) {
		return false
	}
	return a.SignsFrom.Equal(b.SignsFrom) && (a.PublishedUntil == nil || a.PublishedUntil.Equal(*b.PublishedUntil))
}

// open opens a private key that was sealed for that purpose.
func (k *Keys) open(purpose string, sealed []byte) (crypto.Signer, error) {
	encoded, err := k.Seal.Open(purpose, sealed)
	if err != nil {
		return nil, fmt.Errorf("%w: is WICKET_SECRET the one that this database was made with?", err)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(encoded)
	if err != nil {
		return nil, err
	}
	private, ok := parsed.(crypto.Signer)
	if !ok {
		return nil, errors.New("not a private key with a public one")
	}
	return private, nil
}

func (k *Keys) parse(row SigningKey) (*ringKey, error) {
	private, err := k.open(sealForKeys, row.SealedKey)
	if err != nil {
		return nil, err
	}
	return &ringKey{
		SigningKey: row,
		private:    private,
		public:     jose.JSONWebKey{Key: private.Public(), KeyID: row.KID, Algorithm: row.Alg, Use: "sig"},
		signers:    make(map[string]jose.Signer),
	}, nil
}

func (k *SigningKey) published(at time.Time) bool {
	return k.PublishedUntil == nil || at.Before(*k.PublishedUntil)
}

// signs tells whether a key may sign at that time; the newest of them does.
func (k *SigningKey) signs(at time.Time) bool { return !at.Before(k.SignsFrom) && k.published(at) }

// signing returns the key that signs with alg at that time, or nil.
func (r *ring) signing(alg jose.SignatureAlgorithm, at time.Time) *ringKey {
	for _, key := range r.keys { // newest first
		if key.Alg == string(alg) && key.signs(at) {
			return key
		}
	}
	return nil
}

func (r *ring) byID(kid string) *ringKey {
	if r == nil {
		return nil
	}
	for _, key := range r.keys {
		if key.KID == kid {
			return key
		}
	}
	return nil
}

// signer returns a signer that writes the header typ; it is made once.
func (k *ringKey) signer(typ string) (jose.Signer, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if signer, ok := k.signers[typ]; ok {
		return signer, nil
	}
	options := new(jose.SignerOptions)
	if typ != "" {
		options = options.WithType(jose.ContentType(typ))
	}
	signer, err := jose.NewSigner(
		jose.SigningKey{Algorithm: jose.SignatureAlgorithm(k.Alg), Key: jose.JSONWebKey{Key: k.private, KeyID: k.KID}},
		options,
	)
	if err != nil {
		return nil, err
	}
	k.signers[typ] = signer
	return signer, nil
}

// KnownTo tells whether a database holds one of our keys; if not, it is another Wicket's.
func (k *Keys) KnownTo(ctx context.Context, other *storage.Database) (bool, error) {
	var ids []string
	for _, key := range k.ring.Load().keys {
		ids = append(ids, key.KID)
	}
	known, err := other.Reader().NewSelect().Model((*SigningKey)(nil)).Where("kid IN (?)", bun.List(ids)).Exists(ctx)
	if err != nil {
		return false, fmt.Errorf("look for our signing keys: %w", err)
	}
	return known, nil
}

// List returns every key, newest first.
func (k *Keys) List(ctx context.Context) ([]SigningKey, error) {
	var keys []SigningKey
	if err := k.Database.Reader().NewSelect().Model(&keys).Order("signs_from DESC", "alg").Scan(ctx); err != nil {
		return nil, fmt.Errorf("list signing keys: %w", err)
	}
	return keys, nil
}
