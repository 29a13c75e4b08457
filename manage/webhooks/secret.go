package webhooks

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
	"github.com/wicket-id/wicket/storage/seal"
)

const (
	sealForSecrets = "webhook secret"
	secretPrefix   = "whsec_"       // Standard Webhooks, "Signature scheme"
	secretSize     = 32             // bytes
	oldSecretKept  = 24 * time.Hour // besides the new one
)

// SealedColumns are the columns of this package that hold sealed values.
var SealedColumns = []seal.SealedColumn{
	{Table: "webhooks", Key: "id", Column: "sealed_secret", Purpose: sealForSecrets},
	{Table: "webhooks", Key: "id", Column: "sealed_old_secret", Purpose: sealForSecrets},
}

// newSecret makes a secret as Standard Webhooks writes it.
func newSecret() string {
	random := make([]byte, secretSize)
	_, _ = rand.Read(random) // never fails, says its documentation
	return secretPrefix + base64.StdEncoding.EncodeToString(random)
}

// WebhookSecret is a secret that has just been made.
type WebhookSecret struct {
	Secret          string    `json:"secret" doc:"Shown this once."`
	OldSecretEndsAt time.Time `json:"old_secret_ends_at" doc:"Until then the secret before signs too, and a receiver may know either."`
}

// Rotate gives a webhook another secret. For a day the one before signs too; one before that does no more. It returns a
// *manage.ForbiddenError, a *manage.StepUpError or storage.ErrNotFound.
func (s *Store) Rotate(ctx context.Context, by manage.Caller, id string) (*WebhookSecret, error) {
	if err := by.Demand(manage.WriteWebhooks); err != nil {
		return nil, err
	}
	now, secret := s.Now(), newSecret()
	sealed, ends := s.Seal.Close(sealForSecrets, []byte(secret)), now.Add(oldSecretKept)
	err := s.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		err := storage.OneRow(tx.NewUpdate().Model((*row)(nil)).
			Set("sealed_old_secret = sealed_secret").Set("old_secret_ends_at = ?", ends).
			Set("sealed_secret = ?", sealed).Set("secret_since = ?", now).
			Set("modified_at = ?", now).Set("modified_by = ?", audit.ActorOf(ctx).Name).
			Where("id = ?", id).Exec(ctx))
		if err != nil {
			return err
		}
		return audit.Record(ctx, tx, now, audit.Change{Entity: "webhook", EntityID: id, Action: "secret_rotated"})
	})
	if err != nil {
		return nil, fmt.Errorf("rotate the secret of a webhook: %w", err)
	}
	return &WebhookSecret{secret, ends}, nil
}

// secrets are what a webhook's messages are signed with at a time, the new one first.
func (s *Store) secrets(w *row, now time.Time) (secrets [][]byte, err error) {
	sealed := [][]byte{w.SealedSecret}
	if w.SealedOldSecret != nil && w.OldSecretEndsAt != nil && w.OldSecretEndsAt.After(now) {
		sealed = append(sealed, w.SealedOldSecret)
	}
	for _, one := range sealed {
		text, err := s.Seal.Open(sealForSecrets, one)
		if err != nil {
			return nil, err
		}
		secret, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(string(text), secretPrefix))
		if err != nil {
			return nil, err
		}
		secrets = append(secrets, secret)
	}
	return secrets, nil
}

// forgetOldSecrets deletes secrets that sign no more, and returns how many.
func forgetOldSecrets(ctx context.Context, s *Store) (int64, error) {
	now := s.Now()
	return storage.Write(ctx, s.Database, func(ctx context.Context, tx bun.Tx) (int64, error) {
		result, err := tx.NewUpdate().Model((*row)(nil)).
			Set("sealed_old_secret = NULL").Set("old_secret_ends_at = NULL").
			Where("old_secret_ends_at <= ?", now).Exec(ctx)
		if err != nil {
			return 0, err
		}
		return result.RowsAffected()
	})
}

// Expire deletes what has served its time: events that are kept no longer, with their deliveries, and old secrets. It
// returns how many rows of each table went.
func (s *Store) Expire(ctx context.Context) (map[string]int64, error) {
	dropped, err := s.Events.Expire(ctx)
	secrets, secretsErr := forgetOldSecrets(ctx, s)
	return map[string]int64{"events": dropped, "old_webhook_secrets": secrets}, errors.Join(err, secretsErr)
}
