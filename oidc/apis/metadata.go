package apis

// Metadata is what an API tells apps of itself (RFC 9728, section 2), at the path
// /.well-known/oauth-protected-resource of its own address: where its tokens come from, and which scopes there are.
type Metadata struct {
	Resource               string   `json:"resource"`
	AuthorizationServers   []string `json:"authorization_servers"`
	ScopesSupported        []string `json:"scopes_supported,omitempty"`
	BearerMethodsSupported []string `json:"bearer_methods_supported"`
	ResourceName           string   `json:"resource_name"`
}

// MetadataOf is the metadata of an API whose tokens an issuer makes.
func MetadataOf(api *API, issuer string) Metadata {
	return Metadata{
		Resource: api.Identifier, AuthorizationServers: []string{issuer}, ScopesSupported: api.scopeNames(),
		BearerMethodsSupported: []string{"header"}, ResourceName: api.Name,
	}
}
