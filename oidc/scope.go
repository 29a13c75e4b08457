package oidc

import (
	"slices"
	"strings"
)

// Scope is something that an app may ask for, in the words that a person reads on the consent page.
type Scope struct {
	Name   string
	Title  string
	Detail string
	claims []string // OpenID Connect Core, section 5.4
}

// Scopes that Wicket itself gives a meaning to. A client may be registered for others, which mean something to an API.
var Scopes = []Scope{
	{Name: "openid", Title: "Know who you are", Detail: "A stable identifier for your account.", claims: []string{"sub"}},
	{Name: "profile", Title: "See your profile", Detail: "Your name, picture, language and what else you have filled in.", claims: []string{
		"name", "family_name", "given_name", "middle_name", "nickname", "preferred_username", "profile", "picture", "website",
		"gender", "birthdate", "zoneinfo", "locale", "updated_at"}},
	{Name: "email", Title: "See your e-mail address", Detail: "Your primary address, and whether it is verified.", claims: []string{"email", "email_verified"}},
	{Name: "phone", Title: "See your phone number", Detail: "Your primary number, and whether it is verified.", claims: []string{"phone_number", "phone_number_verified"}},
	{Name: "address", Title: "See your postal address", Detail: "The address in your profile.", claims: []string{"address"}},
	{Name: rolesScope, Title: "See your roles", Detail: "What you may do here, by the names of your roles.", claims: []string{"roles"}},
	{Name: "offline_access", Title: "Stay signed in", Detail: "Keep access while you are away, until you sign this device out."},
}

const (
	offlineAccess = "offline_access"
	rolesScope    = "roles"
)

// everydayScopes are those that a client is registered for if its operator names none: roles are an operator's to give.
func everydayScopes() []string {
	var names []string
	for _, scope := range Scopes {
		if scope.Name != rolesScope {
			names = append(names, scope.Name)
		}
	}
	return names
}

// ScopeNamed returns the scope of that name; one that only an API knows is shown by its name.
func ScopeNamed(name string) Scope {
	if i := slices.IndexFunc(Scopes, func(s Scope) bool { return s.Name == name }); i >= 0 {
		return Scopes[i]
	}
	return Scope{Name: name, Title: "Access: " + name, Detail: "A permission that this app defines."}
}

// parseScopes splits a scope parameter (RFC 6749, section 3.3): order is kept, doubles are dropped.
func parseScopes(parameter string) []string {
	var scopes []string
	for _, scope := range strings.Split(parameter, " ") {
		if scope != "" && !slices.Contains(scopes, scope) {
			scopes = append(scopes, scope)
		}
	}
	return scopes
}

// intersect returns those of scopes that are in allowed.
func intersect(scopes, allowed []string) []string {
	kept := make([]string, 0, len(scopes))
	for _, scope := range scopes {
		if slices.Contains(allowed, scope) {
			kept = append(kept, scope)
		}
	}
	return kept
}
