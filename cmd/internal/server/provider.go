package server

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wicket-id/wicket/federation"
	"github.com/wicket-id/wicket/identity"
)

// providerVariables are what the variables of each kind of provider have in common. One kind can be given by them
// once; others are declared in WICKET_PROVIDERS.
type providerVariables struct {
	ClientID     string `env:"CLIENT_ID" unset:"nobody signs in there" help:"People sign in with ${provider}: the client_id that Wicket has there. docs/federation.md."`
	ClientSecret string `env:"CLIENT_SECRET" secret:"" unset:"none" help:"The client secret that Wicket has there."`
}

type googleVariables struct{ providerVariables }

type microsoftVariables struct {
	providerVariables
	Tenant string `env:"TENANT" unset:"'common'" help:"A tenant's id or domain, 'organizations', 'consumers' or 'common'."`
}

type githubVariables struct {
	providerVariables
	URL string `env:"URL" unset:"github.com" help:"That of a GitHub Enterprise Server."`
}

type oidcVariables struct {
	providerVariables
	Issuer string `env:"ISSUER" unset:"none" help:"The issuer of the provider."`
	Name   string `env:"NAME" unset:"none" help:"What people read on the button."`
}

// providers adds those of one kind to those that WICKET_PROVIDERS declares. They follow WICKET_REGISTRATION.
func (r *reading) providers() {
	c := r.config
	for _, family := range []struct {
		provider federation.Provider
		further  string // the variable that what else is wrong is about
		needs    []string
	}{
		{c.Google.provider(federation.KindGoogle), "CLIENT_ID", []string{"CLIENT_ID", "CLIENT_SECRET"}},
		{c.Microsoft.provider(), "TENANT", []string{"CLIENT_ID", "CLIENT_SECRET"}},
		{c.GitHub.provider(), "URL", []string{"CLIENT_ID", "CLIENT_SECRET"}},
		{c.OIDC.provider(), "ISSUER", []string{"CLIENT_ID", "CLIENT_SECRET", "ISSUER", "NAME"}},
	} {
		p := family.provider
		prefix := ourPrefix + strings.ToUpper(p.Kind) + "_"
		if !r.isWhole(prefix, family.needs) {
			continue
		}
		p.Settings.Registration = c.Registration
		if err := p.Check(); err != nil {
			r.fault(prefix+family.further, err)
			continue
		}
		c.Providers = append(c.Providers, p)
	}
	now := identity.Clock()
	for i, p := range c.Providers {
		if slices.ContainsFunc(c.Providers[:i], func(other federation.Provider) bool { return other.ID == p.ID }) {
			r.fault("WICKET_PROVIDERS", fmt.Errorf("there are two providers with the id %q", p.ID))
		}
		c.Providers[i].ModifiedAt = now // what was learned of an earlier one by that id is not its own
	}
}

// isWhole tells whether the variables that belong to one provider are given. Where some of them are, those that are
// missing are faults.
func (r *reading) isWhole(prefix string, needs []string) bool {
	env := r.config.environment
	first := slices.IndexFunc(needs, func(need string) bool { return env.has(prefix + need) })
	if first < 0 {
		return false
	}
	whole := true
	for _, need := range needs {
		if !env.has(prefix + need) {
			r.fault(prefix+need, fmt.Errorf("is needed beside %s", prefix+needs[first]))
			whole = false
		}
	}
	return whole
}

func (v providerVariables) provider(kind string) federation.Provider {
	return federation.Provider{Kind: kind, ClientID: v.ClientID, Secret: v.ClientSecret, IsActive: true, Named: true}
}

func (v microsoftVariables) provider() federation.Provider {
	p := v.providerVariables.provider(federation.KindMicrosoft)
	p.Settings.Tenant = v.Tenant
	return p
}

func (v githubVariables) provider() federation.Provider {
	p := v.providerVariables.provider(federation.KindGitHub)
	p.Issuer = v.URL
	return p
}

func (v oidcVariables) provider() federation.Provider {
	p := v.providerVariables.provider(federation.KindOpenID)
	p.Issuer, p.Name = v.Issuer, v.Name
	return p
}
