package oidc

import (
	"context"
	"errors"
	"time"
)

// TombstonesKept is how long ended grants and used codes are kept, so that a copy that comes late is known.
const TombstonesKept = 30 * 24 * time.Hour

// pushedKept is how long pushed requests are kept after the browser had to come with them: for longer than a person may
// take on our pages.
const pushedKept = 2 * time.Hour

// deviceRequestsKept is how long what devices have asked for is kept after its end, so that an app that comes late, or
// a second time, is told so.
const deviceRequestsKept = time.Hour

// deliveriesKept is how long an operator may look up which apps were told of a logout, and send it again.
const deliveriesKept = 30 * 24 * time.Hour

// Expire deletes what has served its time, in bounded batches, and returns how many rows of each table went.
func (p *Provider) Expire(ctx context.Context) (map[string]int64, error) {
	now := p.Now()
	deleted := make(map[string]int64)
	var faults []error
	for _, rule := range []struct {
		table, key, condition string
		args                  []any
	}{
		{"codes", "hash", "expires_at < ?", []any{now.Add(-TombstonesKept)}},
		{"pushed_requests", "hash", "expires_at < ?", []any{now.Add(-pushedKept)}},
		{"device_requests", "device_hash", "expires_at < ?", []any{now.Add(-deviceRequestsKept)}},
		{"refresh_tokens", "hash", "expires_at < ?", []any{now}},
		{"grants", "id", "expires_at < ? OR ended_at < ?", []any{now, now.Add(-TombstonesKept)}},
		{"revoked_tokens", "jti", "expires_at < ?", []any{now}},
		{"encryption_keys", "kid", "decrypts_until < ?", []any{now}},
		{"logout_deliveries", "id", "created_at < ?", []any{now.Add(-deliveriesKept)}},
	} {
		n, err := p.Database.DeleteBatches(ctx, rule.table, rule.key, rule.condition, rule.args...)
		deleted[rule.table] = n
		faults = append(faults, err)
	}
	return deleted, errors.Join(faults...)
}
