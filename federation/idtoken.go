package federation

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
)

// idClaims are the claims by which an ID token is verified, besides those that go-oidc verifies.
type idClaims struct {
	AZP      string          `json:"azp"`
	Tenant   string          `json:"tid"`
	Hosted   string          `json:"hd"`
	AMR      json.RawMessage `json:"amr"`
	ACR      string          `json:"acr"`
	SID      string          `json:"sid"`
	AuthTime float64         `json:"auth_time"`
}

const (
	clockSkew = time.Minute
	longAgo   = 365 * 24 * time.Hour
)

// readIDToken verifies an ID token as OpenID Connect Core, section 3.1.3.7, says.
func (r *tokenResponse) readIDToken(ctx context.Context, k openIDKind) (*verifiedClaims, error) {
	raw, _ := r.Extra("id_token").(string)
	if err := checkCompact(raw); err != nil {
		return nil, err
	}
	idToken, err := r.metadata.verifier(r.provider, r.now).Verify(ctx, raw)
	if err != nil {
		return nil, verifyFault(err)
	}
	verified := &verifiedClaims{Subject: idToken.Subject, claims: make(map[string]any)}
	var claims idClaims
	if err := errors.Join(idToken.Claims(&claims), idToken.Claims(&verified.claims)); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalidResponse, err)
	}
	if verified.Issuer, err = k.tokenIssuer(r.provider, r.metadata, idToken.Issuer, claims.Tenant); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalidResponse, err)
	}
	if err := r.check(idToken, &claims); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalidResponse, err)
	}
	now := r.now()
	if ago := float64(now.Unix()) - claims.AuthTime; claims.AuthTime > 0 && ago > 0 && !r.pending.Again {
		verified.AuthTime = now.Add(-time.Duration(min(ago, longAgo.Seconds())) * time.Second)
	}
	verified.AMR, verified.ACR, verified.SID, verified.Hosted = texts(claims.AMR), claims.ACR, claims.SID, claims.Hosted
	verified.readEmail()
	return verified, nil
}

// compactForm is how a JWT is written: RFC 7519, section 3.
var compactForm = regexp.MustCompile(`^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$`)

// checkCompact refuses what the library reads besides: JWS in JSON, and blanks around. It returns ErrInvalidResponse.
func checkCompact(token string) error {
	if !compactForm.MatchString(token) {
		return fmt.Errorf("%w: the token is not a signed JWT", ErrInvalidResponse)
	}
	return nil
}

// verifier checks signature, audience and time of a token. The issuer may depend on the tenant: openIDKind.
func (m *metadata) verifier(p *Provider, now func() time.Time) *gooidc.IDTokenVerifier {
	return gooidc.NewVerifier(m.Issuer, m.keys, &gooidc.Config{
		ClientID: p.ClientID, SupportedSigningAlgs: m.Algorithms, SkipIssuerCheck: true, Now: now,
	})
}

// check says what is wrong with an ID token whose signature, audience, time and issuer are right.
func (r *tokenResponse) check(idToken *gooidc.IDToken, claims *idClaims) error {
	asked := r.request.CreatedAt
	switch {
	case subtle.ConstantTimeCompare([]byte(idToken.Nonce), []byte(r.pending.Nonce)) != 1:
		return errors.New("the nonce is not the one that was sent")
	case len(idToken.Audience) > 1 && claims.AZP == "", claims.AZP != "" && claims.AZP != r.provider.ClientID:
		return fmt.Errorf("the token was made for the party %q", claims.AZP)
	case idToken.Subject == "" || printable(idToken.Subject, 255) != idToken.Subject:
		return errors.New("the subject is missing, too long, or not printable")
	case idToken.IssuedAt.IsZero(), idToken.IssuedAt.After(asked.Add(requestLifetime + clockSkew)):
		return errors.New("the time of issue is missing or in the future")
	case r.pending.Again && claims.AuthTime != 0 && time.Unix(int64(claims.AuthTime), 0).Before(asked.Add(-clockSkew)):
		return errors.New("the person was to sign in again and did not")
	}
	if idToken.AccessTokenHash != "" {
		return idToken.VerifyAccessToken(r.AccessToken)
	}
	return nil
}

// readEmail takes the address and whether the provider has verified it. Some send booleans as text, and Microsoft has a
// claim of its own, xms_edov.
func (c *verifiedClaims) readEmail() {
	c.Email, _ = c.claims["email"].(string)
	c.EmailVerified = false
	for _, name := range []string{"email_verified", "xms_edov"} {
		switch value := c.claims[name].(type) {
		case bool:
			c.EmailVerified = c.EmailVerified || value
		case string:
			c.EmailVerified = c.EmailVerified || value == "true" || value == "1"
		case float64:
			c.EmailVerified = c.EmailVerified || value == 1
		}
	}
	if c.claims["email_verified"] == false {
		c.EmailVerified = false
	}
}

// verifyFault tells keys that cannot be fetched from a token that is not valid.
func verifyFault(err error) error {
	reason := strings.ToValidUTF8(err.Error()[:min(len(err.Error()), 300)], "") // it may repeat a whole response
	if strings.Contains(reason, "fetching keys") {
		return fmt.Errorf("%w: %s", ErrUnreachable, reason)
	}
	return fmt.Errorf("%w: %s", ErrInvalidResponse, reason)
}

// texts reads a claim that is a text or a list of texts.
func texts(raw json.RawMessage) []string {
	var several []string
	if json.Unmarshal(raw, &several) == nil {
		return several
	}
	var one string
	if json.Unmarshal(raw, &one) == nil && one != "" {
		return []string{one}
	}
	return nil
}
