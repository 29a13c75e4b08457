package keys

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
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

const (
	// PublishAhead is how long a new key is published before it signs. Apps keep the key set for JWKSMaxAge at the most,
	// so each of them has seen the key by then.
	PublishAhead = 15 * time.Minute
	// JWKSMaxAge is how long apps may keep the key set.
	JWKSMaxAge = 5 * time.Minute
	// publishedAfter is how long a key is published, and trusted, after its successor signs: longer than any token
	// lives, for an ID token that has expired comes back as a hint.
	publishedAfter = 30 * 24 * time.Hour
	// clockDifference is how far the clocks of replicas may be apart: a key that is to sign at once signs on all of them.
	clockDifference = 5 * time.Minute
	// keysRefreshed is how often a running server looks for keys that another process made.
	keysRefreshed = 15 * time.Second

	sealForKeys = "signing key"
)

// Keys are the signing keys, parsed and in memory: a signature, a verification and the published set cost no query.
// Make one with its fields set, and Load it.
type Keys struct {
	Database *storage.Database
	Seal     *seal.Seal
	Now      func() time.Time
	Log      *slog.Logger

	ring    atomic.Pointer[ring]
	loading sync.Mutex
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
	if _, err := k.add(ctx, missing, k.Now().Add(-clockDifference), k.Now(), true); err != nil {
		return err
	}
	return k.Reload(ctx)
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
			if err := k.Reload(ctx); err != nil && ctx.Err() == nil {
				k.Log.Error("reload signing keys; the ones in memory go on", "error", err)
			}
		}
	}
}

// Rotate makes a new key for every algorithm. It is published now and signs once every app can have seen it; the keys
// before it stay published until what they signed has expired. That breaks nobody. leaked is for the day when a key is
// in the wrong hands: the new keys sign at once, and nothing that the old ones signed is trusted any more.
func (k *Keys) Rotate(ctx context.Context, leaked bool) ([]SigningKey, error) {
	from, retire := k.Now().Add(PublishAhead), k.Now().Add(PublishAhead+publishedAfter)
	if leaked {
		from, retire = k.Now().Add(-clockDifference), k.Now()
	}
	made, err := k.add(ctx, SigningAlgs, from, retire, false)
	if err != nil {
		return nil, err
	}
	return made, k.Reload(ctx)
}

// List returns every key, newest first.
func (k *Keys) List(ctx context.Context) ([]SigningKey, error) {
	var keys []SigningKey
	if err := k.Database.Reader().NewSelect().Model(&keys).Order("signs_from DESC", "alg").Scan(ctx); err != nil {
		return nil, fmt.Errorf("list signing keys: %w", err)
	}
	return keys, nil
}

// add makes keys that sign from one time on and retires those before them at another. Processes that start together
// agree on one key for each algorithm: onlyMissing looks again behind the lock.
func (k *Keys) add(
	ctx context.Context, algs []jose.SignatureAlgorithm, from, retire time.Time, onlyMissing bool,
) ([]SigningKey, error) {
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
	kept, err := storage.Write(ctx, k.Database, func(ctx context.Context, tx bun.Tx) ([]SigningKey, error) {
		if err := k.Database.Lock(ctx, tx, "signing keys"); err != nil {
			return nil, err
		}
		var kept []SigningKey
		for _, key := range made {
			if onlyMissing {
				exists, err := tx.NewSelect().Model((*SigningKey)(nil)).
					Where("alg = ? AND published_until IS NULL", key.Alg).Exists(ctx)
				if err != nil {
					return nil, err
				}
				if exists {
					continue
				}
			}
			_, err := tx.NewUpdate().Model((*SigningKey)(nil)).Set("published_until = ?", retire).
				Where("alg = ? AND (published_until IS NULL OR published_until > ?)", key.Alg, retire).Exec(ctx)
			if err != nil {
				return nil, err
			}
			if _, err := tx.NewInsert().Model(&key).Exec(ctx); err != nil {
				return nil, err
			}
			err = audit.Record(ctx, tx, now, audit.Change{
				Entity: "signing_key", EntityID: key.KID, Action: "created", New: audit.Values{"alg": key.Alg, "signs_from": from},
			})
			if err != nil {
				return nil, err
			}
			kept = append(kept, key)
		}
		return kept, nil
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
	return &SigningKey{
		KID: base64.RawURLEncoding.EncodeToString(thumbprint), Alg: string(alg),
		SealedKey: k.Seal.Close(sealForKeys, encoded),
	}, nil
}

// SealedColumns are where this package keeps what the master key has sealed.
var SealedColumns = []seal.SealedColumn{{Table: "signing_keys", Key: "kid", Column: "sealed_key", Purpose: sealForKeys}}
