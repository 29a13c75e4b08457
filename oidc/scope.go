package oidc

import (
	"slices"
	"strings"
)

// Scope is something that an app may ask for. What it means to people is in web/locales.
type Scope struct {
	Name   string
	Claims []string // OpenID Connect Core, section 5.4
}

// Scopes that Wicket itself gives a meaning to. A client may be registered for others, which mean something to an API.
var Scopes = []Scope{
	{Name: "openid", Claims: []string{"sub"}},
	{Name: "profile", Claims: []string{
		"name", "family_name", "given_name", "middle_name", "nickname", "preferred_username", "profile", "picture", "website",
		"gender", "birthdate", "zoneinfo", "locale", "updated_at",
	}},
	{Name: "email", Claims: []string{"email", "email_verified"}},
	{Name: "phone", Claims: []string{"phone_number", "phone_number_verified"}},
	{Name: "address", Claims: []string{"address"}},
	{Name: RolesScope, Claims: []string{"roles"}},
	{Name: GroupsScope, Claims: []string{GroupsClaim}},
	{Name: "offline_access"},
}

const (
	OfflineAccess = "offline_access"
	RolesScope    = "roles"
	GroupsScope   = "groups"
)

// IsOwnScope tells whether Wicket itself gives a scope its meaning.
func IsOwnScope(name string) bool {
	return slices.ContainsFunc(Scopes, func(scope Scope) bool { return scope.Name == name })
}

// EverydayScopes are those that a client is registered for if its operator names none: roles and groups are an
// operator's to give.
func EverydayScopes() []string {
	var names []string
	for _, scope := range Scopes {
		if scope.Name != RolesScope && scope.Name != GroupsScope {
			names = append(names, scope.Name)
		}
	}
	return names
}

// ClaimsOf returns the claims that a scope gives.
func ClaimsOf(name string) []string {
	for _, scope := range Scopes {
		if scope.Name == name {
			return scope.Claims
		}
	}
	return nil
}

// ScopeOf returns the scope that gives a claim about the person; empty where there is none.
func ScopeOf(claim string) string {
	for _, scope := range Scopes[1:] { // openid gives sub, which is always told
		if slices.Contains(scope.Claims, claim) {
			return scope.Name
		}
	}
	return ""
}

// ParseScopes splits a scope parameter (RFC 6749, section 3.3): order is kept, doubles are dropped.
func ParseScopes(parameter string) []string {
	var scopes []string
	for _, scope := range strings.Split(parameter, " ") {
		if scope != "" && !slices.Contains(scopes, scope) {
			scopes = append(scopes, scope)
		}
	}
	return scopes
}

// Intersect returns those of scopes that are in allowed.
func Intersect(scopes, allowed []string) []string {
	kept := make([]string, 0, len(scopes))
	for _, scope := range scopes {
		if slices.Contains(allowed, scope) {
			kept = append(kept, scope)
		}
	}
	return kept
}
