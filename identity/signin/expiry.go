package signin

import (
	"context"
	"errors"
	"time"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/factor"
)

// What is kept beyond its end, and for how long.
const (
	endedSessionsKept = 180 * 24 * time.Hour // a sign-in is compared with what came before
	usedProofsKept    = 30 * 24 * time.Hour
)

// Expire deletes what has served its time, in bounded batches, and returns how many rows of each table went.
func (s *Store) Expire(ctx context.Context) (map[string]int64, error) {
	now := s.Now()
	deleted := make(map[string]int64)
	var faults []error
	for table, rule := range map[string]struct {
		condition string
		args      []any
	}{
		"sessions": {"expires_at < ? OR ended_at < ?", []any{
			now.Add(-endedSessionsKept), now.Add(-endedSessionsKept),
		}},
		"known_devices":         {"last_used_at < ?", []any{now.Add(-identity.KnownDeviceKept)}},
		"invitations":           {"expires_at < ?", []any{now.Add(-usedProofsKept)}},
		"totps":                 {"confirmed_at IS NULL AND created_at < ?", []any{now.Add(-factor.UnconfirmedKept)}},
		"proofs":                {"expires_at < ?", []any{now.Add(-usedProofsKept)}},
		"password_reset_tokens": {"expires_at < ?", []any{now.Add(-usedProofsKept)}},
	} {
		n, err := s.Database.DeleteBatches(ctx, table, "id", rule.condition, rule.args...)
		deleted[table] = n
		faults = append(faults, err)
	}
	disowned, err := s.Factors.RemoveDisowned(ctx)
	faults = append(faults, err)
	for table, n := range disowned {
		deleted[table] += n
	}
	if s.AttemptsKept > 0 {
		deleted["login_attempts"], err = s.Database.ForgetBefore(ctx, "login_attempts", now.Add(-s.AttemptsKept))
	}
	return deleted, errors.Join(append(faults, err)...)
}
