// Package logout is how sessions end together: it reads the requests of apps that a person be signed out, and tells
// apps of sessions that have ended, whoever ended them. Begin with Service.
package logout

import (
	"log/slog"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/oidc/tokens"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/outgoing"
)

// Service answers the logout endpoint and tells apps; set all of its fields. Its Listener belongs into the identity
// store.
type Service struct {
	*oidc.Provider

	Clients  *clients.Store
	Tokens   *tokens.Service
	Identity *identity.Store
	Jobs     *storage.Jobs
	Log      *slog.Logger

	AllowPrivate bool // apps are told on private addresses too, whatever the name that leads there

	turns outgoing.Turns
}
