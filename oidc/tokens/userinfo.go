package tokens

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/identity/profile"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/storage"
)

// Userinfo answers the userinfo endpoint with the claims that the scopes of an access token give: OpenID Connect Core,
// section 5.3. It returns an *Error with the challenge of RFC 6750, section 3, for a token that is not good.
func (p *Service) Userinfo(ctx context.Context, accessToken string) (map[string]any, error) {
	if accessToken == "" {
		return nil, &oidc.Error{
			Code: "invalid_request", Description: "The access token is missing.", Status: http.StatusUnauthorized,
			Challenge: bearerChallenge("", ""),
		}
	}
	claims, err := p.ReadAccessToken(accessToken)
	if err != nil || !claims.For(p.Issuer) {
		return nil, badToken()
	}
	scopes := strings.Fields(claims.Scope)
	if claims.GrantID == "" || !slices.Contains(scopes, "openid") {
		return nil, &oidc.Error{Code: "insufficient_scope", Description: "The access token lacks the scope openid.", Status: http.StatusForbidden,
			Challenge: bearerChallenge("insufficient_scope", "openid")}
	}
	person, err := p.personOf(ctx, claims)
	if errors.Is(err, errToken) {
		return nil, badToken()
	} else if err != nil {
		return nil, oidc.ServerError(err)
	}
	answer := person.claims(scopes)
	if slices.Contains(scopes, oidc.RolesScope) {
		roles, err := p.Identity.Roles().List(ctx, person.UserID, false)
		if err != nil {
			return nil, oidc.ServerError(err)
		}
		names := make([]string, len(roles))
		for i := range roles {
			names[i] = roles[i].RoleName
		}
		answer["roles"] = names
	}
	return answer, nil
}

func badToken() *oidc.Error {
	return &oidc.Error{Code: "invalid_token", Description: "The access token is not valid: it is malformed, has expired or was revoked, or its session has ended.",
		Status: http.StatusUnauthorized, Challenge: bearerChallenge("invalid_token", "")}
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

// person is everything that userinfo may tell, and whether the token that asks is still good: one read.
type person struct {
	profile.Profile `bun:",extend"`
	oidc.Standing

	Username        string     `bun:"username"`
	Email           string     `bun:"email,nullzero"`
	EmailVerifiedAt *time.Time `bun:"email_verified_at"`
	Phone           string     `bun:"phone,nullzero"`
	PhoneVerifiedAt *time.Time `bun:"phone_verified_at"`

	GrantExpiresAt      time.Time  `bun:"grant_expires_at"`
	GrantEndedAt        *time.Time `bun:"grant_ended_at"`
	GrantSessionVersion int64      `bun:"grant_session_version"`
	Revoked             bool       `bun:"revoked"`
}

func (p *Service) personOf(ctx context.Context, token *AccessClaims) (*person, error) {
	grantID, err := uuid.Parse(token.GrantID)
	if err != nil {
		return nil, errToken
	}
	found := new(person)
	query := p.Database.Reader().NewSelect().Model(found).
		ColumnExpr("profile.*").
		ColumnExpr(`"user".username AS username`).
		ColumnExpr("email.address AS email, email.verified_at AS email_verified_at").
		ColumnExpr("phone.number AS phone, phone.verified_at AS phone_verified_at").
		ColumnExpr(
			`"grant".expires_at AS grant_expires_at, "grant".ended_at AS grant_ended_at, "grant".session_version AS grant_session_version`,
		).
		ColumnExpr("EXISTS (SELECT 1 FROM revoked_tokens WHERE jti = ?) AS revoked", token.ID).
		Join(`JOIN grants AS "grant" ON "grant".user_id = profile.user_id AND "grant".id = ?`, grantID).
		Join("LEFT JOIN emails AS email ON email.user_id = profile.user_id AND email.is_primary").
		Join("LEFT JOIN phones AS phone ON phone.user_id = profile.user_id AND phone.is_primary")
	if err := storage.NotFound(p.JoinStanding(query).Scan(ctx)); errors.Is(err, storage.ErrNotFound) {
		return nil, errToken
	} else if err != nil {
		return nil, err
	}
	grant := oidc.Grant{
		ExpiresAt: found.GrantExpiresAt, EndedAt: found.GrantEndedAt, SessionVersion: found.GrantSessionVersion, ACR: token.ACR,
	}
	if found.Revoked || token.SessionVersion != grant.SessionVersion || !grant.Stands(found.Standing, p.Now()) {
		return nil, errToken
	}
	return found, nil
}

// claims returns what the scopes give, and of that only what the person has told: OpenID Connect Core, sections 5.1 and
// 5.4.
func (who *person) claims(scopes []string) map[string]any {
	claims := map[string]any{"sub": who.UserID.String()}
	tell := func(name, value string) {
		if value != "" {
			claims[name] = value
		}
	}
	if slices.Contains(scopes, "profile") {
		tell("name", who.Name)
		tell("given_name", who.GivenName)
		tell("family_name", who.FamilyName)
		tell("middle_name", who.MiddleName)
		tell("nickname", who.Nickname)
		tell("preferred_username", who.Username)
		tell("profile", who.Profile.Profile)
		tell("picture", who.Picture)
		tell("website", who.Website)
		tell("gender", who.Gender)
		tell("birthdate", who.Birthdate)
		tell("zoneinfo", who.Zoneinfo)
		tell("locale", who.Locale)
		claims["updated_at"] = who.ModifiedAt.Unix()
	}
	if slices.Contains(scopes, "email") && who.Email != "" {
		claims["email"], claims["email_verified"] = who.Email, who.EmailVerifiedAt != nil
	}
	if slices.Contains(scopes, "phone") && who.Phone != "" {
		claims["phone_number"], claims["phone_number_verified"] = who.Phone, who.PhoneVerifiedAt != nil
	}
	if slices.Contains(scopes, "address") && who.Address != nil {
		claims["address"] = who.Address
	}
	return claims
}
