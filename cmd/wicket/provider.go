package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/wicket-id/wicket/cmd/internal/exit"
	"github.com/wicket-id/wicket/cmd/internal/printer"
	"github.com/wicket-id/wicket/cmd/internal/providerflags"
	"github.com/wicket-id/wicket/cmd/internal/server"
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

type providerAdd struct{ providerflags.Provider }

// Run adds the provider.
func (c providerAdd) Run(ctx operator, s *server.Server, out printer.Printer) error {
	p, err := c.Read()
	if err != nil {
		return err
	}
	p.IsActive = true
	if err := s.Upstreams.Add(ctx, p); err != nil {
		return err
	}
	return out.Print(s.ViewProvider(p), func() {
		out.Line("Added. Register these at %s:", p.Name)
		out.Line("redirect_uri            %s", s.Upstreams.Callback(p.ID))
		if p.SendsLogoutTokens() {
			out.Line("backchannel_logout_uri  %s", s.Upstreams.LogoutURI(p.ID))
		}
	})
}

type providerList struct{}

// Run lists the providers.
func (providerList) Run(ctx operator, s *server.Server, out printer.Printer) error {
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
	return out.Print(views, func() { out.Table([]any{"ID", "KIND", "NAME", "STATE", "ISSUER", "REDIRECT URI"}, rows) })
}

// chosenProvider is the argument of commands about one provider.
type chosenProvider struct {
	ID string `arg:"" help:"The provider's id."`
}

// change does something to the provider and prints its status then.
func (c chosenProvider) change(
	ctx context.Context, s *server.Server, out printer.Printer,
	do func() (status string, err error),
) error {
	status, err := do()
	if errors.Is(err, storage.ErrNotFound) {
		return exit.NotFound("there is no provider %q here; one that variables name is changed by them", c.ID)
	} else if err != nil {
		return err
	}
	return out.Print(map[string]string{"id": c.ID, "status": status}, func() { out.Line("%s is %s.", c.ID, status) })
}

type providerDisable struct{ chosenProvider }

// Run switches the provider off.
func (c providerDisable) Run(ctx operator, s *server.Server, out printer.Printer) error {
	return c.change(ctx, s, out, func() (string, error) {
		return "off", s.Upstreams.SetActive(ctx, c.ID, false)
	})
}

type providerEnable struct{ chosenProvider }

// Run switches the provider on.
func (c providerEnable) Run(ctx operator, s *server.Server, out printer.Printer) error {
	return c.change(ctx, s, out, func() (string, error) {
		return "on", s.Upstreams.SetActive(ctx, c.ID, true)
	})
}

type providerRemove struct{ chosenProvider }

// Run removes the provider.
func (c providerRemove) Run(ctx operator, s *server.Server, out printer.Printer) error {
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
func (c providerTokens) Run(ctx operator, s *server.Server, out printer.Printer) error {
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
	return out.Print(kept, func() {
		for _, account := range kept {
			out.Line("%s  %s", account["label"], account["tokens"])
		}
	})
}
