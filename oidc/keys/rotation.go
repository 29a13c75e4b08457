package keys

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

const (
	// PublishAhead is how long a new key is published before it signs. Apps keep the key set for JWKSMaxAge at the most,
	// so each of them has seen the key by then.
	PublishAhead = 15 * time.Minute
	// JWKSMaxAge is how long apps may keep the key set.
	JWKSMaxAge = 5 * time.Minute
	// publishedAfter is how long a key is published, and trusted, after its successor signs: longer than any token
	// lives, for an ID token that has expired comes back as a hint.
	publishedAfter = 30 * 24 * time.Hour
	// clockDifference is how far the clocks of replicas may be apart: the first key of all, which is to sign at once,
	// signs on all of them.
	clockDifference = 5 * time.Minute
	// announced is how long before it signs a key is in the database at least, so that every running server knows it: one
	// that learned of it late would refuse what the others sign, and publish a set without it.
	announced = 5 * time.Second
	// overlap is how long the key before it is trusted on, for servers that are a moment behind: their clocks agree with
	// the database's to a second.
	overlap = 2 * time.Second
)

// Rotate makes a new key for each of the algorithms, or, where none is named, for every one of SigningAlgs. It is
// published now and signs once every app can have seen it; the keys before it stay published until what they signed has
// expired. That breaks nobody. leaked is for the day when a key is in the wrong hands: the new keys sign after five
// seconds, when every running server knows them, and two seconds later nothing that the old ones signed is trusted any
// more.
func (k *Keys) Rotate(ctx context.Context, leaked bool, algs ...jose.SignatureAlgorithm) ([]SigningKey, error) {
	if len(algs) == 0 {
		algs = SigningAlgs
	}
	from, retire := PublishAhead, PublishAhead+publishedAfter
	if leaked {
		from, retire = announced, announced+overlap
	}
	made, err := k.add(ctx, algs, from, retire, false)
	if err != nil {
		return nil, err
	}
	return made, k.Reload(ctx)
}

// RotateNamed makes new keys for the algorithms of these names, whether they sign or apps encrypt by them; where none
// is named, for all that have one. See Rotate and RotateEncryption.
func (k *Keys) RotateNamed(
	ctx context.Context, leaked bool, names ...string,
) (signing []SigningKey, encryption []EncryptionKey, err error) {
	var sign []jose.SignatureAlgorithm
	var encrypt []jose.KeyAlgorithm
	for _, name := range names {
		if slices.Contains(SigningAlgs, jose.SignatureAlgorithm(name)) {
			sign = append(sign, jose.SignatureAlgorithm(name))
		} else {
			encrypt = append(encrypt, jose.KeyAlgorithm(name))
		}
	}
	if len(names) == 0 || len(sign) > 0 {
		signing, err = k.Rotate(ctx, leaked, sign...)
	}
	if err == nil && (len(names) == 0 || len(encrypt) > 0) {
		encryption, err = k.RotateEncryption(ctx, leaked, encrypt...)
	}
	return signing, encryption, err
}

// add makes keys that sign from one time on and retires those before them at another; both count from the moment when
// the lock was had, for which another rotation may be waited long. Processes that start together agree on one key for
// each algorithm: onlyMissing looks again behind the lock.
func (k *Keys) add(
	ctx context.Context, algs []jose.SignatureAlgorithm, from, retire time.Duration, onlyMissing bool,
) ([]SigningKey, error) {
	made := make([]SigningKey, 0, len(algs))
	for _, alg := range algs { // before the transaction: an RSA key takes a while
		key, err := generate(alg, k.Seal)
		if err != nil {
			return nil, fmt.Errorf("make a %s key: %w", alg, err)
		}
		made = append(made, *key)
	}
	kept, err := storage.Write(ctx, k.Database, func(ctx context.Context, tx bun.Tx) ([]SigningKey, error) {
		if err := k.Database.Lock(ctx, tx, "signing keys"); err != nil {
			return nil, err
		}
		now := k.Now()
		retired := now.Add(retire)
		var kept []SigningKey
		for _, key := range made {
			key.CreatedAt, key.SignsFrom = now, now.Add(from)
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
			_, err := tx.NewUpdate().Model((*SigningKey)(nil)).Set("published_until = ?", retired).
				Where("alg = ? AND (published_until IS NULL OR published_until > ?)", key.Alg, retired).Exec(ctx)
			if err != nil {
				return nil, err
			}
			if _, err := tx.NewInsert().Model(&key).Exec(ctx); err != nil {
				return nil, err
			}
			err = audit.Record(ctx, tx, now, audit.Change{
				Entity: "signing_key", EntityID: key.KID, Action: "created", New: audit.Values{"alg": key.Alg, "signs_from": key.SignsFrom},
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
