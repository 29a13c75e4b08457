package federation

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
)

// idClaims are the claims of an ID token by which it is judged, besides those that go-oidc looks at.
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
func (r *tokenResponse) readIDToken(ctx context.Context, k openIDKind) (*statement, error) {
	raw, _ := r.Extra("id_token").(string)
	idToken, err := r.metadata.verifier(r.provider, r.now).Verify(ctx, raw)
	if err != nil {
		return nil, verifyFault(err)
	}
	said := &statement{Subject: idToken.Subject, claims: make(map[string]any)}
	var claims idClaims
	if err := errors.Join(idToken.Claims(&claims), idToken.Claims(&said.claims)); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnbelievable, err)
	}
	if said.Issuer, err = k.tokenIssuer(r.provider, r.metadata, idToken.Issuer, claims.Tenant); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnbelievable, err)
	}
	if err := r.check(idToken, &claims); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnbelievable, err)
	}
	now := r.now()
	if ago := float64(now.Unix()) - claims.AuthTime; claims.AuthTime > 0 && ago > 0 && !r.errand.Again {
		said.AuthTime = now.Add(-time.Duration(min(ago, longAgo.Seconds())) * time.Second)
	}
	said.AMR, said.ACR, said.SID, said.Hosted = texts(claims.AMR), claims.ACR, claims.SID, claims.Hosted
	said.readEmail()
	return said, nil
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
	case subtle.ConstantTimeCompare([]byte(idToken.Nonce), []byte(r.errand.Nonce)) != 1:
		return errors.New("the nonce is not the one that was sent")
	case len(idToken.Audience) > 1 && claims.AZP == "", claims.AZP != "" && claims.AZP != r.provider.ClientID:
		return fmt.Errorf("the token was made for the party %q", claims.AZP)
	case idToken.Subject == "" || printable(idToken.Subject, 255) != idToken.Subject:
		return errors.New("the subject is missing, too long, or no text")
	case idToken.IssuedAt.IsZero(), idToken.IssuedAt.After(asked.Add(requestLifetime + clockSkew)):
		return errors.New("the token is of no time")
	case r.errand.Again && claims.AuthTime != 0 && time.Unix(int64(claims.AuthTime), 0).Before(asked.Add(-clockSkew)):
		return errors.New("the person was to sign in anew and did not")
	}
	if idToken.AccessTokenHash != "" {
		return idToken.VerifyAccessToken(r.AccessToken)
	}
	return nil
}

// readEmail takes the address and whether the provider has verified it. Some write the truth as text, and Microsoft has
// a claim of its own for it.
func (s *statement) readEmail() {
	s.Email, _ = s.claims["email"].(string)
	s.EmailVerified = false
	for _, name := range []string{"email_verified", "xms_edov"} {
		switch value := s.claims[name].(type) {
		case bool:
			s.EmailVerified = s.EmailVerified || value
		case string:
			s.EmailVerified = s.EmailVerified || value == "true" || value == "1"
		case float64:
			s.EmailVerified = s.EmailVerified || value == 1
		}
	}
	if s.claims["email_verified"] == false {
		s.EmailVerified = false
	}
}

// verifyFault tells keys that cannot be fetched from a token that does not hold.
func verifyFault(err error) error {
	reason := strings.ToValidUTF8(err.Error()[:min(len(err.Error()), 300)], "") // it may repeat a whole answer
	if strings.Contains(reason, "fetching keys") {
		return fmt.Errorf("%w: %s", ErrUnreachable, reason)
	}
	return fmt.Errorf("%w: %s", ErrUnbelievable, reason)
}

// texts reads a claim that is a text or a list of them.
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
