package identity

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

// KnownDevice is a browser in which a person has signed in before. It holds a secret by which it is known again: wrong
// passwords that strangers type elsewhere do not lock the account there, and it may be spared the second step. One
// secret serves all people who use that browser.
type KnownDevice struct {
	bun.BaseModel `bun:"table:known_devices,alias:known_device"`

	ID           uuid.UUID  `bun:"id,pk,type:uuid"`
	UserID       uuid.UUID  `bun:"user_id,type:uuid"`
	SecretHash   []byte     `bun:"secret_hash"`
	Fingerprint  string     `bun:"fingerprint"`
	Failures     int64      `bun:"failures"` // wrong passwords and codes typed there in a row
	TrustedUntil *time.Time `bun:"trusted_until"`
	LastUsedAt   time.Time  `bun:"last_used_at"`
	CreatedAt    time.Time  `bun:"created_at"`
}

const (
	// KnownDeviceKept is how long a browser is known after it was last used to sign in.
	KnownDeviceKept = 400 * 24 * time.Hour // what browsers keep a cookie for at the most

	TrustedFor    = 30 * 24 * time.Hour // if its owner wants it
	TrustedByMail = time.Hour           // after a link in a mail was followed there
	NotTrusted    = time.Duration(0)
)

// KnownDevice returns what is known of the browser that somebody signs in with to this account, or nil.
func (s *Store) KnownDevice(
	ctx context.Context, db bun.IDB, now time.Time, user *User, device Device,
) (*KnownDevice, error) {
	if device.Secret == "" {
		return nil, nil
	}
	known := new(KnownDevice)
	err := db.NewSelect().Model(known).Where("secret_hash = ? AND user_id = ?", storage.Digest(device.Secret), user.ID).
		Where("last_used_at > ?", now.Add(-KnownDeviceKept)).Scan(ctx)
	if errors.Is(storage.NotFound(err), storage.ErrNotFound) {
		return nil, nil
	}
	return known, err
}

// IsTrusted tells whether the browser is spared the second step: it was asked to be, not long ago, and looks as it did.
func (d *KnownDevice) IsTrusted(now time.Time, device Device) bool {
	return d != nil && d.TrustedUntil != nil && now.Before(*d.TrustedUntil) && d.Fingerprint == device.Fingerprint() &&
		d.Failures < PatientFailures
}

// RememberDevice makes the browser one that is known to the account, and returns the secret that it is to hold from now
// on. It is a new one each time: one that was planted there, or seen, is worth nothing after a sign-in. trusted is for
// how long it is spared the second step from now on; where it is NotTrusted, what was said before holds.
func RememberDevice(
	ctx context.Context, tx bun.Tx, now time.Time, user *User, device Device, trusted time.Duration,
) (secret string, err error) {
	secret = storage.NewSecret()
	if device.Secret != "" {
		// Of the other people too who use this browser: there is one cookie for all of them.
		_, err := tx.NewUpdate().Model((*KnownDevice)(nil)).Set("secret_hash = ?", storage.Digest(secret)).
			Where("secret_hash = ?", storage.Digest(device.Secret)).Exec(ctx)
		if err != nil {
			return "", err
		}
	}
	known := &KnownDevice{
		ID: storage.NewID(), UserID: user.ID, SecretHash: storage.Digest(secret), Fingerprint: device.Fingerprint(),
		LastUsedAt: now, CreatedAt: now,
	}
	insert := tx.NewInsert().Model(known).On("CONFLICT (secret_hash, user_id) DO UPDATE").
		Set("fingerprint = EXCLUDED.fingerprint").Set("failures = 0").Set("last_used_at = EXCLUDED.last_used_at")
	if trusted != NotTrusted {
		until := now.Add(trusted)
		known.TrustedUntil = &until
		insert.Set("trusted_until = EXCLUDED.trusted_until")
	}
	var id uuid.UUID // of the row that is there now
	if err := insert.Returning("id").Scan(ctx, &id); err != nil {
		return "", err
	}
	return secret, known.recordRemembered(ctx, tx, now, id, device)
}

// recordRemembered writes into the audit trail that a browser is known from now on, under that id, or trusted. That one
// is used again, which was known, is no news.
func (d *KnownDevice) recordRemembered(
	ctx context.Context, tx bun.Tx, now time.Time, id uuid.UUID, device Device,
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

// ForgetDevices makes browsers of a person unknown: those that which selects, each with a line in the audit trail.
func ForgetDevices(
	ctx context.Context, tx bun.Tx, now time.Time, userID uuid.UUID, which func(*bun.DeleteQuery) *bun.DeleteQuery,
) error {
	var forgotten []uuid.UUID
	query := tx.NewDelete().Model((*KnownDevice)(nil)).Where("user_id = ?", userID).Returning("id")
	if err := which(query).Scan(ctx, &forgotten); err != nil && storage.NotFound(err) != storage.ErrNotFound {
		return err
	}
	changes := make([]audit.Change, len(forgotten))
	for i, id := range forgotten {
		changes[i] = audit.Change{Entity: "known_device", EntityID: id.String(), Action: "forgotten", UserID: userID}
	}
	return audit.RecordAll(ctx, tx, now, changes)
}

// distrustDevices asks for the second step again in every browser of a person but the one to keep.
func distrustDevices(ctx context.Context, tx bun.Tx, userID uuid.UUID, keep Device) error {
	_, err := tx.NewUpdate().Model((*KnownDevice)(nil)).Set("trusted_until = NULL").
		Where("user_id = ? AND secret_hash <> ?", userID, storage.Digest(keep.Secret)).Exec(ctx)
	return err
}

const (
	PatientFailures = 3 // wrong passwords for one name that cost no delay
)
