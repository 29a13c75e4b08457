package tokens

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/oidc/dpop"
	"github.com/wicket-id/wicket/storage"
)

// Introspection is the answer of the introspection endpoint: RFC 7662, section 2.2. Of a token that is not good it says
// just that.
type Introspection struct {
	Active    bool     `json:"active"`
	Scope     string   `json:"scope,omitempty"`
	ClientID  string   `json:"client_id,omitempty"`
	TokenType string   `json:"token_type,omitempty"`
	Expiry    int64    `json:"exp,omitempty"`
	IssuedAt  int64    `json:"iat,omitempty"`
	Subject   string   `json:"sub,omitempty"`
	Audience  []string `json:"aud,omitempty"`
	Issuer    string   `json:"iss,omitempty"`
	ID        string   `json:"jti,omitempty"`
	SessionID string   `json:"sid,omitempty"`
	AuthTime  int64    `json:"auth_time,omitempty"`
	ACR       string   `json:"acr,omitempty"`
	AMR       []string `json:"amr,omitempty"`
	// the key that its holder must prove: RFC 9449, section 6.2
	Confirmation *Confirmation `json:"cnf,omitempty"`
}

// Introspect answers the introspection endpoint. Only clients that can prove who they are may ask. An access token is
// told of to its own client, and to those that may introspect the tokens of the API that it is for; a refresh token
// to its own client alone. To everybody else no token is active. The sub is that of the token, whoever asks. It returns
// the client that asks, where that is known, and an *Error for what is refused, or a *storage.Limited.
func (p *Service) Introspect(ctx context.Context, r oidc.Request) (*Introspection, *clients.Client, error) {
	token, client, err := p.tokenInQuestion(ctx, "introspect", &r)
	if err != nil {
		return nil, client, err
	}
	if client.IsPublic() {
		return nil, client, &oidc.Error{
			Code: "invalid_client", Description: "A public client may not introspect tokens.", Status: http.StatusUnauthorized,
		}
	}
	if claims, err := p.ReadAccessToken(token); err == nil {
		if may, err := p.mayIntrospect(ctx, client, claims); err != nil {
			return nil, client, oidc.ServerError(err)
		} else if !may {
			return &Introspection{}, client, nil
		}
		if _, err := p.stillStands(ctx, claims); errors.Is(err, errToken) {
			return &Introspection{}, client, nil
		} else if err != nil {
			return nil, client, oidc.ServerError(err)
		}
		kind := "Bearer"
		if claims.Confirmation != nil {
			kind = dpop.Header
		}
		return &Introspection{
			Active: true, Scope: claims.Scope, ClientID: claims.ClientID, TokenType: kind, Expiry: claims.Expiry,
			IssuedAt: claims.IssuedAt, Confirmation: claims.Confirmation,
			Subject: claims.Subject, Audience: claims.Audience, Issuer: claims.Issuer, ID: claims.ID,
			SessionID: claims.SessionID,
			AuthTime:  claims.AuthTime, ACR: claims.ACR, AMR: claims.AMR,
		}, client, nil
	}
	found, err := p.RefreshTokenByHash(ctx, storage.Digest(token), nil)
	if errors.Is(err, storage.ErrNotFound) {
		return &Introspection{}, client, nil
	} else if err != nil {
		return nil, client, oidc.ServerError(err)
	}
	grant, now := found.Grant, p.Now()
	if found.UsedAt != nil || grant.ClientID != client.ID || !now.Before(found.ExpiresAt) ||
		!grant.Stands(found.Standing, now) {
		return &Introspection{}, client, nil
	}
	subject, err := p.Subject(ctx, client, grant.UserID)
	if err != nil {
		return nil, client, oidc.ServerError(err)
	}
	return &Introspection{
		Active: true, Scope: strings.Join(grant.Scopes, " "), ClientID: grant.ClientID, TokenType: "refresh_token",
		Expiry: found.ExpiresAt.Unix(), IssuedAt: found.CreatedAt.Unix(), Subject: subject, Issuer: p.Issuer,
		SessionID: grant.SessionID.String(),
	}, client, nil
}

// IntrospectionType is the typ of an introspection answer that is a JWT, and its media type below application/: RFC
// 9701, section 5.
const IntrospectionType = "token-introspection+jwt"

// introspectionClaims are the claims of such an answer. What it says of the token is one claim, with neither sub nor
// exp beside it: nothing that takes a JWT for a token takes this one.
type introspectionClaims struct {
	Issuer        string         `json:"iss"`
	Audience      string         `json:"aud"` // who has asked
	IssuedAt      int64          `json:"iat"`
	Introspection *Introspection `json:"token_introspection"`
}

// SignIntrospection makes a JWT of an answer to a client that has asked for one; encrypted, where it is registered for
// that. It returns an *oidc.Error where that cannot be.
func (p *Service) SignIntrospection(
	ctx context.Context, answer *Introspection, to *clients.Client,
) (string, error) {
	alg := jose.RS256 // RFC 9701, section 6
	if to.IntrospectionAlg != "" {
		alg = jose.SignatureAlgorithm(to.IntrospectionAlg)
	}
	signed, err := p.Keys.Sign(alg, IntrospectionType, introspectionClaims{
		Issuer: p.Issuer, Audience: to.ID, IssuedAt: p.Now().Unix(), Introspection: answer,
	})
	if err != nil {
		return "", oidc.ServerError(err)
	}
	return p.Clients.Encrypt(ctx, to, to.IntrospectionEncryption, signed)
}

// mayIntrospect tells whether a client may be told of an access token. A token for an API that has been deleted is good
// for nobody.
func (p *Service) mayIntrospect(ctx context.Context, client *clients.Client, claims *AccessClaims) (bool, error) {
	if claims.For(p.Issuer) {
		return claims.ClientID == client.ID || client.IntrospectsAll, nil
	}
	for _, audience := range claims.Audience {
		api, err := p.APIs.Find(ctx, audience)
		if errors.Is(err, storage.ErrNotFound) {
			continue
		} else if err != nil {
			return false, err
		}
		if claims.IssuedAt < api.CreatedAt.Unix() { // it was for another API of the same name
			continue
		}
		if claims.ClientID == client.ID || slices.Contains(api.IntrospectionClients, client.ID) {
			return true, nil
		}
	}
	return false, nil
}

// tokenInQuestion reads the request that introspection and revocation share.
func (p *Service) tokenInQuestion(
	ctx context.Context, endpoint string, r *oidc.Request,
) (string, *clients.Client, error) {
	form, err := oidc.Parameters(r.Form)
	if err != nil {
		return "", nil, err
	}
	r.Form = form
	client, err := p.Clients.Admit(ctx, endpoint, *r)
	if err != nil {
		return "", client, err
	}
	token := form.Get("token")
	if token == "" {
		return "", nil, oidc.InvalidRequest("The token is missing.")
	}
	return token, client, nil
}
