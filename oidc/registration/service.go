// Package registration lets apps register themselves: dynamic client registration (RFC 7591), and reading, changing and
// deleting such a client by the app itself (RFC 7592). Begin with Service.Register.
package registration

import (
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/apis"
	"github.com/wicket-id/wicket/oidc/clients"
)

// Service registers apps. Set all fields.
type Service struct {
	*oidc.Provider

	Clients *clients.Store
	APIs    *apis.Store
	Mode    Mode
}

// Endpoint is where apps register.
func (s *Service) Endpoint() string { return s.Issuer + oidc.PathClients }

// Mode says who may register an app.
type Mode string

// The modes.
const (
	Off   Mode = "off"   // operators alone
	Token Mode = "token" // whoever has an initial access token
	Open  Mode = "open"  // anybody
)

// Enabled tells whether apps may register at all.
func (m Mode) Enabled() bool { return m == Token || m == Open }
