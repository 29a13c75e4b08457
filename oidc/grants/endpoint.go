package grants

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/ory/fosite"

	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/oidc/dpop"
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

	DPoPNonce string `json:"-"` // the header DPoP-Nonce; empty: none is due
}

// Token answers the token endpoint: RFC 6749, section 3.2. It returns an *oidc.Error for what is refused, or a
// *cache.Limited. The client is returned whenever it is known, for the answer's headers and the log.
func (s *Service) Token(ctx context.Context, r oidc.Request) (*Tokens, *clients.Client, error) {
	e := &exchange{service: s}
	err := e.run(ctx, r)
	countTokens(ctx, e.name, e.client, err)
	if err != nil {
		return nil, e.client, err
	}
	return e.tokens, e.client, nil
}

// exchange is one request to the token endpoint on its way through the phases.
type exchange struct {
	service *Service
	name    string // of the grant type, as sent
	form    url.Values
	client  *clients.Client
	proof   *dpop.Proof // nil: the request has none
	grant   *grantType
	work    *work
	access  fosite.AccessRequester
	tokens  *Tokens
}

// run goes through the phases, which are the same for every grant type, in this order. Each returns an *oidc.Error for
// what it refuses.
func (e *exchange) run(ctx context.Context, r oidc.Request) (err error) {
	e.name = r.Form.Get("grant_type")
	if e.form, err = oidc.Parameters(r.Form, "resource"); err != nil {
		return err
	}
	r.Form = e.form
	if e.client, err = e.service.Clients.Admit(ctx, "token", r); err != nil {
		return err
	}
	ctx = audit.AsNamed(ctx, e.client.Actor())
	if err = e.readProof(r); err != nil {
		return err
	}
	for _, phase := range []func(context.Context) error{
		e.chooseGrantType,
		e.redeem,
		e.demandStanding,
		e.chooseAPI,
		e.chooseScopes,
		e.demandKeys,
		e.useProof,
		e.issue,
	} {
		if err := phase(ctx); err != nil {
			return err
		}
	}
	return nil
}

// chooseGrantType finds the row of the table, and what it redeems: RFC 6749, section 5.2.
func (e *exchange) chooseGrantType(context.Context) error {
	name := e.form.Get("grant_type")
	if name == "" {
		return oidc.InvalidRequest("The grant_type is missing.")
	}
	if e.grant = grantTypeNamed(name); e.grant == nil {
		return &oidc.Error{
			Code: "unsupported_grant_type", Status: http.StatusBadRequest,
			Description: "The grant_type must be one of " + strings.Join(oidc.GrantTypes, ", ") + ".",
			Reason:      oidc.Reason{Code: oidc.UnknownGrantType, Expected: oidc.GrantTypes, Got: []string{oidc.SentName(name)}},
		}
	}
	if !slices.Contains(e.client.GrantTypes, name) {
		return &oidc.Error{
			Code: "unauthorized_client", Status: http.StatusBadRequest,
			Description: "This client is not registered for " + name + ".",
			Reason:      oidc.Reason{Code: oidc.NoGrantType, Expected: e.client.GrantTypes, Got: []string{name}},
		}
	}
	if e.grant.presented != "" && e.form.Get(e.grant.presented) == "" {
		return oidc.InvalidRequest("The " + e.grant.presented + " is missing.")
	}
	return nil
}

// redeem checks that what is presented is good, the client's, and its holder's (PKCE). It is used up by issue.
func (e *exchange) redeem(ctx context.Context) (err error) {
	e.work = &work{
		service: e.service, now: e.service.Now(), client: e.client, proof: e.proof, form: e.form,
		presented: e.form.Get("refresh_token"),
	}
	form := maps.Clone(e.form)
	form.Del("scope") // what may be asked for depends on the API: chooseScopes
	e.access, err = e.service.engine.NewAccessRequest(withWork(ctx, e.work), &http.Request{
		Method: http.MethodPost, Form: form, PostForm: form, Header: http.Header{},
	}, &engineSession{})
	return e.refuse(err)
}

// demandStanding demands of what belongs to a person that the account is active, and that neither the session nor the
// grant has ended.
func (e *exchange) demandStanding(context.Context) error {
	if e.work.grant != nil && !e.work.stands {
		return e.refuse(fosite.ErrNotFound)
	}
	return nil
}

// chooseAPI chooses what the access token is good at, by the parameter resource: RFC 8707, section 2.2.
func (e *exchange) chooseAPI(ctx context.Context) (err error) {
	e.work.api, err = e.grant.api(ctx, e.work, e.form["resource"])
	return err
}

// chooseScopes chooses what the tokens are good for. fosite hears of the server's own scopes, which decide on ID token
// and refresh token; the access token has those of its API.
func (e *exchange) chooseScopes(context.Context) error {
	chosen, err := e.grant.scopes(e.work, oidc.ParseScopes(e.form.Get("scope")))
	if err != nil {
		return err
	}
	e.access.(*fosite.AccessRequest).GrantedScope, e.work.scopes = chosen.own, chosen.ofToken
	return nil
}

// demandKeys demands the app's keys where its ID token is encrypted, before anything is used up for it.
func (e *exchange) demandKeys(ctx context.Context) error {
	if e.work.grant == nil || !e.access.GetGrantedScopes().Has("openid") {
		return nil
	}
	return e.service.Clients.CanEncrypt(ctx, e.client, e.client.IDTokenEncryption)
}

// issue signs the tokens, and uses up what was redeemed, in one transaction.
func (e *exchange) issue(ctx context.Context) error {
	answer, err := e.service.engine.NewAccessResponse(withWork(ctx, e.work), e.access)
	if err := e.refuse(err); err != nil {
		return err
	}
	e.tokens = &Tokens{
		AccessToken: answer.GetAccessToken(), TokenType: "Bearer",
		ExpiresIn: int64(e.service.Tokens.AccessTokenLifetime(e.work.api).Seconds()),
		Scope:     strings.Join(e.work.scopes, " "),
	}
	if e.proof != nil {
		e.tokens.TokenType, e.tokens.DPoPNonce = dpop.Header, e.proof.NextNonce
	}
	e.tokens.RefreshToken, _ = answer.GetExtra("refresh_token").(string)
	e.tokens.IDToken, _ = answer.GetExtra("id_token").(string)
	return nil
}

// refuse turns what fosite says, and what the work has come upon where fosite does not listen, into an *oidc.Error.
func (e *exchange) refuse(err error) error {
	var refused *oidc.Error
	switch {
	case errors.As(e.work.fault, &refused):
		return refused
	case e.work.fault != nil:
		return oidc.ServerError(e.work.fault)
	case e.work.lost:
		return oidc.InvalidGrant("The "+e.grant.noun+" has been used.").Because(e.work.used(), nil)
	case errors.Is(err, fosite.ErrNotFound) || errors.Is(err, fosite.ErrInactiveToken):
		return oidc.InvalidGrant(fmt.Sprintf(
			"The %s is not valid: it has expired, was used or was revoked, or belongs to another client.", e.grant.noun,
		)).Because(e.work.reason, nil)
	}
	err = Translate(err)
	if errors.As(err, &refused) && refused.Code == "invalid_grant" {
		return e.work.unlike(refused)
	}
	return err
}

// countTokens counts an answer to a client that is known: nobody else chooses what is counted.
func countTokens(ctx context.Context, name string, client *clients.Client, err error) {
	if client == nil {
		return
	}
	if grantTypeNamed(name) == nil {
		name = "unknown"
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
	storage.CountEvent(ctx, "tokens", name, outcome)
}
