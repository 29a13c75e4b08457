package activity

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity/signin"
	"github.com/wicket-id/wicket/manage"
)

// SignInHour is how many attempts to sign in there were within an hour.
type SignInHour struct {
	bun.BaseModel `bun:"table:sign_in_hours,alias:hour"`

	Hour    time.Time `bun:"hour"` // its beginning, UTC
	Outcome string    `bun:"outcome"`
	N       int64     `bun:"n"`
}

// What came of an attempt. That a second step was asked for is neither.
const (
	Success = "success"
	Failure = "failure"
)

const (
	// hoursBack is how far back hours are counted that were not counted when they were over.
	hoursBack = 72
	// hoursKept is how long the counts are kept.
	hoursKept = 400 * 24 * time.Hour
	// settles is how long after an hour its last attempts are committed: a request has no more time.
	settles = 5 * time.Minute
	// countedLive is how many attempts are counted at the most of an hour that is not over yet.
	countedLive = 20_000
)

// CountHours counts the attempts of the hours that are over and not counted yet, and forgets those that are old. It
// returns how many rows it forgot. It may be called by several replicas at once.
func (s *Store) CountHours(ctx context.Context) (int64, error) {
	now := s.Now()
	from, err := s.firstUncounted(ctx, now)
	if err != nil {
		return 0, err
	}
	for hour := from; !hour.Add(time.Hour + settles).After(now); hour = hour.Add(time.Hour) {
		counts, err := s.count(ctx, hour, 0)
		if err != nil {
			return 0, err
		}
		err = s.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
			_, err := tx.NewInsert().Model(&counts).On("CONFLICT DO NOTHING").Returning("NULL").Exec(ctx)
			return err
		})
		if err != nil {
			return 0, fmt.Errorf("keep an hour's attempts to sign in: %w", err)
		}
	}
	var forgotten int64
	err = s.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		result, err := tx.NewDelete().Model((*SignInHour)(nil)).Where("hour < ?", now.Add(-hoursKept)).Exec(ctx)
		if err == nil {
			forgotten, err = result.RowsAffected()
		}
		return err
	})
	return forgotten, err
}

// firstUncounted is the first hour that is not counted yet.
func (s *Store) firstUncounted(ctx context.Context, now time.Time) (time.Time, error) {
	var last []SignInHour
	err := s.Database.Reader().NewSelect().Model(&last).OrderBy("hour", bun.OrderDesc).Limit(1).Scan(ctx)
	if err != nil {
		return now, fmt.Errorf("read the hours that are counted: %w", err)
	}
	from := now.Truncate(time.Hour).Add(-hoursBack * time.Hour)
	if len(last) > 0 && last[0].Hour.Add(time.Hour).After(from) {
		from = last[0].Hour.UTC().Add(time.Hour)
	}
	return from, nil
}

// count counts the attempts of an hour; limit at the most, in an order that is not said; 0: all of them.
func (s *Store) count(ctx context.Context, hour time.Time, limit int64) ([]SignInHour, error) {
	attempts := s.Database.Late().NewSelect().Model((*signin.LoginAttempt)(nil)).Column("success").
		Where("attempt_time >= ? AND attempt_time < ?", hour, hour.Add(time.Hour)).
		Where("failure_reason <> ?", signin.AskedForSecond)
	if limit > 0 {
		attempts.Limit(limit)
	}
	var found []struct {
		Success bool
		N       int64
	}
	err := s.Database.Late().NewSelect().TableExpr("(?) AS attempt", attempts).ColumnExpr("success, count(*) AS n").
		Group("success").Scan(ctx, &found)
	if err != nil {
		return nil, fmt.Errorf("count attempts to sign in: %w", err)
	}
	counts := []SignInHour{{Hour: hour, Outcome: Success}, {Hour: hour, Outcome: Failure}}
	for _, f := range found {
		if f.Success {
			counts[0].N = f.N
		} else {
			counts[1].N = f.N
		}
	}
	return counts, nil
}

// Hour is what came of the attempts to sign in within an hour.
type Hour struct {
	Hour              time.Time
	Success, Failures int64
}

// Hours returns the last hours, the oldest first; the last of them is under way. It returns a *manage.ForbiddenError.
func (s *Store) Hours(ctx context.Context, by manage.Caller, hours int) ([]Hour, error) {
	if err := by.Demand(manage.ReadAuditTrail); err != nil {
		return nil, err
	}
	first := s.Now().Truncate(time.Hour).Add(-time.Duration(hours-1) * time.Hour)
	var counted []SignInHour
	err := s.Database.Reader().NewSelect().Model(&counted).Where("hour >= ?", first).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the hours that are counted: %w", err)
	}
	from, err := s.firstUncounted(ctx, s.Now())
	if err != nil {
		return nil, err
	}
	for hour := s.Now().Truncate(time.Hour); !hour.Before(from) && !hour.Before(first); hour = hour.Add(-time.Hour) {
		live, err := s.count(ctx, hour, countedLive)
		if err != nil {
			return nil, err
		}
		counted = append(counted, live...)
	}
	all := make([]Hour, hours)
	for i := range all {
		all[i].Hour = first.Add(time.Duration(i) * time.Hour)
	}
	for _, c := range counted {
		i := int(c.Hour.Sub(first) / time.Hour)
		switch {
		case i < 0 || i >= hours:
		case c.Outcome == Success:
			all[i].Success += c.N
		default:
			all[i].Failures += c.N
		}
	}
	return all, nil
}
