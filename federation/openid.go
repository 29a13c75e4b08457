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
	"golang.org/x/oauth2"
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

// readOpenID verifies an ID token as OpenID Connect Core, section 3.1.3.7, says, and asks userinfo for what it does not
// tell.
func (u *Upstreams) readOpenID(
	ctx context.Context, p *Provider, m *metadata, token *oauth2.Token, kept *errand, asked time.Time,
) (*statement, error) {
	raw, _ := token.Extra("id_token").(string)
	idToken, err := u.verifier(p, m).Verify(ctx, raw)
	if err != nil {
		return nil, verifyFault(err)
	}
	said := &statement{Issuer: idToken.Issuer, Subject: idToken.Subject, claims: make(map[string]any)}
	var claims idClaims
	if err := errors.Join(idToken.Claims(&claims), idToken.Claims(&said.claims)); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnbelievable, err)
	}
	if err := p.judge(m, idToken, &claims, kept, asked, token.AccessToken); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnbelievable, err)
	}
	if p.Kind == KindGoogle {
		said.Issuer = p.Issuer // of which it has two spellings
	}
	if ago := float64(u.Now().Unix()) - claims.AuthTime; claims.AuthTime > 0 && ago > 0 && !kept.Again {
		said.AuthTime = u.Now().Add(-time.Duration(min(ago, longAgo.Seconds())) * time.Second)
	}
	said.AMR, said.ACR, said.SID, said.Hosted = texts(claims.AMR), claims.ACR, claims.SID, claims.Hosted
	if p.Kind == KindOpenID && m.UserinfoEndpoint != "" { // Google and Microsoft tell all in the ID token
		if err := said.ask(ctx, m, token); err != nil {
			return nil, err
		}
	}
	said.readEmail()
	return said, nil
}

// verifier checks signature, audience and time. Whose the issuer must be may depend on the tenant, so we look at it.
func (u *Upstreams) verifier(p *Provider, m *metadata) *gooidc.IDTokenVerifier {
	return gooidc.NewVerifier(m.Issuer, m.keys, &gooidc.Config{
		ClientID: p.ClientID, SupportedSigningAlgs: m.Algorithms, SkipIssuerCheck: true, Now: u.Now,
	})
}

// judge says what is wrong with an ID token whose signature, audience and time are right.
func (p *Provider) judge(
	m *metadata, idToken *gooidc.IDToken, claims *idClaims, kept *errand, asked time.Time, accessToken string,
) error {
	if err := p.checkIssuerOf(m, idToken.Issuer, claims.Tenant); err != nil {
		return err
	}
	switch {
	case subtle.ConstantTimeCompare([]byte(idToken.Nonce), []byte(kept.Nonce)) != 1:
		return errors.New("the nonce is not the one that was sent")
	case len(idToken.Audience) > 1 && claims.AZP == "", claims.AZP != "" && claims.AZP != p.ClientID:
		return fmt.Errorf("the token was made for the party %q", claims.AZP)
	case idToken.Subject == "" || printable(idToken.Subject, 255) != idToken.Subject:
		return errors.New("the subject is missing, too long, or no text")
	case idToken.IssuedAt.IsZero(), idToken.IssuedAt.After(asked.Add(requestLifetime + clockSkew)):
		return errors.New("the token is of no time")
	case kept.Again && claims.AuthTime != 0 && time.Unix(int64(claims.AuthTime), 0).Before(asked.Add(-clockSkew)):
		return errors.New("the person was to sign in anew and did not")
	}
	if idToken.AccessTokenHash != "" {
		return idToken.VerifyAccessToken(accessToken)
	}
	return nil
}

// ask adds what userinfo tells: OpenID Connect Core, section 5.3. What the ID token says goes before it, and an address
// goes together with whether it is verified.
func (s *statement) ask(ctx context.Context, m *metadata, token *oauth2.Token) error {
	info, err := m.openID.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil {
		return fmt.Errorf("%w: userinfo", ErrUnreachable)
	}
	if info.Subject != s.Subject {
		return fmt.Errorf("%w: userinfo is about somebody else", ErrUnbelievable)
	}
	told := make(map[string]any)
	if err := info.Claims(&told); err != nil {
		return fmt.Errorf("%w: userinfo: %w", ErrUnbelievable, err)
	}
	if _, here := s.claims["email"]; here {
		delete(told, "email_verified")
	}
	for name, value := range told {
		if _, here := s.claims[name]; !here {
			s.claims[name] = value
		}
	}
	return nil
}

// readEmail takes the address and whether the provider has verified it. Some write the truth as text, and Microsoft has
// a claim of its own for it.
func (s *statement) readEmail() {
	s.Email, _ = s.claims["email"].(string)
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

// tenantOf reads the tenant out of an issuer of Microsoft's.
func tenantOf(p *Provider, issuer string) string {
	rest, _ := strings.CutPrefix(issuer, p.Issuer+"/")
	tenant, _, _ := strings.Cut(rest, "/")
	if !isTenantID(tenant) {
		return ""
	}
	return tenant
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
