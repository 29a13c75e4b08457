package configuration

import (
	"context"
	"slices"

	"github.com/wicket-id/wicket/federation"
	"github.com/wicket-id/wicket/identity/administrators"
	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/apis"
	"github.com/wicket-id/wicket/oidc/clients"
)

// Store is what it works with; set all of it.
type Store struct {
	*manage.Store

	Provider *oidc.Provider
	Clients  *clients.Store
	APIs     *apis.Store
	// where people come from who sign in elsewhere
	Upstreams *federation.Upstreams
	// IsOurs tells whether the server has made an app by itself, so that no file needs to; nil: it makes none.
	IsOurs func(*clients.Client) bool
}

// demand returns an error where a caller may not make this server what a document declares: who can change an app acts
// as it, by an administrative role that it holds or for whoever uses the management API by it. It returns a
// *manage.ForbiddenError or a *manage.StepUpError.
func (s *Store) demand(ctx context.Context, by manage.Caller, d *Document) error {
	if err := by.Demand(manage.ApplyConfiguration); err != nil || by.IsOperator() {
		return err
	}
	if err := s.demandTrust(ctx, by, d); err != nil {
		return err
	}
	for _, declared := range d.Clients {
		if err := s.demandOver(ctx, by, declared.Client); err != nil {
			return err
		}
	}
	registered, err := s.Clients.List(ctx)
	if err != nil {
		return err
	}
	for i := range registered {
		client := &registered[i]
		touched := client.DeclaredBy == d.Source || slices.ContainsFunc(d.Clients, func(c clients.Declaration) bool {
			return c.Client.ID == client.ID
		})
		if !touched {
			continue
		}
		if err := s.demandOver(ctx, by, client); err != nil {
			return err
		}
	}
	return nil
}

// demandTrust returns an error where a caller may not change whom this server trusts: a provider can let in anybody as
// anybody.
func (s *Store) demandTrust(ctx context.Context, by manage.Caller, d *Document) error {
	rows, err := federation.Within{Upstreams: s.Upstreams}.Rows(ctx)
	if err != nil {
		return err
	}
	if len(d.Providers) == 0 && !slices.ContainsFunc(rows, func(p federation.Provider) bool {
		return p.DeclaredBy == d.Source
	}) {
		return nil
	}
	return by.Demand(manage.WriteProviders)
}

func (s *Store) demandOver(ctx context.Context, by manage.Caller, client *clients.Client) error {
	var through []string
	if slices.ContainsFunc(client.APIs, func(api string) bool {
		return apis.SameIdentifier(api, manage.APIOf(s.Provider.Issuer))
	}) {
		through = append(through, administrators.Owner)
	}
	return s.DemandOver(ctx, by, manage.ApplyConfiguration, administrators.Client(client.ID), through...)
}
