// Package tokens makes and reads access tokens and ID tokens, and answers what apps and APIs ask about them:
// introspection, revocation, userinfo. Begin with Service.
package tokens

import (
	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/apis"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/oidc/keys"
)

// Service makes and reads tokens. Make one with New.
type Service struct {
	*oidc.Provider

	Clients  *clients.Store
	APIs     *apis.Store
	Keys     *keys.Keys
	Identity *identity.Store

	verified *verified
	subjects *lru.Cache[sectorPerson, string]
}

// New returns a Service.
func New(
	provider *oidc.Provider, clients *clients.Store, apis *apis.Store, keys *keys.Keys, people *identity.Store,
) *Service {
	return &Service{
		Provider: provider, Clients: clients, APIs: apis, Keys: keys, Identity: people, verified: newVerified(),
		subjects: newSubjects(),
	}
}

// CacheHits tells how often a verified access token was found in the process since the start, and how often not.
func (s *Service) CacheHits() (hits, misses int64) { return s.verified.counted.Read() }
