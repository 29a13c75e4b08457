package authorize

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/wicket-id/wicket/oidc"
)

const (
	inJWT            = ".jwt" // the end of response modes in which the answer is a signed JWT: JARM, section 2.3
	responseLifetime = 10 * time.Minute
)

// readResponseMode reads how the answer travels. A mode that cannot be is left to checkResponseMode; what is wrong is
// told in the one that the response type has by default, and signed where it was to be, so that a client that trusts
// what is signed alone is told nothing else.
func (a *Request) readResponseMode() {
	byDefault := "query"
	if oidc.HasToken(a.ResponseType) {
		byDefault = "fragment"
	}
	asked := a.askedMode(byDefault)
	way, signed := strings.CutSuffix(asked, inJWT)
	switch {
	case slices.Contains(oidc.ResponseModes, asked) && (way != "query" || byDefault == "query"):
		a.ResponseMode = asked
	case signed:
		a.ResponseMode = byDefault + inJWT
	default:
		a.ResponseMode = byDefault
	}
}

// askedMode is the response mode that was asked for, by its full name.
func (a *Request) askedMode(byDefault string) string {
	switch asked := a.form.Get("response_mode"); asked {
	case "":
		return byDefault
	case "jwt": // JARM, section 2.3.4
		return byDefault + inJWT
	default:
		return asked
	}
}

func checkResponseMode(_ context.Context, _ *Service, a *Request) *oidc.Error {
	way, _ := strings.CutSuffix(a.ResponseMode, inJWT)
	if a.askedMode(way) != a.ResponseMode {
		return oidc.InvalidRequest("The response_mode must be query, fragment or form_post, alone or with .jwt, or jwt; " +
			"and not query where there is a token in the answer.")
	}
	return nil
}

// respond makes the answer of these parameters, with state and iss (RFC 9207), in the response mode of the request.
func (p *Service) respond(ctx context.Context, a *Request, parameters url.Values) (*oidc.Response, error) {
	parameters.Set("iss", p.Issuer)
	if a.State != "" {
		parameters.Set("state", a.State)
	}
	way, signed := strings.CutSuffix(a.ResponseMode, inJWT)
	if signed {
		text, err := p.signResponse(ctx, a, parameters)
		if err != nil {
			return nil, err
		}
		parameters = url.Values{"response": {text}}
	}
	return &oidc.Response{RedirectURI: a.RedirectURI, Mode: way, Parameters: parameters}, nil
}

// signResponse makes the JWT that holds an answer: JARM, section 2.1; encrypted, where the client is registered for
// that. It has no typ: those with one are something else. It returns an *oidc.Error.
func (p *Service) signResponse(ctx context.Context, a *Request, parameters url.Values) (string, error) {
	claims := map[string]any{"aud": a.Client.ID, "exp": p.Now().Add(responseLifetime).Unix()}
	for name := range parameters {
		claims[name] = parameters.Get(name)
	}
	signed, err := p.Tokens.Keys.Sign(jose.SignatureAlgorithm(a.Client.ResponseAlg), "", claims)
	if err != nil {
		return "", oidc.ServerError(err)
	}
	return p.Clients.Encrypt(ctx, a.Client, a.Client.ResponseEncryption, signed)
}
