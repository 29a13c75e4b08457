package authorize

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/oidc/requestobject"
	"github.com/wicket-id/wicket/storage"
)

// readObject reads a request that comes as a request object, by value or by reference: RFC 9101, section 5, and OpenID
// Connect Core, section 6. Nothing counts but what is inside. An error goes where the parameters outside say, if that
// can be trusted, for what is inside cannot be.
func (p reader) readObject(ctx context.Context, form url.Values) (*Request, error) {
	form, doubled := oidc.Single(form, "resource")
	if doubled == "client_id" || doubled == "redirect_uri" {
		return nil, &Refusal{Reason: doubledParameter(doubled)}
	}
	client, err := p.clientOf(ctx, form)
	if err != nil {
		return nil, err
	}
	outside := &Request{Client: client, form: form}
	if p.readRedirect(outside) != nil {
		outside = nil
	}
	if doubled != "" {
		return nil, &Refusal{Reason: doubledParameter(doubled), Authorization: outside}
	}
	inside, object, refused := p.resolve(ctx, client, form)
	if refused != nil {
		return nil, &Refusal{Reason: refused, Authorization: outside}
	}
	a, err := p.identify(ctx, inside, p.Now())
	if err != nil {
		return nil, err
	}
	a.signed = object.signed
	if a, err = p.examine(ctx, a); err != nil {
		return nil, err
	}
	if err := p.keep(ctx, a, object); err != nil {
		return nil, &Refusal{Reason: oidc.ServerError(err), Authorization: a}
	}
	return a, nil
}

// requestObject is a request object that was opened.
type requestObject struct {
	text   string
	signed bool
}

// resolve finds the request object that a form holds or refers to, and returns the parameters inside.
func (p reader) resolve(
	ctx context.Context, client *clients.Client, form url.Values,
) (url.Values, requestObject, *oidc.Error) {
	object := requestObject{text: form.Get("request")}
	if uri := form.Get("request_uri"); uri != "" {
		if object.text != "" {
			return nil, object, oidc.InvalidRequest("request and request_uri cannot both be given.")
		}
		fetched, err := p.RequestObjects.Fetch(ctx, client, uri)
		if errors.Is(err, requestobject.ErrURI) {
			return nil, object, invalidRequestURI("The request_uri is not one that this client has registered.")
		} else if err != nil {
			refused := invalidRequestURI("The request object could not be fetched from the request_uri.")
			refused.Cause = err
			return nil, object, refused
		}
		object.text = strings.TrimSpace(fetched)
	}
	return p.open(ctx, client, object)
}

// open opens a request object of a client, and returns the parameters inside as a form would have them.
func (p reader) open(
	ctx context.Context, client *clients.Client, object requestObject,
) (form url.Values, _ requestObject, refused *oidc.Error) {
	form, signed, err := p.RequestObjects.Open(ctx, client, object.text)
	if err != nil {
		return nil, object, &oidc.Error{
			Code: "invalid_request_object", Status: http.StatusBadRequest,
			Description: "The request object cannot be taken: " + err.Error() + ".",
			Reason:      oidc.Reason{Code: oidc.BadRequestObject},
		}
	}
	object.signed = signed
	return form, object, nil
}

// maxSealed is how long a request may be that travels through our pages itself.
const maxSealed = 2 << 10

// keep keeps a request that came as a long, signed request object, so that pages carry its digest alone. What is the
// same inside is one row, however it is written, so that nobody but the client can make many of them; of a client
// that anybody may have registered few are kept. It may come again, as the same plain request may. It may return a
// *cache.Limited.
func (p reader) keep(ctx context.Context, a *Request, object requestObject) error {
	if !object.signed || len(a.form.Encode()) <= maxSealed {
		return nil
	}
	if err := p.limitKept(ctx, "par", a.Client); err != nil {
		return err
	}
	now := p.Now()
	a.pushed = &PushedRequest{
		Hash: storage.Digest("request object\n" + a.Client.ID + "\n" + a.form.Encode()), ClientID: a.Client.ID, Form: a.form,
		Signed: true, Repeatable: true, CreatedAt: now, ExpiresAt: now.Add(pushedLifetime),
	}
	err := p.Database.Append(ctx, p.Database.Draft().NewInsert().Model(a.pushed).
		On("CONFLICT (hash) DO UPDATE").Set("expires_at = EXCLUDED.expires_at"))
	if err != nil {
		return fmt.Errorf("keep request object: %w", err)
	}
	return nil
}

// checkSigned refuses a request that is not signed where the client has promised to sign: RFC 9101, section 10.5.
func checkSigned(_ context.Context, _ *Service, a *Request) *oidc.Error {
	if a.Client.RequireSignedRequest && !a.signed {
		return oidc.InvalidRequest("This client must sign its authorization requests (RFC 9101).").Because(oidc.MustSign, nil)
	}
	return nil
}
