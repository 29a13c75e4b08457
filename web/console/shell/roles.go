package shell

import (
	"slices"

	"github.com/wicket-id/wicket/identity/administrators"
	"github.com/wicket-id/wicket/manage"
)

// GrantableRoles are the administrative roles that somebody may give, but for those that are held already.
func GrantableRoles(by manage.Caller, held []string) (roles []string) {
	for _, role := range administrators.Names {
		if by.MayGrant(role) && !slices.Contains(held, role) {
			roles = append(roles, role)
		}
	}
	return roles
}
