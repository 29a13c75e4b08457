// Package apps is what may be done with the apps that sign people in here, and with the APIs that tokens are for:
// register, change and delete them, give them new secrets, and see and end what they hold of people. Begin with Store.
package apps

import (
	"context"

	"github.com/wicket-id/wicket/identity/administrators"
	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/apis"
	"github.com/wicket-id/wicket/oidc/authorize"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/oidc/logout"
	"github.com/wicket-id/wicket/oidc/tokens"
)

// Store is what it works with; set all of it.
type Store struct {
	*manage.Store

	Provider *oidc.Provider
	Clients  *clients.Store
	APIs     *apis.Store
	Tokens   *tokens.Service
	Logout   *logout.Service

	Authorize *authorize.Service
}

// demandOver returns an error where the caller may not do something to an app as it is. Who can change an app can act
// as it: by an administrative role that it holds, or for whoever uses the management API by it.
func (s *Store) demandOver(
	ctx context.Context, by manage.Caller, permission manage.Permission, client *clients.Client,
) error {
	return s.DemandOver(ctx, by, permission, administrators.Client(client.ID), s.rolesThrough(client)...)
}

// rolesThrough are the administrative roles that may be used by an app: none, unless it may ask for tokens of the
// management API.
func (s *Store) rolesThrough(client *clients.Client) []string {
	for _, api := range client.APIs {
		if apis.SameIdentifier(api, manage.APIOf(s.Provider.Issuer)) {
			return []string{administrators.Owner}
		}
	}
	return nil
}
