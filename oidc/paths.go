package oidc

// Where the endpoints are, below the issuer.
const (
	PathConfiguration  = "/.well-known/openid-configuration"
	PathServerMetadata = "/.well-known/oauth-authorization-server"
	PathJWKS           = "/.well-known/jwks.json"
	PathResource       = "/.well-known/oauth-protected-resource"
	PathAuthorize      = "/authorize"
	PathPAR            = "/par"                  // RFC 9126
	PathDeviceRequest  = "/device_authorization" // RFC 8628
	PathDevice         = "/device"               // where the person types the code
	PathToken          = "/token"
	PathUserinfo       = "/userinfo"
	PathIntrospect     = "/introspect"
	PathRevoke         = "/revoke"
	PathLogout         = "/logout"
	PathClients        = "/clients" // dynamic client registration
	PathCheckSession   = "/check-session"
)
