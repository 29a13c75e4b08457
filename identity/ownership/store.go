// Package ownership decides whose an account is, by what mail to its owner proves: it verifies their addresses, takes
// back what was not them, and knows what signs in to the account and may be somebody else's. Begin with Of.
package ownership

import "github.com/wicket-id/wicket/identity"

// Store is what it works with.
type Store struct{ *identity.Store }

// Of returns the Store on an identity store.
func Of(s *identity.Store) Store { return Store{s} }
