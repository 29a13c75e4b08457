package oidc

import (
	"encoding/json"
	"slices"
)

// ClaimsRequest is what an app asks of a person by the names of claims: OpenID Connect Core, section 5.5. The tags are
// those of its JSON column. nil asks for nothing.
type ClaimsRequest struct {
	Userinfo NamedClaims `json:"userinfo,omitempty"`
	IDToken  NamedClaims `json:"id_token,omitempty"`
}

// NamedClaims are claims by name, each with the values of which one is wanted, as CanonicalJSON writes them; none: any
// will do.
type NamedClaims map[string][]string

// OfUserinfo returns the claims that are asked for in the answer of userinfo.
func (r *ClaimsRequest) OfUserinfo() NamedClaims {
	if r == nil {
		return nil
	}
	return r.Userinfo
}

// OfIDToken returns the claims that are asked for in the ID token.
func (r *ClaimsRequest) OfIDToken() NamedClaims {
	if r == nil {
		return nil
	}
	return r.IDToken
}

// Names returns the names of all claims that are asked for, each once, in the order of Scopes.
func (r *ClaimsRequest) Names() []string {
	var names []string
	for _, scope := range Scopes {
		for _, name := range scope.Claims {
			_, userinfo := r.OfUserinfo()[name]
			if _, idToken := r.OfIDToken()[name]; userinfo || idToken {
				names = append(names, name)
			}
		}
	}
	return names
}

// Only returns what is asked for of the claims that are kept, or nil where that is nothing.
func (r *ClaimsRequest) Only(kept []string) *ClaimsRequest {
	only := func(all NamedClaims) NamedClaims {
		part := make(NamedClaims, len(all))
		for name, values := range all {
			if slices.Contains(kept, name) {
				part[name] = values
			}
		}
		return part
	}
	part := ClaimsRequest{Userinfo: only(r.OfUserinfo()), IDToken: only(r.OfIDToken())}
	if len(part.Userinfo)+len(part.IDToken) == 0 {
		return nil
	}
	return &part
}

// CanonicalJSON writes JSON as it is compared: without spaces, and the members of objects in order.
func CanonicalJSON(encoded []byte) (string, error) {
	var value any
	if err := json.Unmarshal(encoded, &value); err != nil {
		return "", err
	}
	canonical, err := json.Marshal(value)
	return string(canonical), err
}
