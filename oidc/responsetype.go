package oidc

import (
	"slices"
	"strings"
)

// ResponseTypes are what an authorization request may ask for: OAuth 2.0 Multiple Response Type Encoding Practices,
// sections 3 to 5. A client is registered for those that it uses. The first is for every app; the others put tokens
// into the browser (implicit and hybrid flow), or nothing, and are there only where the operator says so.
var ResponseTypes = []string{
	"code", "code id_token", "code id_token token", "code token", "id_token", "id_token token", "none",
}

// ResponseType returns the name of a response type as ResponseTypes has it, however its parts are ordered; "" where it
// is unknown.
func ResponseType(parameter string) string {
	parts := strings.Fields(parameter)
	slices.Sort(parts)
	if name := strings.Join(parts, " "); slices.Contains(ResponseTypes, name) {
		return name
	}
	return ""
}

// HasToken tells whether the answer to a response type holds a token: it must not travel in a query then, for queries
// are logged (OAuth 2.0 Multiple Response Type Encoding Practices, section 3).
func HasToken(responseType string) bool {
	parts := strings.Fields(responseType)
	return slices.Contains(parts, "token") || slices.Contains(parts, "id_token")
}

// OfferedResponseTypes are those that clients may be registered for and use: code alone, unless the operator says
// otherwise.
func (p *Provider) OfferedResponseTypes() []string {
	if p.AllResponseTypes {
		return ResponseTypes
	}
	return ResponseTypes[:1]
}
