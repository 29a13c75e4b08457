package federation

import (
	"context"
	"strings"
)

const (
	authorityGoogle = "https://accounts.google.com"
	domainGmail     = "gmail.com"
)

// google is an OpenID Provider that hosts the domains of companies (Workspace) and names them in the claim hd. See
// developers.google.com/identity/openid-connect/openid-connect.
type google struct{ openIDConnect }

func (google) setDefaults(p *Provider) {
	p.fill("Google", authorityGoogle, EmailsProved)
	p.Issuer = strings.TrimSuffix(p.Issuer, "/")
}

// checkSettings lets domains go with unproved e-mail addresses: Google itself names the domain of a person.
func (google) checkSettings(s *Settings) error { return s.refuseTenants() }

// parameters asks to choose an account where the person is to sign in again: Google does not know prompt=login.
func (google) parameters(p *Provider, o RequestOptions, nonce string) map[string]string {
	parameters := openIDParameters(o, nonce)
	if o.Again || o.Select {
		parameters["prompt"] = "select_account"
	}
	if len(p.Settings.Domains) == 1 {
		parameters["hd"] = p.Settings.Domains[0] // preselects the account; what the ID token says is checked
	}
	return parameters
}

func (g google) checkResponseIssuer(p *Provider, m *metadata, issuer string) error {
	_, err := g.tokenIssuer(p, m, issuer, "")
	return err
}

// tokenIssuer takes Google's issuer also without its https://, and keeps accounts under one of the two.
func (google) tokenIssuer(p *Provider, m *metadata, issuer, _ string) (string, error) {
	if p.Issuer == authorityGoogle && "https://"+issuer == authorityGoogle {
		return p.Issuer, nil
	}
	return p.Issuer, m.checkIssuer(issuer)
}

// identify takes everything from the ID token: userinfo has no more.
func (g google) identify(ctx context.Context, r *tokenResponse) (*verifiedClaims, error) {
	return r.readIDToken(ctx, g)
}

// isAuthoritative is true of Google's own addresses and of those in domains that it hosts. Another address was verified
// there once and may belong to somebody else since.
func (google) isAuthoritative(verified *verifiedClaims) bool {
	return verified.Hosted != "" || strings.HasSuffix(strings.ToLower(verified.Email), "@"+domainGmail)
}

// domain is the hosted one, whatever the address. Without one only gmail.com counts, see isAuthoritative.
func (google) domain(verified *verifiedClaims, proved bool) string {
	if verified.Hosted != "" {
		return strings.ToLower(verified.Hosted)
	}
	if domain := verified.provedDomain(proved); domain == domainGmail {
		return domain
	}
	return ""
}
