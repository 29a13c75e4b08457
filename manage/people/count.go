package people

import (
	"context"
	"fmt"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/storage"
)

// countedUpTo is how many people are counted one by one.
const countedUpTo = 10_000

// Count is how many people there are. Beyond ten thousand it is an estimate, and exact is false: on PostgreSQL that of
// the planner. It returns a *manage.ForbiddenError.
func (s *Store) Count(ctx context.Context, by manage.Caller) (n int64, exact bool, err error) {
	if err := by.Demand(manage.ReadUsers); err != nil {
		return 0, false, err
	}
	db := s.Database.Reader()
	first := db.NewSelect().Model((*identity.User)(nil)).Column("id").Limit(countedUpTo + 1)
	if err := db.NewSelect().TableExpr("(?) AS counted", first).ColumnExpr("count(*)").Scan(ctx, &n); err != nil {
		return 0, false, fmt.Errorf("count people: %w", err)
	}
	if n <= countedUpTo {
		return n, true, nil
	}
	if s.Database.Kind == storage.Postgres {
		err := db.NewSelect().TableExpr("pg_class").ColumnExpr("reltuples::bigint").
			Where("oid = 'users'::regclass").Scan(ctx, &n)
		if err != nil {
			return 0, false, fmt.Errorf("estimate how many people there are: %w", err)
		}
	}
	return max(n, countedUpTo), false, nil
}
