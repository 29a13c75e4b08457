package storage

import (
	"context"
	"time"

	"github.com/uptrace/bun"
)

// Quota is how often something may happen in a time, which begins with the first time that it happens. It is a row, so
// that all replicas count together, and nothing is forgotten with a cache.
type Quota struct {
	Hash []byte // of what is counted, keyed where that is personal
	Most int64
	Per  time.Duration
}

// Take counts once more as part of tx, and tells whether that is within the quota; if not, nothing is counted. Who
// takes of several in one transaction takes of them in one order, or two may wait for each other.
func (q Quota) Take(ctx context.Context, tx bun.Tx, now time.Time) (within bool, err error) {
	if q.Most < 1 {
		return false, nil
	}
	result, err := tx.NewRaw(`
		INSERT INTO quotas AS quota (hash, used, expires_at) VALUES (?0, 1, ?1)
		ON CONFLICT (hash) DO UPDATE SET
			used = CASE WHEN quota.expires_at <= ?2 THEN 1 ELSE quota.used + 1 END,
			expires_at = CASE WHEN quota.expires_at <= ?2 THEN EXCLUDED.expires_at ELSE quota.expires_at END
		WHERE quota.expires_at <= ?2 OR quota.used < ?3`,
		q.Hash, now.Add(q.Per), now, q.Most).Exec(ctx)
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	return n > 0, err
}

// ForgetQuotas deletes what was counted in times that are over, in bounded batches, and returns how many rows there
// were.
func ForgetQuotas(ctx context.Context, d *Database, now time.Time) (int64, error) {
	return d.DeleteBatches(ctx, "quotas", "hash", "expires_at < ?", now)
}
