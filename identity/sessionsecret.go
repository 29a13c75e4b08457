package identity

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/storage"
)

// RenewSession writes what a live session has proved by now, and its new secret: a copy of the old one is worth nothing
// from now on. It returns storage.ErrNotFound where the session has ended, or waits for its next secret to be shown.
func RenewSession(ctx context.Context, tx bun.Tx, session *Session, evidence Evidence, secret string) error {
	shown := uuid.NullUUID{UUID: evidence.FactorID, Valid: evidence.FactorID != uuid.Nil}
	renewed := &Session{ID: session.ID, AMR: evidence.AMR, ACR: evidence.ACR, SecretHash: storage.Digest(secret)}
	return storage.OneRow(tx.NewUpdate().Model(renewed).
		Column("amr", "acr", "secret_hash").
		Set("factor_id = coalesce(factor_id, ?)", shown).
		Where("id = ? AND ended_at IS NULL AND next_secret_hash IS NULL", session.ID).
		Where("auth_time = ?", session.AuthTime). // whoever has signed in again meanwhile has another secret
		Where("EXISTS (SELECT 1 FROM users WHERE id = ? AND is_active AND session_version = ?)", session.UserID, session.SessionVersion).Exec(ctx))
}

// oldSecretFor is how long an old secret works at the most.
const oldSecretFor = 5 * time.Minute

// RenewSecret adds a new secret to an update of a session whose password was changed. The old one goes when the browser
// shows that it has got the new one, for the answer may be lost on its way, and then the browser has nothing else.
// Until then it shows pages and signs out, and does nothing else: it changes nothing (Stands), lets no app in, and gets
// no other secret.
func RenewSecret(update *bun.UpdateQuery, secret string, now time.Time) *bun.UpdateQuery {
	return update.Set("next_secret_hash = ?", storage.Digest(secret)).Set("next_secret_at = ?", now).
		Where("next_secret_hash IS NULL")
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
// storage.ErrNotFound where it is no live session's.
func (s Sessions) confirmSecret(ctx context.Context, secret string) error {
	hash := storage.Digest(secret)
	// Asked beforehand, so that nothing is written for what is no session's. Others may have confirmed it meanwhile.
	found := new(Session)
	query := s.Database.Reader().NewSelect().Model(found).Column("next_secret_hash").
		Relation("User", func(q *bun.SelectQuery) *bun.SelectQuery { return q.Column("id") }).
		Where("(session.next_secret_hash = ? OR session.secret_hash = ?)", hash, hash)
	if err := storage.NotFound(s.live(query).Scan(ctx)); err != nil || found.NextSecretHash == nil {
		return err
	}
	return s.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewUpdate().Model((*Session)(nil)).
			Set("secret_hash = next_secret_hash").Set("next_secret_hash = NULL").Set("next_secret_at = NULL").
			Where("next_secret_hash = ? AND ended_at IS NULL", hash).Exec(ctx)
		return err
	})
}

// secretIs is the condition that a secret is a session's present one.
func secretIs(query *bun.SelectQuery, secret string, now time.Time) *bun.SelectQuery {
	return query.Where("session.secret_hash = ?", storage.Digest(secret)).
		Where("(session.next_secret_at IS NULL OR session.next_secret_at > ?)", now.Add(-oldSecretFor))
}
