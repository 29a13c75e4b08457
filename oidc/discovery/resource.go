package discovery

import (
	"encoding/json"

	"github.com/go-jose/go-jose/v4"

	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/dpop"
)

// resource is what Wicket tells of itself as an API: userinfo takes access tokens. RFC 9728, section 2.
type resource struct {
	Resource               string                    `json:"resource"`
	AuthorizationServers   []string                  `json:"authorization_servers"`
	JWKSURI                string                    `json:"jwks_uri"`
	ScopesSupported        []string                  `json:"scopes_supported"`
	BearerMethodsSupported []string                  `json:"bearer_methods_supported"`
	DPoPAlgs               []jose.SignatureAlgorithm `json:"dpop_signing_alg_values_supported"`
}

// Resource is the metadata of the protected resource that an issuer is itself, as it is served.
func Resource(issuer string) ([]byte, error) {
	scopes := make([]string, len(oidc.Scopes))
	for i, scope := range oidc.Scopes {
		scopes[i] = scope.Name
	}
	return json.Marshal(resource{
		Resource: issuer, AuthorizationServers: []string{issuer}, JWKSURI: issuer + oidc.PathJWKS,
		ScopesSupported: scopes, BearerMethodsSupported: []string{"header", "body"}, DPoPAlgs: dpop.Algs,
	})
}
