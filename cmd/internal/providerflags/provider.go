// Package providerflags has the flags of wicket provider add. Begin with Provider.
package providerflags

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/wicket-id/wicket/federation"
)

// Provider is what is said of a provider that is to be trusted.
type Provider struct {
	Kind              string            `arg:"" enum:"google,microsoft,github,oidc" help:"google, microsoft, github or oidc: any OpenID Provider."`
	ID                string            `name:"id" help:"Its name in URLs; left out, the kind. Several of one kind need one each."`
	Name              string            `help:"What people read on the button. oidc needs it; the others have their own."`
	Issuer            string            `help:"oidc: the issuer. github: the URL of a GitHub Enterprise Server. microsoft: the authority of a national cloud."`
	ClientID          string            `required:"" name:"client-id" help:"The client_id that Wicket has there."`
	ClientSecretFile  string            `name:"client-secret-file" type:"existingfile" help:"File with the client secret that Wicket has there."`
	ClientSecretStdin bool              `name:"client-secret-stdin" help:"Read the client secret from standard input instead."`
	Tenant            string            `help:"microsoft: a tenant's id or domain, or common (default), organizations or consumers."`
	AllowTenant       []string          `name:"allow-tenant" help:"microsoft: of common or organizations only this tenant, by id. Repeat it for several."`
	Scope             []string          `sep:"none" help:"What is asked for; left out, what signing in needs. Repeat it for several."`
	Registration      bool              `help:"Who comes from there and is nobody here yet may make an account."`
	Domain            []string          `help:"Only people of this domain may. Repeat it for several."`
	Emails            string            `enum:",unproved,proved,authoritative" default:"" help:"How far e-mail addresses that it calls verified are trusted. unproved: people prove them here (default of oidc and microsoft). proved: they are verified in new accounts (default of google and github). authoritative: also, who has the address there gets into the account that has verified it here."`
	Profile           map[string]string `mapsep:"none" help:"FIELD=CLAIM: a field of the profile follows a claim, at each sign-in. Repeat it for several."`
	Role              []string          `sep:"none" help:"ROLE=CLAIM=VALUE: who has the value in the claim has the role, from each sign-in on. Repeat it for several."`
	Group             []string          `sep:"none" help:"GROUP=CLAIM=VALUE: who has the value in the claim is in the group, by its slug, from each sign-in on, and otherwise not by this provider. Repeat it for several."`
	TrustAMR          bool              `name:"trust-amr" help:"Trust what it says of how a person signed in there (amr); mfa there is a second factor here."`
	MultiFactorACR    string            `name:"multi-factor-acr" help:"The acr with which it says that a second factor was shown; it is asked for where an app wants one."`
	KeepTokens        bool              `name:"keep-tokens" help:"Keep its tokens, sealed."`
	AllowPrivate      bool              `name:"allow-private" help:"It, or one of its endpoints, is at a private address."`
}

// Validate wants the secret from exactly one place, and rules that can be read.
func (c Provider) Validate() error {
	switch {
	case c.ClientSecretFile != "" && c.ClientSecretStdin:
		return errors.New("--client-secret-file and --client-secret-stdin say the same; leave one of them out")
	case c.ClientSecretFile == "" && !c.ClientSecretStdin:
		return errors.New("give the client secret with --client-secret-file or --client-secret-stdin; " +
			"on the command line others could see it")
	}
	for _, rule := range c.Role {
		if strings.Count(rule, "=") < 2 {
			return fmt.Errorf("--role %s: must be ROLE=CLAIM=VALUE, such as admin=groups=wicket-admins", rule)
		}
	}
	for _, rule := range c.Group {
		if strings.Count(rule, "=") < 2 {
			return fmt.Errorf("--group %s: must be GROUP=CLAIM=VALUE, such as staff=groups=all-staff", rule)
		}
	}
	return nil
}

// Read returns the provider that the flags describe, with its secret from where they say.
func (c Provider) Read() (*federation.Provider, error) {
	secret, err := c.secret()
	if err != nil {
		return nil, err
	}
	p := &federation.Provider{
		ID: c.ID, Kind: c.Kind, Name: c.Name, Issuer: c.Issuer, ClientID: c.ClientID, Secret: secret,
		Settings: federation.Settings{
			Tenant: c.Tenant, Tenants: c.AllowTenant, Registration: c.Registration, Domains: c.Domain, Emails: c.Emails,
			Profile: c.Profile, TrustAMR: c.TrustAMR, MultiFactor: c.MultiFactorACR, KeepTokens: c.KeepTokens,
			AllowPrivate: c.AllowPrivate,
		},
	}
	for _, scope := range c.Scope {
		p.Settings.Scopes = append(p.Settings.Scopes, strings.Fields(scope)...)
	}
	for _, rule := range c.Role {
		parts := strings.SplitN(rule, "=", 3)
		p.Settings.Roles = append(p.Settings.Roles, federation.RoleRule{Role: parts[0], Claim: parts[1], Value: parts[2]})
	}
	for _, rule := range c.Group {
		parts := strings.SplitN(rule, "=", 3)
		p.Settings.Groups = append(p.Settings.Groups, federation.GroupRule{Group: parts[0], Claim: parts[1], Value: parts[2]})
	}
	return p, nil
}

func (c Provider) secret() (string, error) {
	var content []byte
	var err error
	if c.ClientSecretStdin {
		content, err = io.ReadAll(io.LimitReader(os.Stdin, 64<<10))
	} else {
		content, err = os.ReadFile(c.ClientSecretFile)
	}
	return strings.TrimSpace(string(content)), err
}
