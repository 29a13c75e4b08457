// Package registration lets apps register themselves: dynamic client registration (RFC 7591), and reading, changing and
// deleting such a client by the app itself (RFC 7592). Begin with Service.Register.
package registration

import (
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/sync/singleflight"

	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/apis"
	"github.com/wicket-id/wicket/oidc/clients"
)

// Service knows apps that make themselves known. Make one with New.
type Service struct {
	*oidc.Provider

	Clients      *clients.Store
	APIs         *apis.Store
	Mode         Mode      // who may register
	Documents    Documents // which apps may be known by a document
	AllowPrivate bool      // documents are read from private addresses too

	fetches  singleflight.Group            // by URL: requests that wait for the same document share one fetch
	failures *lru.Cache[string, time.Time] // by URL: until when one that could not be read is not asked for again
}

// New returns a Service that nobody can register with, and that reads no documents.
func New(provider *oidc.Provider, clients *clients.Store, apis *apis.Store) *Service {
	failures, err := lru.New[string, time.Time](maxFailures)
	if err != nil {
		panic(err) // only for a size below one
	}
	return &Service{Provider: provider, Clients: clients, APIs: apis, Mode: Off, failures: failures}
}

const maxFailures = 1000

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
