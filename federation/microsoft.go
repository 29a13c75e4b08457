package federation

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

const (
	authorityMicrosoft = "https://login.microsoftonline.com"

	tenantCommon        = "common"        // everybody
	tenantOrganizations = "organizations" // people of every company
	tenantConsumers     = "consumers"     // personal accounts

	personalTenant = "9188040d-6c67-4c5b-b112-36a304b66dad" // of all personal accounts
)

var (
	tenantID   = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
	tenantName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9.-]{0,200}$`)
)

// microsoft is the OpenID Provider of Microsoft Entra. A provider's Issuer is the authority; each tenant below it is an
// issuer of its own. See learn.microsoft.com/entra/identity-platform/v2-protocols-oidc.
type microsoft struct{ openIDConnect }

// setDefaults does not let e-mail addresses count as proved: an administrator of a tenant may set any.
func (microsoft) setDefaults(p *Provider) {
	p.fill("Microsoft", authorityMicrosoft, EmailsUnproved)
	fill(&p.Settings.Tenant, tenantCommon)
	p.Issuer = strings.TrimSuffix(p.Issuer, "/")
}

func (microsoft) checkSettings(s *Settings) error {
	isShared := slices.Contains([]string{tenantCommon, tenantOrganizations, tenantConsumers}, s.Tenant)
	switch {
	case !tenantName.MatchString(s.Tenant):
		return errors.New("the tenant must be an id, a domain, or common, organizations or consumers")
	case len(s.Tenants) > 0 && s.Tenant != tenantCommon && s.Tenant != tenantOrganizations:
		return errors.New("several tenants go with the tenant organizations or common")
	case s.Emails == EmailsAuthoritative && isShared:
		return errors.New("an administrator of a Microsoft tenant may set any e-mail address there: " +
			"authoritative needs a tenant of your own")
	}
	if isShared && len(s.Tenants) == 0 && len(s.Roles)+len(s.Groups) > 0 {
		return errors.New("an administrator of a Microsoft tenant may call its groups and roles what they like: " +
			"rules for groups and roles need a tenant of your own, or tenants that are named")
	}
	if err := s.requireProvedDomains(); err != nil {
		return err
	}
	for _, tenant := range s.Tenants {
		if !tenantID.MatchString(tenant) {
			return fmt.Errorf("%q is not the id of a tenant, such as 11111111-2222-3333-4444-555555555555", tenant)
		}
	}
	return nil
}

// discover reads the document of the tenant. That of several tenants has a placeholder in its issuer.
func (microsoft) discover(ctx context.Context, p *Provider, client *http.Client) (*metadata, error) {
	base := p.Issuer + "/" + p.Settings.Tenant + "/v2.0"
	return p.readDocument(ctx, client, base, func(issuer string) error {
		if !strings.HasPrefix(issuer, p.Issuer+"/") {
			return fmt.Errorf("the document is of the issuer %q, which is not of %s", issuer, p.Issuer)
		}
		return nil
	})
}

func (microsoft) parameters(_ *Provider, o RequestOptions, nonce string) map[string]string {
	parameters := openIDParameters(o, nonce)
	switch {
	case o.Again:
		parameters["prompt"] = "login"
	case o.Select:
		parameters["prompt"] = "select_account"
	}
	return parameters
}

// checkResponseIssuer takes the issuer of the document or that of a tenant that may sign in.
func (ms microsoft) checkResponseIssuer(p *Provider, m *metadata, issuer string) error {
	if issuer == m.Issuer {
		return nil
	}
	rest, _ := strings.CutPrefix(issuer, p.Issuer+"/")
	tenant, _, _ := strings.Cut(rest, "/")
	_, err := ms.tokenIssuer(p, m, issuer, tenant)
	return err
}

// tokenIssuer demands the issuer of the tenant that the token names in tid, and that the operator lets that tenant in.
func (microsoft) tokenIssuer(p *Provider, m *metadata, issuer, tenant string) (string, error) {
	s := p.Settings
	switch {
	case !tenantID.MatchString(tenant) || issuer != strings.ReplaceAll(m.Issuer, "{tenantid}", tenant):
		return "", fmt.Errorf("the issuer %q is not that of the tenant %q", issuer, tenant)
	case s.Tenant == tenantOrganizations && tenant == personalTenant,
		s.Tenant == tenantConsumers && tenant != personalTenant:
		return "", errors.New("this kind of account is not let in")
	case tenantID.MatchString(s.Tenant) && tenant != s.Tenant,
		len(s.Tenants) > 0 && !slices.Contains(s.Tenants, tenant):
		return "", fmt.Errorf("the tenant %s is not let in", tenant)
	}
	return issuer, nil
}

// identify takes everything from the ID token: userinfo has no more.
func (ms microsoft) identify(ctx context.Context, r *tokenResponse) (*verifiedClaims, error) {
	return r.readIDToken(ctx, ms)
}
