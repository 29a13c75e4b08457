package grants

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/ory/fosite"

	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
	"github.com/wicket-id/wicket/storage/cache"
)

// Tokens is the answer of the token endpoint: RFC 6749, section 5.1, and OpenID Connect Core, section 3.1.3.3.
type Tokens struct {
	AccessToken  string `json:"access_token"`
	TokenType    string `json:"token_type"`
	ExpiresIn    int64  `json:"expires_in"` // seconds
	RefreshToken string `json:"refresh_token,omitempty"`
	IDToken      string `json:"id_token,omitempty"`
	Scope        string `json:"scope,omitempty"`
}

// Token answers the token endpoint: RFC 6749, sections 4.1.3 (authorization_code, with PKCE), 6 (refresh_token) and
// 4.4.2 (client_credentials). It returns an *Error for what is refused, or a *storage.Limited. The client is returned whenever it is known, for
// the answer's headers.
func (p *Service) Token(ctx context.Context, r oidc.Request) (tokens *Tokens, client *clients.Client, err error) {
	defer func() { tallyTokens(ctx, r.Form.Get("grant_type"), client, err) }()
	form, doubled := oidc.Single(r.Form)
	if doubled != "" {
		return nil, nil, oidc.InvalidRequest("The parameter " + doubled + " is given more than once.")
	}
	r.Form = form
	client, err = p.Clients.Admit(ctx, "token", r)
	if err != nil {
		return nil, client, err
	}
	ctx = audit.AsNamed(ctx, client.Actor())
	grantType := form.Get("grant_type")
	switch {
	case grantType == "":
		return nil, client, oidc.InvalidRequest("The grant_type is missing.")
	case !slices.Contains(oidc.GrantTypes, grantType):
		return nil, client, &oidc.Error{Code: "unsupported_grant_type", Description: "The grant_type must be one of " + strings.Join(oidc.GrantTypes, ", ") + ".", Status: http.StatusBadRequest}
	case !slices.Contains(client.GrantTypes, grantType):
		return nil, client, &oidc.Error{Code: "unauthorized_client", Description: "This client is not registered for " + grantType + ".", Status: http.StatusBadRequest}
	}
	for needed, of := range map[string]string{"code": oidc.GrantCode, "refresh_token": oidc.GrantRefreshToken} {
		if grantType == of && form.Get(needed) == "" {
			return nil, client, oidc.InvalidRequest("The " + needed + " is missing.")
		}
	}
	w := &work{service: p, now: p.Now(), client: client, form: form, presented: form.Get("refresh_token")}
	ctx = withWork(ctx, w)
	request, err := p.engine.NewAccessRequest(ctx, &http.Request{Method: http.MethodPost, Form: form, PostForm: form, Header: http.Header{}}, &engineSession{})
	if err == nil {
		err = w.narrow(request, form.Get("scope"))
	}
	var answer fosite.AccessResponder
	if err == nil {
		answer, err = p.engine.NewAccessResponse(ctx, request)
	}
	switch {
	case w.fault != nil:
		return nil, client, oidc.ServerError(w.fault)
	case w.lost:
		return nil, client, oidc.InvalidGrant("The code has been used.")
	case errors.Is(err, fosite.ErrNotFound) || errors.Is(err, fosite.ErrInactiveToken):
		return nil, client, oidc.InvalidGrant(fmt.Sprintf("The %s is not valid: it has expired, was used or was revoked, or belongs to another client.",
			map[bool]string{true: "code", false: "refresh token"}[grantType == oidc.GrantCode]))
	case err != nil:
		return nil, client, Translate(err)
	}
	tokens = &Tokens{
		AccessToken: answer.GetAccessToken(), TokenType: "Bearer", ExpiresIn: int64(p.Lifetimes.AccessToken.Seconds()),
		Scope: strings.Join(request.GetGrantedScopes(), " "),
	}
	if grantType == oidc.GrantClientCredentials {
		tokens.Scope = strings.Join(request.GetRequestedScopes(), " ")
	}
	tokens.RefreshToken, _ = answer.GetExtra("refresh_token").(string)
	tokens.IDToken, _ = answer.GetExtra("id_token").(string)
	return tokens, client, nil
}

// tallyTokens counts an answer to a client that is known: strangers do not choose what is counted.
func tallyTokens(ctx context.Context, grantType string, client *clients.Client, err error) {
	if client == nil {
		return
	}
	if !slices.Contains(oidc.GrantTypes, grantType) {
		grantType = "unknown"
	}
	outcome := "issued"
	var refused *oidc.Error
	var limited *cache.Limited
	switch {
	case errors.As(err, &refused):
		outcome = refused.Code
	case errors.As(err, &limited):
		outcome = "limited"
	}
	storage.CountEvent(ctx, "tokens", grantType, outcome)
}

// narrow lets a refresh ask for less than was granted: RFC 6749, section 6. The family keeps its scopes.
func (w *work) narrow(request fosite.AccessRequester, parameter string) error {
	if w.refresh == nil || parameter == "" {
		return nil
	}
	wanted := oidc.ParseScopes(parameter)
	if len(oidc.Intersect(wanted, w.grant.Scopes)) != len(wanted) {
		return oidc.InvalidScope("A refresh cannot ask for scopes that were not granted.")
	}
	request.(*fosite.AccessRequest).GrantedScope = wanted
	return nil
}
