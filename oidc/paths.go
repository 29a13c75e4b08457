package oidc

// Where the endpoints are, below the issuer.
const (
	PathConfiguration  = "/.well-known/openid-configuration"
	PathServerMetadata = "/.well-known/oauth-authorization-server"
	PathJWKS           = "/.well-known/jwks.json"
	PathResource       = "/.well-known/oauth-protected-resource"
	PathAuthorize      = "/authorize"
	PathPAR            = "/par" // RFC 9126
	PathToken          = "/token"
	PathUserinfo       = "/userinfo"
	PathIntrospect     = "/introspect"
	PathRevoke         = "/revoke"
	PathLogout         = "/logout"
	PathClients        = "/clients" // dynamic client registration
	PathCheckSession   = "/check-session"
)
