// Package people is what may be done with the people of this server: find, register, change, recover and delete them,
// and see where they are signed in and by what. Begin with Store.
package people

import (
	"context"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/identity/administrators"
	"github.com/wicket-id/wicket/identity/factor"
	"github.com/wicket-id/wicket/identity/signin"
	"github.com/wicket-id/wicket/identity/transfer"
	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/oidc"
)

// Store is what it works with; set all of it.
type Store struct {
	*manage.Store

	SignIns  *signin.Store
	Factors  *factor.Store
	Transfer *transfer.Store
	Provider *oidc.Provider
}

// demandOver is manage.Store.DemandOver for a person.
func (s *Store) demandOver(ctx context.Context, by manage.Caller, permission manage.Permission, id uuid.UUID) error {
	return s.DemandOver(ctx, by, permission, administrators.Person(id))
}
