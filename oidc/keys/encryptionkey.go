package keys

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

// EncryptionKey is a private key of Wicket's, sealed, for what apps encrypt with its public half, which is published
// until it has a successor. It signs nothing, and nothing that it would have signed is believed.
type EncryptionKey struct {
	bun.BaseModel `bun:"table:encryption_keys,alias:encryption_key"`

	KID           string     `bun:"kid,pk"` // RFC 7638 thumbprint
	Alg           string     `bun:"alg"`    // one of EncryptionAlgs
	SealedKey     []byte     `bun:"sealed_key"`
	CreatedAt     time.Time  `bun:"created_at"`
	DecryptsUntil *time.Time `bun:"decrypts_until"` // nil: no successor yet
}

// EncryptionAlgs are the ways in which apps may agree with us on the key of what they encrypt: RFC 7518, section 4.1. A
// key is made when an app is first registered for one. Secrets of apps are kept as digests, so they cannot encrypt; and
// RSA1_5 leaks what it protects to who may ask often enough.
var EncryptionAlgs = []jose.KeyAlgorithm{
	jose.RSA_OAEP, jose.RSA_OAEP_256, jose.ECDH_ES, jose.ECDH_ES_A128KW, jose.ECDH_ES_A192KW, jose.ECDH_ES_A256KW,
}

// EncryptionContentAlgs are the ways in which they may encrypt the content, each of which tells whether it was changed.
var EncryptionContentAlgs = []jose.ContentEncryption{
	jose.A128CBC_HS256, jose.A256CBC_HS512, jose.A128GCM, jose.A256GCM,
}

const (
	sealForEncryption = "encryption key"
	// decryptsAfter is how long a key decrypts after it has a successor, for apps that keep the key set for longer than
	// they should.
	decryptsAfter = 7 * 24 * time.Hour
	// leakedDecrypts is how long it does so where it is in the wrong hands: as long as apps may keep the key set. What
	// they encrypt until then can be read, but is signed too.
	leakedDecrypts = 2 * JWKSMaxAge
)

// ProvideEncryption makes a key for that algorithm, one of EncryptionAlgs, unless there is one. Apps may fetch it from
// this process at once, and from others within keysRefreshed.
func (k *Keys) ProvideEncryption(ctx context.Context, alg jose.KeyAlgorithm) error {
	if k.ring.Load().encryption(alg) != nil {
		return nil
	}
	k.providing.Lock() // many who register at once are to cost one key
	defer k.providing.Unlock()
	if k.ring.Load().encryption(alg) != nil {
		return nil
	}
	exists, err := k.Database.Reader().NewSelect().Model((*EncryptionKey)(nil)).
		Where("alg = ? AND decrypts_until IS NULL", alg).Exists(ctx)
	if err != nil {
		return fmt.Errorf("look for an encryption key: %w", err)
	}
	if !exists {
		if _, err := k.addEncryption(ctx, []jose.KeyAlgorithm{alg}, nil); err != nil {
			return err
		}
	}
	if k.ring.Load() == nil { // a command, which has loaded no keys and serves none
		return nil
	}
	return k.Reload(ctx)
}

// RotateEncryption makes a new key for each of the algorithms, or, where none is named, for each that has one. It is
// published instead of the one before, which decrypts for a week more what apps send that have not seen it. leaked is
// for the day when a key is in the wrong hands: then it does so for ten minutes.
func (k *Keys) RotateEncryption(
	ctx context.Context, leaked bool, algs ...jose.KeyAlgorithm,
) ([]EncryptionKey, error) {
	if len(algs) == 0 {
		err := k.Database.Reader().NewSelect().Model((*EncryptionKey)(nil)).Column("alg").
			Where("decrypts_until IS NULL").Scan(ctx, &algs)
		if err != nil {
			return nil, fmt.Errorf("list encryption keys: %w", err)
		}
	}
	after := decryptsAfter
	if leaked {
		after = leakedDecrypts
	}
	made, err := k.addEncryption(ctx, algs, &after)
	if err != nil {
		return nil, err
	}
	return made, k.Reload(ctx)
}

// addEncryption makes keys, before which others decrypt as long as retire says; nil: only where there is none.
func (k *Keys) addEncryption(
	ctx context.Context, algs []jose.KeyAlgorithm, retire *time.Duration,
) ([]EncryptionKey, error) {
	made := make([]EncryptionKey, 0, len(algs))
	for _, alg := range algs { // before the transaction: an RSA key takes a while
		key, err := k.generateEncryption(alg)
		if err != nil {
			return nil, fmt.Errorf("make a %s key: %w", alg, err)
		}
		made = append(made, *key)
	}
	kept, err := storage.Write(ctx, k.Database, func(ctx context.Context, tx bun.Tx) (kept []EncryptionKey, err error) {
		if err := k.Database.Lock(ctx, tx, "encryption keys"); err != nil {
			return nil, err
		}
		now := k.Now()
		for _, key := range made {
			key.CreatedAt = now
			if retire != nil {
				until := now.Add(*retire)
				_, err := tx.NewUpdate().Model((*EncryptionKey)(nil)).Set("decrypts_until = ?", until).
					Where("alg = ? AND (decrypts_until IS NULL OR decrypts_until > ?)", key.Alg, until).Exec(ctx)
				if err != nil {
					return nil, err
				}
			}
			result, err := tx.NewInsert().Model(&key).On("CONFLICT (alg) WHERE decrypts_until IS NULL DO NOTHING").
				Returning("NULL").Exec(ctx)
			if err != nil {
				return nil, err
			}
			if n, err := result.RowsAffected(); err != nil {
				return nil, err
			} else if n == 0 { // another process was first
				continue
			}
			err = audit.Record(ctx, tx, now, audit.Change{
				Entity: "encryption_key", EntityID: key.KID, Action: "created", New: audit.Values{"alg": key.Alg},
			})
			if err != nil {
				return nil, err
			}
			kept = append(kept, key)
		}
		return kept, nil
	})
	if err != nil {
		return nil, fmt.Errorf("add encryption keys: %w", err)
	}
	return kept, nil
}

func (k *Keys) generateEncryption(alg jose.KeyAlgorithm) (*EncryptionKey, error) {
	var private crypto.Signer
	var err error
	switch alg {
	case jose.RSA_OAEP, jose.RSA_OAEP_256:
		private, err = rsa.GenerateKey(rand.Reader, 2048)
	case jose.ECDH_ES, jose.ECDH_ES_A128KW, jose.ECDH_ES_A192KW, jose.ECDH_ES_A256KW:
		private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
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
	return &EncryptionKey{KID: kid, Alg: string(alg), SealedKey: k.Seal.Close(sealForEncryption, encoded)}, nil
}

// ListEncryption returns every encryption key, newest first.
func (k *Keys) ListEncryption(ctx context.Context) ([]EncryptionKey, error) {
	var keys []EncryptionKey
	err := k.Database.Reader().NewSelect().Model(&keys).Order("created_at DESC", "alg", "kid").Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("list encryption keys: %w", err)
	}
	return keys, nil
}
