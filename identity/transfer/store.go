// Package transfer takes accounts in from elsewhere, hands people their data, and erases accounts. Begin with Store.
package transfer

import (
	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/factor"
	"github.com/wicket-id/wicket/identity/signin"
)

// Store is what transfers work with; set all of its fields.
type Store struct {
	*identity.Store

	Factors *factor.Store
	SignIn  *signin.Store
}
