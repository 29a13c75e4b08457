package webhooks

import (
	"context"
	"errors"
	"time"

	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/administrators"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
	"github.com/wicket-id/wicket/storage/outgoing"
)

// Why a webhook was switched off.
const (
	reasonGone    = "gone"    // it said so: 410
	reasonFailing = "failing" // it took nothing for days
)

// noteFailure notes that an attempt has failed, and switches off a webhook of which all have for days.
func (s *Store) noteFailure(ctx context.Context, tx bun.Tx, now time.Time, w *row) error {
	if w.FailingSince != nil {
		if now.Sub(*w.FailingSince) < failsFor {
			return nil
		}
		return s.switchOff(ctx, tx, now, w, reasonFailing)
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO webhook_failures (webhook_id, since)
		SELECT id, ? FROM webhooks WHERE id = ? ON CONFLICT (webhook_id) DO NOTHING`, now, w.ID)
	return err
}

func forgetFailures(ctx context.Context, tx bun.Tx, id string) error {
	_, err := tx.NewDelete().Table("webhook_failures").Where("webhook_id = ?", id).Exec(ctx)
	return err
}

// switchOff switches a webhook off and tells the owners of this server, once.
func (s *Store) switchOff(ctx context.Context, tx bun.Tx, now time.Time, w *row, reason string) error {
	err := storage.OneRow(tx.NewUpdate().Model((*row)(nil)).
		Set("is_active = FALSE").Set("inactive_because = ?", reason).
		Set("modified_at = ?", now).Set("modified_by = ?", audit.ActorOf(ctx).Name).
		Where("id = ? AND is_active AND url = ?", w.ID, w.URL).Exec(ctx))
	if errors.Is(err, storage.ErrNotFound) { // it is off already, or somewhere else by now
		return nil
	} else if err != nil {
		return err
	}
	err = audit.Record(ctx, tx, now, audit.Change{
		Entity: "webhook", EntityID: w.ID, Action: "disabled", New: audit.Values{"reason": reason},
	})
	if err != nil {
		return err
	}
	return s.tellOwners(ctx, tx, now, map[string]string{
		"webhook": w.ID, "host": outgoing.HostOf(w.URL), "reason": reason,
	})
}

// tellOwners sends the people who own this server a mail.
func (s *Store) tellOwners(ctx context.Context, tx bun.Tx, now time.Time, values map[string]string) error {
	var owners []identity.User
	err := tx.NewSelect().Model(&owners).
		Where(`"user".is_active AND EXISTS (SELECT 1 FROM admin_roles WHERE user_id = "user".id AND role = ?
			AND revoked_at IS NULL AND (ends_at IS NULL OR ends_at > ?))`, administrators.Owner, now).Scan(ctx)
	if err != nil {
		return err
	}
	for i := range owners {
		err := s.Identity.TellOwner(ctx, tx, now, &owners[i], identity.MessageWebhookDisabled, "", 0, nil, values)
		if err != nil {
			return err
		}
	}
	return nil
}
