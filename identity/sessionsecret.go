package identity

import (
	"context"
	"errors"
	"time"

	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/storage"
)

// A session gets a new secret when what it has proved changes, so that a copy of the old one is worth nothing. The old
// one goes when the browser shows that it has got the new one, or after a while: an answer may be lost on its way, and
// then the browser has nothing else.

// oldSecretFor is how long an old secret works at the most.
const oldSecretFor = 5 * time.Minute

// RenewSession writes what a live session has proved by now, and its new secret. It returns storage.ErrNotFound where
// the session has ended.
func RenewSession(
	ctx context.Context, tx bun.Tx, now time.Time, session *Session, evidence Evidence, secret string,
) error {
	renewed := &Session{ID: session.ID, AMR: evidence.AMR, ACR: evidence.ACR}
	return storage.OneRow(RenewSecret(tx.NewUpdate().Model(renewed).Column("amr", "acr"), secret, now).
		Where("id = ? AND ended_at IS NULL", session.ID).
		Where("auth_time = ?", session.AuthTime). // whoever has signed in again meanwhile has another secret
		Where("EXISTS (SELECT 1 FROM users WHERE id = ? AND is_active AND session_version = ?)", session.UserID, session.SessionVersion).Exec(ctx))
}

// RenewSecret adds a new secret to an update of a session.
func RenewSecret(update *bun.UpdateQuery, secret string, now time.Time) *bun.UpdateQuery {
	return update.Set("next_secret_hash = ?", storage.Digest(secret)).Set("next_secret_at = ?", now)
}

// Scan reads by a query that Select has made, with that secret. It returns storage.ErrNotFound.
func (s Sessions) Scan(ctx context.Context, query *bun.SelectQuery, secret string) error {
	err := storage.NotFound(query.Scan(ctx))
	if !errors.Is(err, storage.ErrNotFound) {
		return err
	}
	if err := s.confirmSecret(ctx, secret); err != nil {
		return err
	}
	return storage.NotFound(query.Scan(ctx))
}

// confirmSecret makes a secret that a browser has shown for the first time the session's only one. It returns
// storage.ErrNotFound where it is no session's.
func (s Sessions) confirmSecret(ctx context.Context, secret string) error {
	hash := storage.Digest(secret)
	// Asked beforehand, so that what strangers make up is not written about. Others may have confirmed it meanwhile.
	known, err := s.Database.Reader().NewSelect().Model((*Session)(nil)).
		Where("next_secret_hash = ? OR secret_hash = ?", hash, hash).Exists(ctx)
	if err != nil {
		return err
	}
	if !known {
		return storage.ErrNotFound
	}
	return s.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewUpdate().Model((*Session)(nil)).
			Set("secret_hash = next_secret_hash").Set("next_secret_hash = NULL").Set("next_secret_at = NULL").
			Where("next_secret_hash = ?", hash).Exec(ctx)
		return err
	})
}

// secretIs is the condition that a secret is a session's present one.
func secretIs(query *bun.SelectQuery, secret string, now time.Time) *bun.SelectQuery {
	return query.Where("session.secret_hash = ?", storage.Digest(secret)).
		Where("(session.next_secret_at IS NULL OR session.next_secret_at > ?)", now.Add(-oldSecretFor))
}
