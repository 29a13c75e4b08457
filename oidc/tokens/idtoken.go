package tokens

import (
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
// What the person tells of themself is in userinfo.
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
	SessionID       string   `json:"sid"`
}

const IDTokenType = "JWT"

// SignIDToken makes an ID token: OpenID Connect Core, section 2. nonce may be empty.
func (p *Service) SignIDToken(
	client *clients.Client, grant *oidc.Grant, nonce, accessToken string, alg jose.SignatureAlgorithm, now time.Time,
) (string, error) {
	return p.Keys.Sign(alg, IDTokenType, IDClaims{
		Issuer: p.Issuer, Subject: grant.UserID.String(), Audience: client.ID,
		Expiry: now.Add(p.Lifetimes.IDToken).Unix(), IssuedAt: now.Unix(), AuthTime: grant.AuthTime.Unix(),
		Nonce: nonce, ACR: grant.ACR, AMR: grant.AMR, AccessTokenHash: tokenHash(alg, accessToken),
		SessionID: grant.SessionID.String(),
	})
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
