package apps

import (
	"context"
	"fmt"

	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/authorize"
)

// Usage is what hangs on an app: what ends with it.
type Usage struct {
	Consents int // people who have allowed it something
	Grants   int // what it holds of people, once for each device, and what has ended lately
}

// MaxUsage is how far is counted.
const MaxUsage = 10_000

// Usage counts what hangs on an app, up to MaxUsage. It returns a *manage.ForbiddenError.
func (s *Store) Usage(ctx context.Context, by manage.Caller, id string) (usage Usage, err error) {
	if err := by.Demand(manage.ReadClients); err != nil {
		return usage, err
	}
	db := s.Database.Reader()
	for _, count := range []struct {
		model any
		into  *int
	}{{(*authorize.Consent)(nil), &usage.Consents}, {(*oidc.Grant)(nil), &usage.Grants}} {
		few := db.NewSelect().Model(count.model).ColumnExpr("1").Where("client_id = ?", id).Limit(MaxUsage)
		if err := db.NewSelect().ColumnExpr("count(*)").TableExpr("(?) AS few", few).Scan(ctx, count.into); err != nil {
			return usage, fmt.Errorf("usage of client %s: %w", id, err)
		}
	}
	return usage, nil
}
