package oidc

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// GroupsClaim is what the claim that tells of a person's groups is called, unless an app wants another name.
const GroupsClaim = "groups"

// ProtocolClaims are those of ID tokens that are not about the person but their sign-in.
var ProtocolClaims = []string{
	"iss", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "at_hash", "c_hash", "sid",
}

// otherClaims are registered for JWTs and mean something to those who read ID tokens or userinfo, though Wicket does
// not tell them: RFC 7519, section 4.1, RFC 7800, RFC 8693, RFC 9068 and OpenID Connect.
var otherClaims = []string{
	"nbf", "jti", "azp", "s_hash", "cnf", "act", "may_act", "scope", "client_id", "entitlements", "events", "toe", "txn",
	"authorization_details", "active", "htm", "htu", "ath", "sub_jwk", "sub_id", "typ", "token_introspection", "verified_claims", "_claim_names", "_claim_sources",
}

var claimName = regexp.MustCompile(`^[A-Za-z0-9._:/-]{1,200}$`)

// CheckGroupsClaim says why the claim that tells of a person's groups cannot be called so, if it cannot: no claim that
// means something else may be taken for it.
func CheckGroupsClaim(name string) error {
	if !claimName.MatchString(name) {
		return errors.New("the name of the claim for groups has 1 to 200 letters, digits or . _ : / -")
	}
	known := slices.Concat(ProtocolClaims, otherClaims)
	for _, scope := range Scopes {
		known = append(known, scope.Claims...)
	}
	// Libraries compare names of members without case.
	same := func(other string) bool { return strings.EqualFold(other, name) }
	if name != GroupsClaim && slices.ContainsFunc(known, same) {
		return fmt.Errorf("the claim for groups cannot be called %s, which means something else", name)
	}
	return nil
}
