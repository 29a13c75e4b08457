package oidc

// What a client may be granted by.
const (
	GrantCode              = "authorization_code"
	GrantRefreshToken      = "refresh_token"
	GrantClientCredentials = "client_credentials"
)

// GrantTypes are the grant types that Wicket knows.
var GrantTypes = []string{GrantCode, GrantRefreshToken, GrantClientCredentials}
