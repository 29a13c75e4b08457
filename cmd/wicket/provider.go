package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/wicket-id/wicket/cmd/internal/server"
	"github.com/wicket-id/wicket/federation"
	"github.com/wicket-id/wicket/storage"
)

type providerCommands struct {
	Add     providerAdd     `cmd:"" help:"Trust a provider. Prints what to register there."`
	List    providerList    `cmd:"" help:"List the providers, those that variables name included."`
	Disable providerDisable `cmd:"" help:"Let nobody in from there; links stay."`
	Enable  providerEnable  `cmd:"" help:"Let people in from there again."`
	Remove  providerRemove  `cmd:"" help:"Stop trusting a provider and drop all links to it, with the sessions that came from it."`
	Tokens  providerTokens  `cmd:"" help:"Print what a provider gave for a person last, where --keep-tokens asked to keep it. The audit trail notes it."`
}

type providerAdd struct {
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
	TrustAMR          bool              `name:"trust-amr" help:"Trust what it says of how a person signed in there (amr); mfa there is a second factor here."`
	MultiFactorACR    string            `name:"multi-factor-acr" help:"The acr with which it says that a second factor was shown; it is asked for where an app wants one."`
	KeepTokens        bool              `name:"keep-tokens" help:"Keep its tokens, sealed."`
	AllowPrivate      bool              `name:"allow-private" help:"It, or one of its endpoints, is at a private address."`
}

// Validate wants the secret from exactly one place, and rules that can be read.
func (c providerAdd) Validate() error {
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
	return nil
}

// Run adds the provider.
func (c providerAdd) Run(ctx operator, s *server.Server, out printer) error {
	secret, err := c.secret()
	if err != nil {
		return err
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
	if err := s.Upstreams.Add(ctx, p); err != nil {
		return err
	}
	return out.print(s.ViewProvider(p), func() {
		out.line("Added. Register these at %s:", p.Name)
		out.line("redirect_uri            %s", s.Upstreams.Callback(p.ID))
		if p.SendsLogoutTokens() {
			out.line("backchannel_logout_uri  %s", s.Upstreams.LogoutURI(p.ID))
		}
	})
}

func (c providerAdd) secret() (string, error) {
	var content []byte
	var err error
	if c.ClientSecretStdin {
		content, err = io.ReadAll(io.LimitReader(os.Stdin, 64<<10))
	} else {
		content, err = os.ReadFile(c.ClientSecretFile)
	}
	return strings.TrimSpace(string(content)), err
}

type providerList struct{}

// Run lists the providers.
func (providerList) Run(ctx operator, s *server.Server, out printer) error {
	providers, err := s.Upstreams.All(ctx)
	if err != nil {
		return err
	}
	views, rows := make([]server.ProviderView, len(providers)), make([][]any, len(providers))
	for i := range providers {
		p := &providers[i]
		views[i] = s.ViewProvider(p)
		state := "on"
		if !p.IsActive {
			state = "off"
		}
		if p.Named {
			state += ", by variables"
		}
		rows[i] = []any{p.ID, p.Kind, p.Name, state, p.Issuer, views[i].RedirectURI}
	}
	return out.print(views, func() { out.table([]any{"ID", "KIND", "NAME", "STATE", "ISSUER", "REDIRECT URI"}, rows) })
}

// chosenProvider is the argument of commands about one provider.
type chosenProvider struct {
	ID string `arg:"" help:"The provider's id."`
}

// change does something to the provider and prints its status then.
func (c chosenProvider) change(
	ctx context.Context, s *server.Server, out printer,
	do func() (status string, err error),
) error {
	status, err := do()
	if errors.Is(err, storage.ErrNotFound) {
		return notFound("there is no provider %q here; one that variables name is changed by them", c.ID)
	} else if err != nil {
		return err
	}
	return out.print(map[string]string{"id": c.ID, "status": status}, func() { out.line("%s is %s.", c.ID, status) })
}

type providerDisable struct{ chosenProvider }

// Run switches the provider off.
func (c providerDisable) Run(ctx operator, s *server.Server, out printer) error {
	return c.change(ctx, s, out, func() (string, error) {
		return "off", s.Upstreams.SetActive(ctx, c.ID, false)
	})
}

type providerEnable struct{ chosenProvider }

// Run switches the provider on.
func (c providerEnable) Run(ctx operator, s *server.Server, out printer) error {
	return c.change(ctx, s, out, func() (string, error) {
		return "on", s.Upstreams.SetActive(ctx, c.ID, true)
	})
}

type providerRemove struct{ chosenProvider }

// Run removes the provider.
func (c providerRemove) Run(ctx operator, s *server.Server, out printer) error {
	return c.change(ctx, s, out, func() (string, error) {
		links, err := s.Upstreams.Remove(ctx, c.ID)
		return fmt.Sprintf("removed with %d links", links), err
	})
}

type providerTokens struct {
	chosenProvider
	User string `arg:"" help:"Username, verified e-mail address or phone number, or id."`
}

// Run prints the tokens.
func (c providerTokens) Run(ctx operator, s *server.Server, out printer) error {
	user, err := named{User: c.User}.find(ctx, s)
	if err != nil {
		return err
	}
	accounts, err := s.Identity.ExternalAccounts().List(ctx, user.ID)
	if err != nil {
		return err
	}
	kept := []map[string]any{}
	for i := range accounts {
		if accounts[i].Provider != c.ID {
			continue
		}
		tokens, err := s.Identity.ExternalAccounts().Tokens(ctx, &accounts[i])
		if errors.Is(err, storage.ErrNotFound) {
			continue
		} else if err != nil {
			return err
		}
		kept = append(kept, map[string]any{
			"subject": accounts[i].Subject, "label": accounts[i].Label,
			"got_at": accounts[i].LastUsedAt.Format(time.RFC3339), "tokens": tokens,
		})
	}
	return out.print(kept, func() {
		for _, account := range kept {
			out.line("%s  %s", account["label"], account["tokens"])
		}
	})
}
