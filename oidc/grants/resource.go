package grants

import (
	"context"
	"errors"
	"slices"

	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/apis"
	"github.com/wicket-id/wicket/storage"
)

// An access token is good at one API, or at this server itself: which is said by the parameter resource (RFC 8707,
// section 2.2), and follows from what was granted where it is left out.

// grantedAPI chooses among the APIs of the grant. Where the request names none, there must be only one to choose.
func grantedAPI(ctx context.Context, w *work, resources []string) (*apis.API, error) {
	granted := w.grant.APIs
	switch {
	case len(granted) == 0 && len(resources) == 0:
		return nil, nil
	case len(resources) == 0 && len(granted) == 1:
		for identifier := range granted {
			return w.standingAPI(ctx, identifier)
		}
	}
	resource, err := theOnly(resources)
	if err != nil {
		return nil, err
	}
	if apis.SameIdentifier(resource, w.service.Issuer) && slices.Contains(w.grant.Scopes, "openid") {
		return nil, nil
	}
	for identifier := range granted {
		if apis.SameIdentifier(resource, identifier) {
			return w.standingAPI(ctx, identifier)
		}
	}
	// A server without APIs has ignored the parameter before, when it was asked for the code.
	if any, err := w.service.Tokens.APIs.Any(ctx); err != nil {
		return nil, oidc.ServerError(err)
	} else if !any {
		return nil, nil
	}
	return nil, apis.Target("The resource is not one that was granted.")
}

// clientsAPI chooses among the APIs that a client may ask for in its own name. Where it names none and is registered
// for one alone, that is meant.
func clientsAPI(ctx context.Context, w *work, resources []string) (*apis.API, error) {
	if len(resources) == 0 {
		if len(w.client.APIs) != 1 {
			return nil, nil
		}
		return w.standingAPI(ctx, w.client.APIs[0])
	}
	resource, err := theOnly(resources)
	if err != nil {
		return nil, err
	}
	requested, refused := w.service.Tokens.APIs.Request(ctx, w.client, []string{resource}, nil)
	if refused != nil {
		return nil, refused
	}
	if len(requested) == 0 {
		return nil, nil
	}
	return requested[0].API, nil
}

// theOnly is the one resource that a request to the token endpoint may name.
func theOnly(resources []string) (string, error) {
	if len(resources) != 1 {
		return "", apis.Target("An access token is good at one API. Name it by one parameter resource.")
	}
	return resources[0], nil
}

// standingAPI is an API that was granted, unless it has been deleted since.
func (w *work) standingAPI(ctx context.Context, identifier string) (*apis.API, error) {
	api, err := w.service.Tokens.APIs.Find(ctx, identifier)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, apis.Target("The API is not registered any more.")
	} else if err != nil {
		return nil, oidc.ServerError(err)
	}
	if !api.IsOpen && !w.client.MayCall(api.Identifier) {
		return nil, apis.Target("The client may not ask for tokens for this API any more.")
	}
	if w.grant != nil && api.CreatedAt.After(w.grant.CreatedAt) { // another API of the same name was allowed
		return nil, apis.Target("The API was registered anew, and must be allowed again.")
	}
	return api, nil
}
