package oidc

// What a client may be granted by.
const (
	GrantCode              = "authorization_code"
	GrantRefreshToken      = "refresh_token"
	GrantClientCredentials = "client_credentials"
	GrantImplicit          = "implicit" // by tokens in the answer to an authorization request: see ResponseTypes
)

// GrantTypes are the grant types of the token endpoint.
var GrantTypes = []string{GrantCode, GrantRefreshToken, GrantClientCredentials}
