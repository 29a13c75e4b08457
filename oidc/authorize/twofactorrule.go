package authorize

import (
	"github.com/uptrace/bun"
)

// TwoFactorRule is the operator's rule of who must sign in with two factors, whatever the app. The zero value demands
// it of no one.
type TwoFactorRule struct {
	Everybody bool
	Roles     []string // those who hold one of them
}

// selectRuled adds to a query of a session whether the rule is about its person, as the column is_ruled.
func (r TwoFactorRule) selectRuled(query *bun.SelectQuery) *bun.SelectQuery {
	if r.Everybody || len(r.Roles) == 0 {
		return query.ColumnExpr("? AS is_ruled", r.Everybody)
	}
	return query.ColumnExpr(
		"EXISTS (SELECT 1 FROM user_roles WHERE user_id = session.user_id AND is_active AND role_name IN (?)) AS is_ruled",
		bun.List(r.Roles),
	)
}
