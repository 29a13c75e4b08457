package logout

import (
	"context"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"

	"github.com/wicket-id/wicket/oidc/clients"
)

// TokenType is the type of logout tokens, so that none passes for another JWT of ours, nor another for one of them.
const TokenType = "logout+jwt"

// tokenClaims are the claims of a logout token: OpenID Connect Back-Channel Logout, section 2.4.
type tokenClaims struct {
	Issuer    string              `json:"iss"`
	Subject   string              `json:"sub,omitempty"` // or sid alone: section 2.4
	Audience  string              `json:"aud"`
	IssuedAt  int64               `json:"iat"`
	Expiry    int64               `json:"exp"`
	ID        string              `json:"jti"`
	Events    map[string]struct{} `json:"events"`
	SessionID string              `json:"sid"`
}

const logoutEvent = "http://schemas.openid.net/event/backchannel-logout"

// newToken signs a logout token, which is good for one attempt, and encrypts it as ID tokens of the app are: section
// 2.6. Of an app that was deleted meanwhile, client is nil and the keys are unknown. It returns an *oidc.Error where
// the token cannot be encrypted.
func (p *Service) newToken(ctx context.Context, d *Delivery, client *clients.Client) (string, error) {
	now := p.Now()
	signed, err := p.Tokens.Keys.Sign(jose.SignatureAlgorithm(d.Alg), TokenType, tokenClaims{
		Issuer: p.Issuer, Subject: d.Subject, Audience: d.ClientID, IssuedAt: now.Unix(),
		Expiry: now.Add(p.Lifetimes.LogoutToken).Unix(), ID: uuid.NewString(),
		Events: map[string]struct{}{logoutEvent: {}}, SessionID: d.SessionID.String(),
	})
	if err != nil || client == nil {
		return signed, err
	}
	return p.Clients.Encrypt(ctx, client, client.IDTokenEncryption, signed)
}
