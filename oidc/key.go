package oidc

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
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

const (
	// PublishAhead is how long a new key is published before it signs. Apps keep the key set for JWKSMaxAge at the most,
	// so each of them has seen the key by then.
	PublishAhead = 15 * time.Minute
	// JWKSMaxAge is how long apps may keep the key set.
	JWKSMaxAge = 5 * time.Minute
	// publishedAfter is how long a key is published after its successor signs: longer than any token lives.
	publishedAfter = 24 * time.Hour
	// keysRefreshed is how often a running server looks for keys that another process made.
	keysRefreshed = 15 * time.Second

	sealForKeys = "signing key"
)

// Keys are the signing keys, parsed and in memory: a signature, a verification and the published set cost no query. Make
// one with its fields set, and Load it.
type Keys struct {
	Database *storage.Database
	Seal     *storage.Seal
	Now      func() time.Time
	Log      *slog.Logger

	ring    atomic.Pointer[ring]
	loading sync.Mutex
}

// ring is one state of the keys; it is never changed, only replaced.
type ring struct {
	keys []*ringKey // newest first
	jwks []byte
}

type ringKey struct {
	SigningKey
	private crypto.Signer
	public  jose.JSONWebKey

	mu      sync.Mutex
	signers map[string]jose.Signer // by typ
}

// Load reads the keys, makes those that are missing and publishes them. Call it once at start.
func (k *Keys) Load(ctx context.Context) error {
	if err := k.reload(ctx); err != nil {
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
	if _, err := k.add(ctx, missing, k.Now(), true); err != nil {
		return err
	}
	return k.reload(ctx)
}

// Watch takes over keys that another process makes, until ctx ends.
func (k *Keys) Watch(ctx context.Context) {
	ticker := time.NewTicker(keysRefreshed)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if err := k.reload(ctx); err != nil && ctx.Err() == nil {
				k.Log.Error("reload signing keys; the ones in memory go on", "error", err)
			}
		}
	}
}

// Rotate makes a new key for every algorithm. It is published now and signs once every app can have seen it; at once, if
// immediately is set (a key has leaked): then apps that do not fetch the set again for an unknown kid fail for up to
// JWKSMaxAge. The keys before it stay published until what they signed has expired.
func (k *Keys) Rotate(ctx context.Context, immediately bool) ([]SigningKey, error) {
	from := k.Now()
	if !immediately {
		from = from.Add(PublishAhead)
	}
	made, err := k.add(ctx, SigningAlgs, from, false)
	if err != nil {
		return nil, err
	}
	return made, k.reload(ctx)
}

// List returns every key, newest first.
func (k *Keys) List(ctx context.Context) ([]SigningKey, error) {
	var keys []SigningKey
	if err := k.Database.Reader().NewSelect().Model(&keys).Order("signs_from DESC", "alg").Scan(ctx); err != nil {
		return nil, fmt.Errorf("list signing keys: %w", err)
	}
	return keys, nil
}

// Published returns the JWK set as it is served (RFC 7517, section 5).
func (k *Keys) Published() []byte { return k.ring.Load().jwks }

// Sign signs claims as a JWT of that type with the key of today.
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

// Verify returns the payload of a JWT that we signed with one of algs and gave the type typ. It does not look at claims.
func (k *Keys) Verify(token, typ string, algs ...jose.SignatureAlgorithm) ([]byte, error) {
	signed, err := jose.ParseSigned(token, algs)
	if err != nil || len(signed.Signatures) != 1 {
		return nil, errSignature
	}
	header := signed.Signatures[0].Protected
	if got, _ := header.ExtraHeaders[jose.HeaderType].(string); got != typ {
		return nil, errSignature
	}
	key := k.ring.Load().byID(header.KeyID)
	if key == nil || key.Alg != header.Algorithm {
		return nil, errSignature
	}
	payload, err := signed.Verify(&key.public)
	if err != nil {
		return nil, errSignature
	}
	return payload, nil
}

// add makes keys that sign from that time on. Processes that start together agree on one key for each algorithm: onlyMissing
// looks again behind the lock.
func (k *Keys) add(ctx context.Context, algs []jose.SignatureAlgorithm, from time.Time, onlyMissing bool) ([]SigningKey, error) {
	now := k.Now()
	made := make([]SigningKey, 0, len(algs))
	for _, alg := range algs { // before the transaction: an RSA key takes a while
		key, err := k.generate(alg)
		if err != nil {
			return nil, fmt.Errorf("make a %s key: %w", alg, err)
		}
		key.CreatedAt, key.SignsFrom = now, from
		made = append(made, *key)
	}
	var kept []SigningKey
	err := k.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		if err := k.Database.Lock(ctx, tx, "signing keys"); err != nil {
			return err
		}
		for _, key := range made {
			if onlyMissing {
				exists, err := tx.NewSelect().Model((*SigningKey)(nil)).Where("alg = ? AND published_until IS NULL", key.Alg).Exists(ctx)
				if err != nil {
					return err
				}
				if exists {
					continue
				}
			}
			_, err := tx.NewUpdate().Model((*SigningKey)(nil)).Set("published_until = ?", from.Add(publishedAfter)).
				Where("alg = ? AND published_until IS NULL", key.Alg).Exec(ctx)
			if err != nil {
				return err
			}
			if _, err := tx.NewInsert().Model(&key).Exec(ctx); err != nil {
				return err
			}
			err = storage.Record(ctx, tx, now, storage.Change{Entity: "signing_key", EntityID: key.KID, Action: "created", New: storage.Values{"alg": key.Alg, "signs_from": from}})
			if err != nil {
				return err
			}
			kept = append(kept, key)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("add signing keys: %w", err)
	}
	return kept, nil
}

func (k *Keys) generate(alg jose.SignatureAlgorithm) (*SigningKey, error) {
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
	public := jose.JSONWebKey{Key: private.Public()}
	thumbprint, err := public.Thumbprint(crypto.SHA256)
	if err != nil {
		return nil, err
	}
	return &SigningKey{KID: base64.RawURLEncoding.EncodeToString(thumbprint), Alg: string(alg), SealedKey: k.Seal.Close(sealForKeys, encoded)}, nil
}

// reload reads the keys and replaces the ring.
func (k *Keys) reload(ctx context.Context) error {
	k.loading.Lock()
	defer k.loading.Unlock()
	rows, err := k.List(ctx)
	if err != nil {
		return err
	}
	now, before := k.Now(), k.ring.Load()
	next := &ring{}
	published := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{}}
	for _, row := range rows {
		key := before.byID(row.KID)
		if key == nil || !samePeriod(key.SigningKey, row) {
			if key, err = k.parse(row); err != nil {
				return fmt.Errorf("signing key %s: %w", row.KID, err)
			}
		}
		next.keys = append(next.keys, key)
		if row.PublishedUntil == nil || now.Before(*row.PublishedUntil) {
			published.Keys = append(published.Keys, key.public)
		}
	}
	if next.jwks, err = json.Marshal(published); err != nil {
		return err
	}
	if before != nil && bytes.Equal(before.jwks, next.jwks) {
		next.jwks = before.jwks
	}
	k.ring.Store(next)
	return nil
}

func samePeriod(a, b SigningKey) bool {
	if (a.PublishedUntil == nil) != (b.PublishedUntil == nil) {
		return false
	}
	return a.SignsFrom.Equal(b.SignsFrom) && (a.PublishedUntil == nil || a.PublishedUntil.Equal(*b.PublishedUntil))
}

func (k *Keys) parse(row SigningKey) (*ringKey, error) {
	encoded, err := k.Seal.Open(sealForKeys, row.SealedKey)
	if err != nil {
		return nil, fmt.Errorf("%w: is WICKET_SECRET the one that this database was made with?", err)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(encoded)
	if err != nil {
		return nil, err
	}
	private, ok := parsed.(crypto.Signer)
	if !ok {
		return nil, errors.New("not a signing key")
	}
	return &ringKey{
		SigningKey: row,
		private:    private,
		public:     jose.JSONWebKey{Key: private.Public(), KeyID: row.KID, Algorithm: row.Alg, Use: "sig"},
		signers:    make(map[string]jose.Signer),
	}, nil
}

// signing returns the key that signs with alg at that time, or nil.
func (r *ring) signing(alg jose.SignatureAlgorithm, at time.Time) *ringKey {
	for _, key := range r.keys { // newest first
		if key.Alg == string(alg) && !at.Before(key.SignsFrom) {
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
	options := (&jose.SignerOptions{}).WithType(jose.ContentType(typ))
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(k.Alg), Key: jose.JSONWebKey{Key: k.private, KeyID: k.KID}}, options)
	if err != nil {
		return nil, err
	}
	k.signers[typ] = signer
	return signer, nil
}
