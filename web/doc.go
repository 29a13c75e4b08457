// Package web answers one question: what does a browser or an app see?
//
// It has one table of routes, handlers that return errors, and one exit where errors become pages, JSON or redirects. It
// decides nothing: what may be told to whom is oidc's, who somebody is identity's.
package web
