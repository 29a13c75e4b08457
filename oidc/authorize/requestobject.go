package authorize

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage"
)

// objectSkew is by how much the clock of a client may differ from ours.
const objectSkew = 30 * time.Second

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
		fetched, err := p.Clients.FetchRequestObject(ctx, client, uri)
		if errors.Is(err, clients.ErrRequestURI) {
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
) (url.Values, requestObject, *oidc.Error) {
	payload, signed, err := p.Clients.OpenRequestObject(ctx, client, object.text)
	if err != nil {
		return nil, object, invalidRequestObject(err)
	}
	object.signed = signed
	inside, err := members(payload)
	if err == nil {
		err = checkObject(inside, payload, p.Issuer, client.ID, p.Now())
	}
	if err != nil {
		return nil, object, invalidRequestObject(err)
	}
	form, err := objectParameters(inside)
	if err != nil {
		return nil, object, invalidRequestObject(err)
	}
	if refused := oidc.CheckForm(form); refused != nil {
		return nil, object, invalidRequestObject(errors.New("a parameter inside is too long, or no text"))
	}
	form.Set("client_id", client.ID)
	return form, object, nil
}

// members reads the members of a JSON object.
func members(payload []byte) (map[string]json.RawMessage, error) {
	var found map[string]json.RawMessage
	if err := json.Unmarshal(payload, &found); err != nil || found == nil {
		return nil, errors.New("its claims are not a JSON object")
	}
	return found, nil
}

// checkObject says what is wrong with the claims of a request object of a client: RFC 9101, sections 4, 6.1 and 10.8.
// Who the issuer is, for whom it is and when it is good may be left out.
func checkObject(inside map[string]json.RawMessage, payload []byte, issuer, clientID string, now time.Time) error {
	var claims struct {
		jwt.Claims
		ClientID *string `json:"client_id"`
	}
	if err := json.Unmarshal(payload, &claims); err != nil {
		return errors.New("a claim is of the wrong type")
	}
	for _, name := range []string{"request", "request_uri"} {
		if _, nested := inside[name]; nested {
			return fmt.Errorf("it holds a %s itself", name)
		}
	}
	switch {
	case claims.ClientID != nil && *claims.ClientID != clientID:
		return errors.New("the client_id inside is another one")
	case claims.Issuer != "" && claims.Issuer != clientID:
		return errors.New("iss must be the client_id")
	case len(claims.Audience) > 0 && !slices.Contains(claims.Audience, issuer):
		return fmt.Errorf("aud must be %s", issuer)
	case claims.Subject == clientID: // it could pass for a client assertion elsewhere
		return errors.New("sub must not be the client_id")
	case claims.ValidateWithLeeway(jwt.Expected{Time: now}, objectSkew) != nil:
		return errors.New("it has expired, or is not valid yet")
	}
	return nil
}

// What the members of a request object are, besides parameters that are texts.
var (
	aboutObject    = []string{"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "client_id"} // not parameters
	jsonParameters = []string{"claims", "authorization_details", "registration"}
	textParameters = []string{
		"response_type", "response_mode", "redirect_uri", "scope", "state", "nonce", "display", "prompt", "ui_locales",
		"claims_locales", "id_token_hint", "login_hint", "acr_values", "code_challenge", "code_challenge_method", "dpop_jkt",
	}
)

// objectParameters are the members of a request object as a form would have them: RFC 9101, section 4. What is left
// empty is absent; what Wicket does not know and is no text or number is passed over.
func objectParameters(inside map[string]json.RawMessage) (url.Values, error) {
	form := url.Values{}
	for name, value := range inside {
		if slices.Contains(aboutObject, name) {
			continue
		}
		texts, err := parameterTexts(name, value)
		if err != nil {
			return nil, err
		}
		for _, text := range texts {
			if text != "" {
				form.Add(name, text)
			}
		}
	}
	return form, nil
}

// parameterTexts are the values of one parameter, which JSON gives by its type.
func parameterTexts(name string, value json.RawMessage) ([]string, error) {
	var text string
	var texts []string
	switch {
	case string(value) == "null":
		return nil, nil
	case json.Unmarshal(value, &text) == nil:
		return []string{text}, nil
	case name == "resource" && json.Unmarshal(value, &texts) == nil: // RFC 8707: it may be given several times
		return texts, nil
	case slices.Contains(jsonParameters, name):
		var compact bytes.Buffer
		err := json.Compact(&compact, value)
		return []string{compact.String()}, err
	case name == "resource", slices.Contains(textParameters, name):
		return nil, fmt.Errorf("%s must be a string", name)
	case value[0] == '{', value[0] == '[':
		return nil, nil
	}
	return []string{string(value)}, nil // a number, such as max_age; or a truth value
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

// invalidRequestObject is the error of that code: OpenID Connect Core, section 3.1.2.6.
func invalidRequestObject(err error) *oidc.Error {
	return &oidc.Error{
		Code: "invalid_request_object", Status: http.StatusBadRequest,
		Description: "The request object cannot be taken: " + err.Error() + ".", Reason: oidc.Reason{Code: oidc.BadRequestObject},
	}
}
