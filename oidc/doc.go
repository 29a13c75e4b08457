// Package oidc answers one question: what may Wicket tell whom?
//
// It is the OpenID Provider and OAuth 2 authorization server: clients, authorization requests, consent, grants, codes,
// refresh tokens, JWTs, keys, introspection, revocation, userinfo, discovery and logout. fosite is the state machine of
// the grants (engine.go drives it); everything that meets the wire is Wicket's own. The heart is next.go.
package oidc
