package oidc

// What a client may be granted by.
const (
	GrantCode              = "authorization_code"
	GrantRefreshToken      = "refresh_token"
	GrantClientCredentials = "client_credentials"
	GrantDeviceCode        = "urn:ietf:params:oauth:grant-type:device_code" // RFC 8628, section 3.4
	// by tokens in the answer to an authorization request: see ResponseTypes
	GrantImplicit = "implicit"
)

// GrantTypes are the grant types of the token endpoint.
var GrantTypes = []string{GrantCode, GrantRefreshToken, GrantClientCredentials, GrantDeviceCode}
