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
	err := SelectKnown(db, now, user, device).Model(known).Scan(ctx)
	if errors.Is(storage.NotFound(err), storage.ErrNotFound) {
		return nil, nil
	}
	return known, err
}

// SelectKnown reads what is known of that browser, as KnownDevice does, as a part of another query.
func SelectKnown(db bun.IDB, now time.Time, user *User, device Device) *bun.SelectQuery {
	return db.NewSelect().Model((*KnownDevice)(nil)).
		Where("secret_hash = ? AND user_id = ?", storage.Digest(device.Secret), user.ID).
		Where("last_used_at > ?", now.Add(-KnownDeviceKept))
}

// IsTrusted tells whether the browser is spared the second step: it was asked to be, not long ago, and looks as it did.
func (d *KnownDevice) IsTrusted(now time.Time, device Device) bool {
	return d != nil && d.TrustedUntil != nil && now.Before(*d.TrustedUntil) && d.Fingerprint == device.Fingerprint() &&
		d.Failures < PatientFailures
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
