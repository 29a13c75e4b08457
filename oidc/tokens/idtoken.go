package tokens

import (
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/oidc/keys"
)

// IDClaims are the claims of an ID token: OpenID Connect Core, sections 2 and 3.1.3.6, and sid of Front-Channel Logout.
type IDClaims struct {
	Issuer          string   `json:"iss"`
	Subject         string   `json:"sub"`
	Audience        string   `json:"aud"`
	Expiry          int64    `json:"exp"`
	IssuedAt        int64    `json:"iat"`
	AuthTime        int64    `json:"auth_time"`
	Nonce           string   `json:"nonce,omitempty"`
	ACR             string   `json:"acr,omitempty"`
	AMR             []string `json:"amr,omitempty"`
	AccessTokenHash string   `json:"at_hash,omitempty"`
	CodeHash        string   `json:"c_hash,omitempty"` // section 3.3.2.11
	SessionID       string   `json:"sid"`
}

const IDTokenType = "JWT"

// IDToken is what an ID token is made of.
type IDToken struct {
	Client      *clients.Client
	Grant       *oidc.Grant
	Scopes      []string // of the tokens, which may be fewer than those of the grant
	Person      *Person  // nil: nothing is told of them
	Nonce       string   // may be empty
	AccessToken string   // that comes with it; may be empty
	Code        string   // that comes with it; may be empty
}

// NeedsPerson tells whether the person must be read for an ID token of a grant: its client wants to know of people, or
// has asked for something by name.
func NeedsPerson(client *clients.Client, grant *oidc.Grant) bool {
	return len(grant.Claims.OfIDToken()) > 0 ||
		client.IDTokenClaims != clients.IDTokenMinimal && tellOfPeople(grant.Scopes)
}

// SignIDToken makes an ID token: OpenID Connect Core, section 2; encrypted, where its client is registered for that. It
// returns storage.ErrNotFound where the person was erased, or an *oidc.Error where it cannot be encrypted.
func (p *Service) SignIDToken(ctx context.Context, t IDToken, now time.Time) (string, error) {
	subject, err := p.Subject(ctx, t.Client, t.Grant.UserID)
	if err != nil {
		return "", err
	}
	alg := jose.SignatureAlgorithm(t.Client.IDTokenAlg)
	signed, err := p.Keys.Sign(alg, IDTokenType, p.payload(t, subject, now))
	if err != nil {
		return "", err
	}
	return p.Clients.Encrypt(ctx, t.Client, t.Client.IDTokenEncryption, signed)
}

// payload is what an ID token says.
func (p *Service) payload(t IDToken, subject string, now time.Time) idTokenPayload {
	alg := jose.SignatureAlgorithm(t.Client.IDTokenAlg)
	claims := IDClaims{
		Issuer: p.Issuer, Subject: subject, Audience: t.Client.ID,
		Expiry: now.Add(p.Lifetimes.IDToken).Unix(), IssuedAt: now.Unix(), AuthTime: t.Grant.AuthTime.Unix(),
		Nonce: t.Nonce, ACR: t.Grant.ACR, AMR: t.Grant.AMR, SessionID: t.Grant.SessionID.String(),
	}
	if t.AccessToken != "" {
		claims.AccessTokenHash = tokenHash(alg, t.AccessToken)
	}
	if t.Code != "" {
		claims.CodeHash = tokenHash(alg, t.Code)
	}
	return idTokenPayload{claims, t.aboutPerson()}
}

// aboutPerson is what the ID token tells of the person: what the app has asked for by name, and what the scopes give
// unless userinfo alone is to tell that. Without an access token nobody can ask userinfo: section 5.4.
func (t IDToken) aboutPerson() map[string]any {
	if t.Person == nil {
		return nil
	}
	scopes := t.Scopes
	if t.Client.IDTokenClaims == clients.IDTokenMinimal && t.AccessToken != "" {
		scopes = nil
	}
	claims := t.Person.Claims(scopes, t.Grant.Claims.OfIDToken())
	if len(t.Person.Groups) > maxGroupsInIDToken {
		delete(claims, t.Person.GroupsClaim)
	}
	return claims
}

// maxGroupsInIDToken is how many groups an ID token tells at the most. Where there are more, userinfo alone tells them:
// a part of them would pass for all.
const maxGroupsInIDToken = 200

// idTokenPayload is the payload of an ID token.
type idTokenPayload struct {
	claims IDClaims
	person map[string]any
}

// maxPersonInIDToken is how many bytes an ID token tells of a person at the most, roles aside: apps keep ID tokens in
// cookies, and send them in URLs as id_token_hint.
const maxPersonInIDToken = 4 << 10

// longClaims are those that may be long, all of them written by the person, in the order in which they are left out.
var longClaims = []string{"address", "website", "profile", "picture"}

// MarshalJSON writes the payload as one object. Where the person has told more than fits, userinfo alone tells it.
func (p idTokenPayload) MarshalJSON() ([]byte, error) {
	claims, err := json.Marshal(p.claims)
	if err != nil || len(p.person) == 0 {
		return claims, err
	}
	person, err := json.Marshal(p.person)
	for _, name := range longClaims {
		if err != nil || len(person) <= maxPersonInIDToken {
			break
		}
		delete(p.person, name)
		person, err = json.Marshal(p.person)
	}
	if err != nil || len(p.person) == 0 {
		return claims, err
	}
	return append(append(claims[:len(claims)-1], ','), person[1:]...), nil
}

// tokenHash is the left half of the token's hash with the hash of the signature's algorithm; EdDSA with Ed25519 hashes
// with SHA-512.
func tokenHash(alg jose.SignatureAlgorithm, token string) string {
	if alg == jose.EdDSA {
		sum := sha512.Sum512([]byte(token))
		return base64.RawURLEncoding.EncodeToString(sum[:32])
	}
	sum := sha256.Sum256([]byte(token))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// ReadIDTokenHint verifies that an ID token is one of ours. It may have expired: it names a person, it proves nothing.
func (p *Service) ReadIDTokenHint(token string) (*IDClaims, error) {
	payload, _, err := p.Keys.Verify(token, IDTokenType, keys.SigningAlgs...)
	if err != nil {
		return nil, err
	}
	claims := new(IDClaims)
	if err := json.Unmarshal(payload, claims); err != nil {
		return nil, err
	}
	var access struct {
		ClientID string `json:"client_id"`
	}
	if err := json.Unmarshal(payload, &access); err != nil {
		return nil, err
	}
	if claims.Issuer != p.Issuer || claims.Subject == "" || access.ClientID != "" { // an access token has a client_id
		return nil, errors.New("not an ID token of ours")
	}
	return claims, nil
}
