package clients

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/storage"
)

// MaxKeptSecret is how long the secret before may be good at the most, while one is rotated.
const MaxKeptSecret = 90 * 24 * time.Hour

// ErrNoSecret says that a client proves who it is otherwise than by a secret.
var ErrNoSecret = fmt.Errorf("%w: this client has no secret", ErrClient)

// isSecretOf tells whether that is the secret of a client, or the one before where that is still good. It takes the
// same time whether there is one before or not.
func isSecretOf(client *Client, secret string, now time.Time) bool {
	digest, previous := storage.Digest(secret), client.PreviousSecretHash
	if previous == nil || client.PreviousSecretUntil == nil || !now.Before(*client.PreviousSecretUntil) {
		previous = nobodys
	}
	return subtle.ConstantTimeCompare(digest, client.SecretHash)|subtle.ConstantTimeCompare(digest, previous) == 1
}

// nobodys is as long as a digest, and of no secret.
var nobodys = make([]byte, len(storage.Digest("")))

// RotateSecret gives a client another secret and returns it. The one that it had is good for keepOld more, so that the
// app can be given the new one in the meantime; one before that is not. It returns storage.ErrNotFound, ErrNoSecret,
// ErrClient where keepOld is negative or longer than MaxKeptSecret, or ErrClientChanged.
func (p *Store) RotateSecret(ctx context.Context, id string, keepOld time.Duration) (*Client, string, error) {
	if keepOld < 0 || keepOld > MaxKeptSecret {
		return nil, "", fmt.Errorf("%w: the old secret may be kept for %s at the most", ErrClient, MaxKeptSecret)
	}
	before, err := p.Fresh(ctx, id)
	if err != nil {
		return nil, "", err
	}
	if before.SecretHash == nil {
		return nil, "", ErrNoSecret
	}
	secret, after := storage.NewSecret(), *before
	after.SecretHash, after.PreviousSecretHash, after.PreviousSecretUntil = storage.Digest(secret), nil, nil
	if keepOld > 0 {
		until := p.Now().Add(keepOld)
		after.PreviousSecretHash, after.PreviousSecretUntil = before.SecretHash, &until
	}
	if err := p.Replace(ctx, before, &after); errors.Is(err, storage.ErrNotFound) {
		return nil, "", ErrClientChanged
	} else if err != nil {
		return nil, "", err
	}
	return &after, secret, nil
}

// ForgetOldSecrets removes the secrets before that are no longer good, and returns of how many clients.
func (p *Store) ForgetOldSecrets(ctx context.Context) (int64, error) {
	now := p.Now()
	return storage.Write(ctx, p.Database, func(ctx context.Context, tx bun.Tx) (int64, error) {
		result, err := tx.NewUpdate().Model((*Client)(nil)).
			Set("previous_secret_hash = NULL").Set("previous_secret_until = NULL").
			// Or SQLite's trigger writes it: at times with a zero at the end, another text than the one that Replace compares.
			Set("modified_at = ?", now).
			Where("previous_secret_until <= ?", now).Exec(ctx)
		if err != nil {
			return 0, err
		}
		return result.RowsAffected()
	})
}
