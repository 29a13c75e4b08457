package identity

import (
	"errors"

	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity/groups"
)

// TwoFactorRule is the operator's rule of who must sign in with two factors, whatever the app. The zero value demands
// it of no one. It is asked wherever a session, or a grant, counts.
type TwoFactorRule struct {
	Everybody bool
	Roles     []string // those who hold one of them, by themselves or by a group
}

// ErrEnrolmentOwed says that the rule demands two factors of a person who has only one so far.
var ErrEnrolmentOwed = errors.New("this person must register a second factor")

// Select adds to a query whether the rule is about a person, as the column is_ruled: the one whose id is in the column
// person.
func (r TwoFactorRule) Select(query *bun.SelectQuery, person string) *bun.SelectQuery {
	if r.Everybody || len(r.Roles) == 0 {
		return query.ColumnExpr("? AS is_ruled", r.Everybody)
	}
	return query.ColumnExpr(
		"EXISTS (SELECT 1 FROM ("+groups.HeldRoles+") AS held WHERE role_name IN (?)) AS is_ruled",
		bun.Ident(person), bun.Ident(person), bun.List(r.Roles),
	)
}

// DemandRule demands what the operator's rule demands of the person of a session. It returns ErrSecondFactorOwed where
// they have a second factor that the session has not seen, and ErrEnrolmentOwed where they have none.
func (s *Session) DemandRule() error {
	switch {
	case !s.IsRuled || Assures(s.ACR, ACRMultiFactor):
		return nil
	case Assures(s.User.StrongestACR(), ACRMultiFactor):
		return ErrSecondFactorOwed
	}
	return ErrEnrolmentOwed
}
