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
	Claims []string // OpenID Connect Core, section 5.4
}

// Scopes that Wicket itself gives a meaning to. A client may be registered for others, which mean something to an API.
var Scopes = []Scope{
	{Name: "openid", Title: "Know who you are", Detail: "A stable identifier for your account.", Claims: []string{"sub"}},
	{Name: "profile", Title: "See your profile", Detail: "Your name, picture, language and what else you have filled in.", Claims: []string{
		"name", "family_name", "given_name", "middle_name", "nickname", "preferred_username", "profile", "picture", "website",
		"gender", "birthdate", "zoneinfo", "locale", "updated_at"}},
	{Name: "email", Title: "See your e-mail address", Detail: "Your primary address, and whether it is verified.", Claims: []string{"email", "email_verified"}},
	{Name: "phone", Title: "See your phone number", Detail: "Your primary number, and whether it is verified.", Claims: []string{"phone_number", "phone_number_verified"}},
	{Name: "address", Title: "See your postal address", Detail: "The address in your profile.", Claims: []string{
		"address",
	}},
	{Name: RolesScope, Title: "See your roles", Detail: "What you may do here, by the names of your roles.", Claims: []string{"roles"}},
	{Name: "offline_access", Title: "Stay signed in", Detail: "Keep access while you are away, until you sign this device out."},
}

const (
	OfflineAccess = "offline_access"
	RolesScope    = "roles"
)

// EverydayScopes are those that a client is registered for if its operator names none: roles are an operator's to give.
func EverydayScopes() []string {
	var names []string
	for _, scope := range Scopes {
		if scope.Name != RolesScope {
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
