package grants

import (
	"context"
	"slices"

	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/apis"
)

// grantType is what is particular to a grant type. Everything else is in the phases of the token endpoint, which a
// grant type goes through whether its author thinks of them or not.
type grantType struct {
	name      string
	presented string // the parameter that holds what is redeemed; empty: nothing is
	noun      string // what that is called in an answer
	// api chooses what the access token is good at, by the values of the parameter resource; nil: this server itself.
	api func(ctx context.Context, w *work, resources []string) (*apis.API, error)
	// scopes chooses the scopes of the tokens, by those that the parameter scope asks for.
	scopes func(w *work, wanted []string) (chosenScopes, error)
}

// chosenScopes are what tokens are good for.
type chosenScopes struct {
	own     []string // of this server's scopes, those that were granted and not left out
	ofToken []string // what the access token has
}

// grantTypes is the table of the grant types that Wicket knows.
var grantTypes = []grantType{
	// RFC 6749, 4.1.3
	{name: oidc.GrantCode, presented: "code", noun: "code", api: grantedAPI, scopes: grantedScopes},
	// section 6
	{
		name: oidc.GrantRefreshToken, presented: "refresh_token", noun: "refresh token",
		api: grantedAPI, scopes: narrowedScopes,
	},
	// section 4.4.2
	{name: oidc.GrantClientCredentials, api: clientsAPI, scopes: requestedScopes},
	// RFC 8628, section 3.4
	{
		name: oidc.GrantDeviceCode, presented: "device_code", noun: "device code", api: grantedAPI, scopes: grantedScopes,
	},
}

func grantTypeNamed(name string) *grantType {
	if i := slices.IndexFunc(grantTypes, func(g grantType) bool { return g.name == name }); i >= 0 {
		return &grantTypes[i]
	}
	return nil
}

// grantedScopes are those that the person has granted.
func grantedScopes(w *work, _ []string) (chosenScopes, error) {
	if w.api != nil {
		// what the operator has taken away since is not granted any more
		at := oidc.Intersect(w.grant.APIs[w.api.Identifier], w.api.ScopesOf(w.client))
		return chosenScopes{w.grant.Scopes, at}, nil
	}
	return chosenScopes{w.grant.Scopes, w.grant.Scopes}, nil
}

// narrowedScopes lets a refresh ask for less than was granted: RFC 6749, section 6. The family keeps its scopes.
func narrowedScopes(w *work, wanted []string) (chosenScopes, error) {
	granted, err := grantedScopes(w, nil)
	if err != nil || len(wanted) == 0 {
		return granted, err
	}
	for _, scope := range wanted {
		if !slices.Contains(w.grant.Scopes, scope) && !w.grant.APIs.Has(scope) {
			return granted, oidc.InvalidScope("A refresh cannot ask for scopes that were not granted.").
				Because(oidc.NotGrantedScope, w.grant.Scopes, oidc.SentNames(wanted)...)
		}
	}
	return chosenScopes{oidc.Intersect(wanted, granted.own), oidc.Intersect(wanted, granted.ofToken)}, nil
}

// requestedScopes are those that a client asks for in its own name: it must be registered for them, or for the API that
// they belong to.
func requestedScopes(w *work, wanted []string) (chosenScopes, error) {
	allowed := w.client.Scopes
	if w.api != nil {
		allowed = w.api.ScopesOf(w.client)
	}
	if len(oidc.Intersect(wanted, allowed)) != len(wanted) {
		return chosenScopes{}, oidc.InvalidScope("The client is not registered for all of these scopes.").
			Because(oidc.NoScope, allowed, oidc.SentNames(wanted)...)
	}
	return chosenScopes{wanted, wanted}, nil
}
