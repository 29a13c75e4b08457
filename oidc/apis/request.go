package apis

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage"
)

// Requested is an API that a client asks for, with the scopes that it gets there if everybody agrees.
type Requested struct {
	*API

	Scopes []string
}

// Target is the error of RFC 8707, section 2: what the parameter resource names cannot be had.
func Target(description string) *oidc.Error {
	return &oidc.Error{Code: "invalid_target", Description: description, Status: http.StatusBadRequest}
}

// Request finds the APIs that the parameter resource names (RFC 8707, section 2.1) for a client, and those of the
// scopes asked for that it may have there. Where the server has no APIs the parameter means nothing and is ignored:
// clients of the Model Context Protocol always send it. It returns an *oidc.Error with invalid_target for an API that
// is unknown, or that the client may not ask for; which of the two is not told, for it may be a stranger's client.
func (s *Store) Request(
	ctx context.Context, client *clients.Client, resources, scopes []string,
) ([]Requested, *oidc.Error) {
	if len(resources) == 0 {
		return nil, nil
	}
	if any, err := s.Any(ctx); err != nil {
		return nil, oidc.ServerError(err)
	} else if !any && !slices.ContainsFunc(resources, s.isOwn) {
		return nil, nil
	}
	if len(resources) > maxRequested {
		return nil, Target("Too many resources are named at once.")
	}
	var requested []Requested
	for _, resource := range resources {
		if SameIdentifier(resource, s.Issuer) {
			continue // this server itself: the scopes without an API
		}
		api, err := s.Find(ctx, resource)
		if err != nil && !errors.Is(err, storage.ErrNotFound) {
			return nil, oidc.ServerError(err)
		}
		if err != nil || !api.IsOpen && !client.MayCall(api.Identifier) {
			return nil, Target("A resource is not an API that this client may ask for.").
				Because(oidc.NoAPI, client.APIs, oidc.SentURI(resource))
		}
		if !slices.ContainsFunc(requested, func(r Requested) bool { return r.Identifier == api.Identifier }) {
			requested = append(requested, Requested{API: api, Scopes: oidc.Intersect(scopes, api.ScopesOf(client))})
		}
	}
	return requested, nil
}

const maxRequested = 20

// ScopesOf are the scopes of the API that a client may have: all of them, unless it is registered for scopes of APIs by
// name; then those of these that this API knows, which may be none.
func (a *API) ScopesOf(client *clients.Client) []string {
	// What an API calls as Wicket calls a scope of its own since was one of the API's when the client was registered.
	if slices.ContainsFunc(client.Scopes, func(s string) bool { return !oidc.IsOwnScope(s) || a.Has(s) }) {
		return oidc.Intersect(a.scopeNames(), client.Scopes)
	}
	return a.scopeNames()
}
