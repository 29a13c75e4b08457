// Package authorize answers the authorization endpoint: it reads and checks the request of an app, pushed or not, says
// what has to happen next (Next), keeps what people allow, and issues the code. Begin with Service and Next.
package authorize

import (
	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/apis"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/oidc/grants"
	"github.com/wicket-id/wicket/oidc/registration"
	"github.com/wicket-id/wicket/oidc/requestobject"
	"github.com/wicket-id/wicket/oidc/tokens"
)

// Service answers the authorization endpoint; set all of its fields.
type Service struct {
	*oidc.Provider

	Clients *clients.Store
	// which knows apps that make themselves known
	Registration *registration.Service
	// which opens the requests that apps sign
	RequestObjects *requestobject.Reader
	APIs           *apis.Store
	Tokens         *tokens.Service
	Grants         *grants.Service
	Identity       *identity.Store
}
