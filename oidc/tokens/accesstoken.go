package tokens

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"

	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/apis"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage"
)

// AccessClaims are the claims of an access token: RFC 9068, section 2.2, with the session and its version, which let
// everybody who asks Wicket know of a logout at once.
type AccessClaims struct {
	Issuer         string   `json:"iss"`
	Subject        string   `json:"sub"` // see SignAccessToken; who the person is, the grant says
	Audience       []string `json:"aud"`
	ClientID       string   `json:"client_id"`
	Scope          string   `json:"scope,omitempty"`
	IssuedAt       int64    `json:"iat"`
	Expiry         int64    `json:"exp"`
	ID             string   `json:"jti"`
	SessionID      string   `json:"sid,omitempty"`
	SessionVersion int64    `json:"session_version,omitempty"`
	GrantID        string   `json:"grant_id,omitempty"`
	AuthTime       int64    `json:"auth_time,omitempty"`
	ACR            string   `json:"acr,omitempty"`
	AMR            []string `json:"amr,omitempty"`
	// the key that its holder must prove; nil: whoever bears it may use it
	Confirmation *Confirmation `json:"cnf,omitempty"`

	kid string // the key that signed them
}

const accessTokenAlg = jose.ES256

// AccessToken is what an access token is made of.
type AccessToken struct {
	Client  *clients.Client
	Grant   *oidc.Grant // nil: the client has it for itself
	API     *apis.API   // nil: it is good at this server alone
	Scopes  []string
	DPoPKey string // the thumbprint of the key that it is bound to; empty: none
}

// SignAccessToken makes an access token: RFC 9068. The sub is the client itself where there is no person, and otherwise
// whom the client knows the person as: an app with pairwise subjects can read its access tokens, and must learn of
// nobody by another name there (RFC 9068, section 6). It returns storage.ErrNotFound where the person was erased.
func (p *Service) SignAccessToken(ctx context.Context, token AccessToken, now time.Time) (string, error) {
	client, grant, api := token.Client, token.Grant, token.API
	claims := AccessClaims{
		Issuer: p.Issuer, Subject: client.ID, Audience: []string{p.Issuer}, ClientID: client.ID,
		Scope:    strings.Join(token.Scopes, " "),
		IssuedAt: now.Unix(), Expiry: now.Add(p.AccessTokenLifetime(api)).Unix(), ID: uuid.NewString(),
	}
	if token.DPoPKey != "" {
		claims.Confirmation = &Confirmation{DPoPKey: token.DPoPKey}
	}
	typ := apis.TypeAccessToken
	if api != nil {
		claims.Audience, typ = []string{api.Identifier}, api.TokenType
	}
	if grant != nil {
		subject, err := p.Subject(ctx, client, grant.UserID)
		if err != nil {
			return "", err
		}
		claims.Subject, claims.GrantID = subject, grant.ID.String()
		claims.SessionID, claims.SessionVersion = grant.SessionID.String(), grant.SessionVersion
		claims.AuthTime, claims.ACR, claims.AMR = grant.AuthTime.Unix(), grant.ACR, grant.AMR
	}
	return p.Keys.Sign(accessTokenAlg, typ, claims)
}

// AccessTokenLifetime is how long an access token for an API is good; nil: for this server alone.
func (p *Service) AccessTokenLifetime(api *apis.API) time.Duration {
	if api == nil || api.TokenLifetime == 0 {
		return p.Lifetimes.AccessToken
	}
	return time.Duration(api.TokenLifetime) * time.Second
}

// For tells whether the token is good at that audience: an API's identifier, or the issuer for this server itself.
func (c *AccessClaims) For(audience string) bool { return slices.Contains(c.Audience, audience) }

// errToken says that a token is not good: forged, expired, revoked, or its session has ended. Which is not told.
var errToken = errors.New("the access token is not valid")

// ReadAccessToken verifies what can be told from an access token itself: RFC 9068, section 4. Which API it is good at
// is left to who asks: see AccessClaims.For. Its answer must not be changed.
func (p *Service) ReadAccessToken(token string) (*AccessClaims, error) {
	if claims := p.verified.get(token, p.Now()); claims != nil && p.Keys.Trusts(claims.kid) {
		return claims, nil
	}
	payload, kid, err := p.Keys.Verify(token, apis.TypeAccessToken, accessTokenAlg)
	if err != nil {
		if payload, kid, err = p.Keys.Verify(token, apis.TypeJWT, accessTokenAlg); err != nil {
			return nil, errToken
		}
	}
	claims := &AccessClaims{kid: kid}
	if err := json.Unmarshal(payload, claims); err != nil {
		return nil, errToken
	}
	// An ID token has the type JWT too, and neither of the two: RFC 9068, section 2.2, demands them.
	if claims.ClientID == "" || claims.ID == "" {
		return nil, errToken
	}
	if claims.Issuer != p.Issuer || len(claims.Audience) == 0 || p.Now().Unix() >= claims.Expiry {
		return nil, errToken
	}
	p.verified.put(token, claims)
	return claims, nil
}

// stillStands asks the database whether a verified access token is good: it was not revoked, and what it hangs on
// stands. One read. It returns the person whom the token is about, uuid.Nil where there is none, or errToken.
func (p *Service) stillStands(ctx context.Context, claims *AccessClaims) (uuid.UUID, error) {
	if claims.GrantID == "" { // client_credentials
		stands, err := p.Database.Reader().NewSelect().Model((*clients.Client)(nil)).Where("id = ?", claims.ClientID).
			Where("NOT is_disabled").Where("NOT EXISTS (SELECT 1 FROM revoked_tokens WHERE jti = ?)", claims.ID).Exists(ctx)
		if err == nil && !stands {
			err = errToken
		}
		return uuid.Nil, err
	}
	var found struct {
		oidc.Standing
		Revoked bool `bun:"revoked"`
		Ended   *time.Time
	}
	grant := new(oidc.Grant)
	query := p.Database.Reader().NewSelect().Model(grant).Where(`"grant".id = ?`, claims.GrantID).
		ColumnExpr(`"grant".user_id, "grant".ended_at, "grant".expires_at, "grant".session_version`).
		ColumnExpr("EXISTS (SELECT 1 FROM revoked_tokens WHERE jti = ?) AS revoked", claims.ID)
	columns := append(
		[]any{&grant.UserID, &found.Ended, &grant.ExpiresAt, &grant.SessionVersion, &found.Revoked}, found.Columns()...,
	)
	err := p.JoinStanding(query).Scan(ctx, columns...)
	if errors.Is(storage.NotFound(err), storage.ErrNotFound) {
		return uuid.Nil, errToken
	} else if err != nil {
		return uuid.Nil, err
	}
	grant.EndedAt, grant.ACR = found.Ended, claims.ACR
	if found.Revoked || claims.SessionVersion != grant.SessionVersion || !grant.Stands(found.Standing, p.Now()) {
		return uuid.Nil, errToken
	}
	return grant.UserID, nil
}
