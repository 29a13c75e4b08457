// Package grants answers the token endpoint: codes and refresh tokens are redeemed for tokens. fosite is its state
// machine. Begin with Service.
package grants

import (
	"github.com/ory/fosite"

	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/oidc/tokens"
)

// Service answers the token endpoint. Make one with New.
type Service struct {
	*oidc.Provider

	Clients *clients.Store
	Tokens  *tokens.Service

	engine *fosite.Fosite
}

// New returns a Service.
func New(provider *oidc.Provider, clients *clients.Store, tokens *tokens.Service) *Service {
	s := &Service{Provider: provider, Clients: clients, Tokens: tokens}
	s.engine = newEngine(s)
	return s
}
