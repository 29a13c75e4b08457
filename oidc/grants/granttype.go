package grants

import (
	"slices"

	"github.com/ory/fosite"

	"github.com/wicket-id/wicket/oidc"
)

// grantType is what is particular to a grant type. Everything else is in the phases of the token endpoint, which a
// grant type goes through whether its author thinks of them or not.
type grantType struct {
	name      string
	presented string // the parameter that holds what is redeemed; empty: nothing is
	noun      string // what that is called in an answer
	// scopes chooses the scopes of the tokens, by those that the parameter scope asks for.
	scopes func(w *work, request fosite.AccessRequester, wanted []string) ([]string, error)
}

// grantTypes is the table of the grant types that Wicket knows.
var grantTypes = []grantType{
	// RFC 6749, 4.1.3
	{name: oidc.GrantCode, presented: "code", noun: "code", scopes: grantedScopes},
	{name: oidc.GrantRefreshToken, presented: "refresh_token", noun: "refresh token", scopes: narrowedScopes}, // section 6
	// section 4.4.2
	{name: oidc.GrantClientCredentials, scopes: requestedScopes},
}

func grantTypeNamed(name string) *grantType {
	if i := slices.IndexFunc(grantTypes, func(g grantType) bool { return g.name == name }); i >= 0 {
		return &grantTypes[i]
	}
	return nil
}

// grantedScopes are those that the person has granted.
func grantedScopes(_ *work, request fosite.AccessRequester, _ []string) ([]string, error) {
	return request.GetGrantedScopes(), nil
}

// narrowedScopes lets a refresh ask for less than was granted: RFC 6749, section 6. The family keeps its scopes.
func narrowedScopes(w *work, request fosite.AccessRequester, wanted []string) ([]string, error) {
	if len(wanted) == 0 {
		return request.GetGrantedScopes(), nil
	}
	if len(oidc.Intersect(wanted, w.grant.Scopes)) != len(wanted) {
		return nil, oidc.InvalidScope("A refresh cannot ask for scopes that were not granted.")
	}
	return wanted, nil
}

// requestedScopes are those that a client asks for in its own name: fosite has compared them with its registration.
func requestedScopes(_ *work, request fosite.AccessRequester, _ []string) ([]string, error) {
	return request.GetRequestedScopes(), nil
}
