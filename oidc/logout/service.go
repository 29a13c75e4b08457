// Package logout reads the requests of apps that a person be signed out. Begin with Service.
package logout

import (
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/oidc/tokens"
)

// Service answers the logout endpoint; set all of its fields.
type Service struct {
	*oidc.Provider

	Clients *clients.Store
	Tokens  *tokens.Service
}
