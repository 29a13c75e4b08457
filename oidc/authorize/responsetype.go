package authorize

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/tokens"
)

// AsksFor tells whether the answer is to hold a "code", a "token", which is an access token, or an "id_token".
func (a *Request) AsksFor(part string) bool {
	return slices.Contains(strings.Fields(a.ResponseType), part)
}

// checkResponseType is RFC 6749, section 4.1.2.1, for the response types of OAuth 2.0 Multiple Response Type Encoding
// Practices.
func checkResponseType(_ context.Context, p *Service, a *Request) *oidc.Error {
	offered := p.OfferedResponseTypes()
	switch {
	case !a.form.Has("response_type"):
		return oidc.InvalidRequest("The response_type is missing.")
	case !slices.Contains(offered, a.ResponseType):
		got := []string{oidc.SentName(a.form.Get("response_type"))}
		return &oidc.Error{
			Code: "unsupported_response_type", Description: "The response_type must be " + strings.Join(offered, ", ") + ".",
			Reason: oidc.Reason{Code: oidc.WrongResponseType, Expected: offered, Got: got},
		}
	case !slices.Contains(a.Client.ResponseTypes, a.ResponseType):
		return &oidc.Error{
			Code: "unauthorized_client", Description: "This client is not registered for the response_type " + a.ResponseType + ".",
			Reason: oidc.Reason{Code: oidc.NoResponseType, Expected: a.Client.ResponseTypes, Got: []string{a.ResponseType}},
		}
	case a.AsksFor("code") && !slices.Contains(a.Client.GrantTypes, oidc.GrantCode):
		return &oidc.Error{
			Code: "unauthorized_client", Description: "This client is not registered for the authorization code flow.",
			Reason: oidc.Reason{Code: oidc.NoGrantType, Expected: a.Client.GrantTypes, Got: []string{oidc.GrantCode}},
		}
	}
	return nil
}

// checkIDToken demands what an ID token needs that comes with the answer: OpenID Connect Core, section 3.2.2.1. Nothing
// else binds it to the browser that asked.
func checkIDToken(_ context.Context, _ *Service, a *Request) *oidc.Error {
	switch {
	case !a.AsksFor("id_token"):
		return nil
	case !slices.Contains(a.Scopes, "openid"):
		return oidc.InvalidRequest("An ID token needs the scope openid.")
	case !a.form.Has("nonce"):
		return oidc.InvalidRequest("The nonce is missing; this response_type requires it.")
	}
	return nil
}

// checkFrontToken refuses to put access tokens for APIs into the browser.
func checkFrontToken(_ context.Context, _ *Service, a *Request) *oidc.Error {
	if a.AsksFor("token") && a.Client.DPoPBound { // in front nothing can be bound to a key: RFC 9449, section 5
		return oidc.InvalidRequest("The tokens of this client are bound to a key, and come from the token endpoint alone.")
	}
	if a.AsksFor("token") && len(a.APIs) > 0 {
		return &oidc.Error{
			Code: "invalid_target", Description: "Access tokens for an API come from the token endpoint alone.",
		}
	}
	return nil
}

// sign makes the tokens that come with the answer itself, and puts them there: OpenID Connect Core, sections 3.2.2.5
// and 3.3.2.5. Any script of the page may see them, so an access token lives shortly and no refresh token goes with it.
func (p *Service) sign(ctx context.Context, a *Request, grant *oidc.Grant, answer url.Values, now time.Time) error {
	if a.AsksFor("token") {
		token, err := p.Tokens.SignAccessToken(ctx, tokens.AccessToken{
			Client: a.Client, Grant: grant, Scopes: grant.Scopes,
		}, now)
		if err != nil {
			return err
		}
		answer.Set("access_token", token)
		answer.Set("token_type", "Bearer")
		answer.Set("expires_in", strconv.FormatInt(int64(p.Lifetimes.AccessToken.Seconds()), 10))
		answer.Set("scope", strings.Join(grant.Scopes, " "))
	}
	if a.AsksFor("id_token") {
		front := tokens.IDToken{
			Client: a.Client, Grant: grant, Scopes: grant.Scopes, Nonce: a.form.Get("nonce"),
			AccessToken: answer.Get("access_token"), Code: answer.Get("code"),
		}
		if front.Code != "" { // the token endpoint gives an ID token too, and browsers need not see what that tells
			front.Scopes = nil
		}
		var err error
		if front.Person, err = p.Tokens.PersonByID(ctx, a.Client, grant.UserID); err != nil {
			return err
		}
		token, err := p.Tokens.SignIDToken(ctx, front, now)
		if err != nil {
			return err
		}
		answer.Set("id_token", token)
	}
	return nil
}
