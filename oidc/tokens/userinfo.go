package tokens

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"

	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/oidc/dpop"
	"github.com/wicket-id/wicket/storage"
)

// Userinfo is the answer of the userinfo endpoint: OpenID Connect Core, section 5.3.2.
type Userinfo struct {
	Claims map[string]any
	JWT    string // the same, signed or encrypted too, where the client is registered for that; otherwise empty
}

// userinfoType is the typ of a signed answer: none. Such a JWT must not pass for an ID token, which has one.
const userinfoType = ""

// Userinfo answers the userinfo endpoint with the claims that the scopes of an access token give, and those that were
// asked for by name: OpenID Connect Core, sections 5.3 and 5.5. It returns an *Error with the challenge of RFC 6750,
// section 3, or of RFC 9449, section 7.1, for a token that is not good.
func (p *Service) Userinfo(ctx context.Context, shown Presented) (*Userinfo, error) {
	if shown.Token == "" {
		return nil, &oidc.Error{
			Code: "invalid_request", Description: "The access token is missing.", Status: http.StatusUnauthorized,
			Challenge: bearerChallenge("", "") + ", " + dpop.Challenge(""),
		}
	}
	claims, err := p.ReadAccessToken(shown.Token)
	if err != nil || !claims.For(p.Issuer) {
		return nil, badToken(shown)
	}
	if err := p.demandHolder(ctx, claims, shown); err != nil {
		return nil, err
	}
	scopes := strings.Fields(claims.Scope)
	if claims.GrantID == "" || !slices.Contains(scopes, "openid") {
		return nil, &oidc.Error{Code: "insufficient_scope", Description: "The access token lacks the scope openid.", Status: http.StatusForbidden,
			Challenge: bearerChallenge("insufficient_scope", "openid")}
	}
	about, err := p.subjectOf(ctx, claims, scopes)
	if errors.Is(err, errToken) {
		return nil, badToken(shown)
	} else if err != nil {
		return nil, oidc.ServerError(err)
	}
	answer := &Userinfo{Claims: about.Person.Claims(scopes, about.Claims.OfUserinfo())}
	answer.Claims["sub"] = claims.Subject // as in the ID token that came with it: section 5.3.2
	if about.UserinfoAlg == "" {
		return answer, nil
	}
	answer.Claims["iss"], answer.Claims["aud"] = p.Issuer, claims.ClientID
	answer.JWT, err = p.Keys.Sign(jose.SignatureAlgorithm(about.UserinfoAlg), userinfoType, answer.Claims)
	if err != nil {
		return nil, oidc.ServerError(err)
	}
	if about.UserinfoEncryption.Alg == "" {
		return answer, nil
	}
	client, err := p.Clients.ByID(ctx, claims.ClientID)
	if err == nil && client.UserinfoEncryption != about.UserinfoEncryption { // it was changed since it was remembered
		client, err = p.Clients.Fresh(ctx, claims.ClientID)
	}
	if err != nil {
		return nil, oidc.ServerError(err)
	}
	answer.JWT, err = p.Clients.Encrypt(ctx, client, about.UserinfoEncryption, answer.JWT)
	return answer, err
}

// badToken is the answer to a token that is not good, in the scheme that it was presented by.
func badToken(shown Presented) *oidc.Error {
	challenge := bearerChallenge("invalid_token", "")
	if shown.DPoP {
		challenge = dpop.Challenge("invalid_token")
	}
	return &oidc.Error{Code: "invalid_token", Description: "The access token is not valid: it is malformed, has expired or was revoked, or its session has ended.",
		Status: http.StatusUnauthorized, Challenge: challenge}
}

func bearerChallenge(code, scope string) string {
	challenge := "Bearer"
	if code != "" {
		challenge += ` error="` + code + `"`
	}
	if scope != "" {
		challenge += `, scope="` + scope + `"`
	}
	return challenge
}

// subject is whom an access token is about, with what the token hangs on: one read.
type subject struct {
	oidc.Grant `bun:",extend"`
	oidc.Standing

	Person      Person `bun:"embed:person_"`
	UserinfoAlg string `bun:"userinfo_alg"`
	// as the row says, for the client may be remembered as it was
	UserinfoEncryption clients.Encryption `bun:"embed:userinfo_encryption_"`
	Revoked            bool               `bun:"revoked"`
}

// subjectOf reads whom an access token is about, or returns errToken where the token is not good any more.
func (p *Service) subjectOf(ctx context.Context, token *AccessClaims, scopes []string) (*subject, error) {
	grantID, err := uuid.Parse(token.GrantID)
	if err != nil {
		return nil, errToken
	}
	readIf := func(scope string) string {
		if slices.Contains(scopes, scope) {
			return "TRUE"
		}
		return `"grant".claims IS NOT NULL`
	}
	found := new(subject)
	query := p.Database.Reader().NewSelect().Model(found).
		ColumnExpr(`"grant".user_id, "grant".expires_at, "grant".ended_at, "grant".session_version, "grant".claims`).
		ColumnExpr("client.userinfo_alg AS userinfo_alg").
		ColumnExpr("client.userinfo_encryption_alg, client.userinfo_encryption_enc").
		ColumnExpr("EXISTS (SELECT 1 FROM revoked_tokens WHERE jti = ?) AS revoked", token.ID).
		Where(`"grant".id = ?`, grantID)
	query = p.joinPerson(p.JoinStanding(query), readIf(oidc.RolesScope), readIf(oidc.GroupsScope))
	if err := storage.NotFound(query.Scan(ctx)); errors.Is(err, storage.ErrNotFound) {
		return nil, errToken
	} else if err != nil {
		return nil, err
	}
	found.ACR = token.ACR
	if found.Revoked || token.SessionVersion != found.SessionVersion || !found.Stands(found.Standing, p.Now()) {
		return nil, errToken
	}
	return found, nil
}
