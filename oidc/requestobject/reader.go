// Package requestobject opens authorization requests that apps have signed or encrypted, and fetches those that they
// refer to: RFC 9101, and OpenID Connect Core, section 6. Begin with Reader.
package requestobject

import (
	"context"
	"errors"
	"net/url"

	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
)

// Reader opens the request objects of clients. Make one with New.
type Reader struct {
	clients *clients.Store
	remote  *remote
}

// New returns a Reader.
func New(store *clients.Store) *Reader { return &Reader{store, newRemote()} }

// Open opens a request object of a client, and returns the parameters inside as a form would have them, and whether the
// client has signed them. The error says what is wrong, to the developer of the client.
func (r *Reader) Open(ctx context.Context, client *clients.Client, object string) (url.Values, bool, error) {
	payload, signed, err := r.payload(ctx, client, object)
	if err != nil {
		return nil, false, err
	}
	inside, err := members(payload)
	if err == nil {
		err = check(inside, payload, r.clients.Issuer, client.ID, r.clients.Now())
	}
	if err != nil {
		return nil, false, err
	}
	form, err := parameters(inside)
	if err != nil {
		return nil, false, err
	}
	if oidc.CheckForm(form) != nil {
		return nil, false, errors.New("a parameter inside is too long, or no text")
	}
	form.Set("client_id", client.ID)
	return form, signed, nil
}
