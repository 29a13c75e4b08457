package signin

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

// rememberDevice makes the browser one that is known to the account, and returns the secret that it is to hold from now
// on. It is a new one each time: one that was planted there, or seen, is worth nothing after a sign-in. trusted is for
// how long it is spared the second step from now on; where it is identity.NotTrusted, what was said before holds.
func rememberDevice(
	ctx context.Context, tx bun.Tx, now time.Time, user *identity.User, device identity.Device, trusted time.Duration,
) (secret string, err error) {
	secret = storage.NewSecret()
	known := &identity.KnownDevice{
		ID: storage.NewID(), UserID: user.ID, SecretHash: storage.Digest(secret), Fingerprint: device.Fingerprint(),
		LastUsedAt: now, CreatedAt: now,
	}
	if trusted != identity.NotTrusted {
		until := now.Add(trusted)
		known.TrustedUntil = &until
	}
	var renewed []identity.KnownDevice
	if device.Secret != "" {
		// Of the other people too who use this browser: there is one cookie for all of them.
		update := tx.NewUpdate().Model((*identity.KnownDevice)(nil)).Set("secret_hash = ?", known.SecretHash).
			Set("fingerprint = CASE WHEN user_id = ? THEN ? ELSE fingerprint END", user.ID, known.Fingerprint).
			Set("failures = CASE WHEN user_id = ? THEN 0 ELSE failures END", user.ID).
			Set("last_used_at = CASE WHEN user_id = ? THEN ? ELSE last_used_at END", user.ID, now).
			Where("secret_hash = ?", storage.Digest(device.Secret)).Returning("id, user_id")
		if known.TrustedUntil != nil {
			update.Set("trusted_until = CASE WHEN user_id = ? THEN ? ELSE trusted_until END", user.ID, *known.TrustedUntil)
		}
		if err := update.Scan(ctx, &renewed); err != nil && storage.NotFound(err) != storage.ErrNotFound {
			return "", err
		}
	}
	if i := slices.IndexFunc(renewed, func(d identity.KnownDevice) bool { return d.UserID == user.ID }); i >= 0 {
		return secret, recordRemembered(ctx, tx, now, known, renewed[i].ID, device)
	}
	if err := storage.Later(ctx, tx, tx.NewInsert().Model(known).Returning("NULL")); err != nil {
		return "", err
	}
	return secret, recordRemembered(ctx, tx, now, known, known.ID, device)
}

// recordRemembered writes into the audit trail that a browser is known from now on, under that id, or trusted. That one
// is used again, which was known, is no news.
func recordRemembered(
	ctx context.Context, tx bun.Tx, now time.Time, d *identity.KnownDevice, id uuid.UUID, device identity.Device,
) error {
	change := audit.Change{
		Entity: "known_device", EntityID: id.String(), Action: "remembered", UserID: d.UserID,
		New: audit.Values{"device": device.Label()},
	}
	if d.TrustedUntil != nil {
		change.New["trusted_until"] = *d.TrustedUntil
	}
	if id != d.ID {
		if d.TrustedUntil == nil {
			return nil
		}
		change.Action = "trusted"
	}
	return audit.Record(ctx, tx, now, change)
}
