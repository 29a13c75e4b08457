// Package providers is what may be done with the providers elsewhere by which people sign in here: add, change, switch
// off and remove them. Begin with Store.
package providers

import (
	"context"
	"errors"
	"time"

	"github.com/wicket-id/wicket/federation"
	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/storage"
)

// Store is what it works with; set all of it.
type Store struct {
	*manage.Store

	Upstreams *federation.Upstreams
}

// Provider is a provider as administrators see it. Its client secret is never shown.
type Provider struct {
	ID string `json:"id"`
	Settings
	RedirectURI          string    `json:"redirect_uri" doc:"To be registered there."`
	BackchannelLogoutURI string    `json:"backchannel_logout_uri,omitempty" doc:"To be registered there, where it sends logout tokens."`
	Declared             bool      `json:"declared" doc:"The server's configuration, or a configuration file, has it: it is changed there."`
	CreatedAt            time.Time `json:"created_at"`
	CreatedBy            string    `json:"created_by"`
	ModifiedAt           time.Time `json:"modified_at"`
	ModifiedBy           string    `json:"modified_by"`
}

// Settings are what may be chosen of a provider, but for its client secret.
type Settings struct {
	Kind         string            `json:"kind" enum:"google,microsoft,github,oidc" doc:"It stays as it is once the provider is added."`
	Name         string            `json:"name,omitempty" maxLength:"60" doc:"What people read on the button; left out, that of the kind."`
	Issuer       string            `json:"issuer,omitempty" maxLength:"500" doc:"Of the kind oidc; the others have one."`
	ClientID     string            `json:"client_id" minLength:"1" maxLength:"500" doc:"What Wicket is registered as there."`
	Active       bool              `json:"active" doc:"People can sign in by it."`
	Registration bool              `json:"registration,omitempty" doc:"People without an account may make one."`
	Emails       string            `json:"emails,omitempty" enum:",unproved,proved,authoritative" doc:"How far its e-mail addresses are trusted: docs/federation.md."`
	Domains      []string          `json:"domains,omitempty" maxItems:"100" doc:"People of these domains alone."`
	Scopes       []string          `json:"scopes,omitempty" maxItems:"50" doc:"Requested there; left out: what the kind needs."`
	Tenant       string            `json:"tenant,omitempty" maxLength:"100" doc:"Microsoft: a tenant, or common, organizations or consumers."`
	Tenants      []string          `json:"tenants,omitempty" maxItems:"100" doc:"Microsoft: of those only these, by their ids."`
	Profile      map[string]string `json:"profile,omitempty" doc:"Fields of the profile, and the claims that they follow at each sign-in."`
	Roles        []RoleRule        `json:"roles,omitempty" maxItems:"200" doc:"Who gets which role, at each sign-in."`
	Groups       []GroupRule       `json:"groups,omitempty" maxItems:"200" doc:"Who is in which group, from each sign-in on."`
	TrustAMR     bool              `json:"trust_amr,omitempty" doc:"How a person signed in there (amr) counts here."`
	MultiFactor  string            `json:"multi_factor,omitempty" maxLength:"200" doc:"The acr by which it says that a second factor was used."`
	KeepTokens   bool              `json:"keep_tokens,omitempty" doc:"Its tokens are kept, sealed."`
	AllowPrivate bool              `json:"allow_private,omitempty" doc:"It may be at a private address."`
}

// RoleRule gives a role to those whose claim has, or holds among others, a value.
type RoleRule struct {
	Role  string `json:"role" maxLength:"100"`
	Claim string `json:"claim" maxLength:"200"`
	Value string `json:"value" maxLength:"500"`
}

// GroupRule puts those into a group whose claim has, or holds among others, a value.
type GroupRule struct {
	Group string `json:"group" maxLength:"100" doc:"Its slug."`
	Claim string `json:"claim" maxLength:"200"`
	Value string `json:"value" maxLength:"500"`
}

// NewSettings are the settings of a provider with its client secret.
type NewSettings struct {
	Settings
	ClientSecret string `json:"client_secret,omitempty" maxLength:"2000" doc:"Left out where the provider is there already: it stays as it is."`
}

func (s *Store) view(p *federation.Provider) Provider {
	of := p.Settings
	view := Provider{
		ID: p.ID, RedirectURI: s.Upstreams.Callback(p.ID), Declared: p.Named || p.DeclaredBy != "", CreatedAt: p.CreatedAt,
		CreatedBy: p.CreatedBy, ModifiedAt: p.ModifiedAt, ModifiedBy: p.ModifiedBy, Settings: Settings{
			Kind: p.Kind, Name: p.Name, Issuer: p.Issuer, ClientID: p.ClientID, Active: p.IsActive,
			Registration: of.Registration, Emails: of.Emails, Domains: of.Domains, Scopes: of.Scopes, Tenant: of.Tenant,
			Tenants: of.Tenants, Profile: of.Profile, TrustAMR: of.TrustAMR, MultiFactor: of.MultiFactor,
			KeepTokens: of.KeepTokens, AllowPrivate: of.AllowPrivate,
		},
	}
	for _, rule := range of.Roles {
		view.Roles = append(view.Roles, RoleRule(rule))
	}
	for _, rule := range of.Groups {
		view.Groups = append(view.Groups, GroupRule(rule))
	}
	if p.SendsLogoutTokens() {
		view.BackchannelLogoutURI = s.Upstreams.LogoutURI(p.ID)
	}
	return view
}

// set makes a provider as the settings say.
func (s *NewSettings) set(p *federation.Provider) {
	p.Kind, p.Name, p.Issuer, p.ClientID, p.IsActive = s.Kind, s.Name, s.Issuer, s.ClientID, s.Active
	p.Secret = s.ClientSecret
	p.Settings = federation.Settings{
		Tenant: s.Tenant, Tenants: s.Tenants, Scopes: s.Scopes, Registration: s.Registration, Domains: s.Domains,
		Emails: s.Emails, Profile: s.Profile, TrustAMR: s.TrustAMR, MultiFactor: s.MultiFactor, KeepTokens: s.KeepTokens,
		AllowPrivate: s.AllowPrivate,
	}
	for _, rule := range s.Roles {
		p.Settings.Roles = append(p.Settings.Roles, federation.RoleRule(rule))
	}
	for _, rule := range s.Groups {
		p.Settings.Groups = append(p.Settings.Groups, federation.GroupRule(rule))
	}
}

// List lists the providers: those of the configuration first, then by age. It returns a *manage.ForbiddenError.
func (s *Store) List(ctx context.Context, by manage.Caller) ([]Provider, error) {
	if err := by.Demand(manage.ReadProviders); err != nil {
		return nil, err
	}
	all, err := s.Upstreams.All(ctx)
	if err != nil {
		return nil, err
	}
	views := make([]Provider, len(all))
	for i := range all {
		views[i] = s.view(&all[i])
	}
	return views, nil
}

// Show returns a provider. It returns a *manage.ForbiddenError or storage.ErrNotFound.
func (s *Store) Show(ctx context.Context, by manage.Caller, id string) (*Provider, error) {
	all, err := s.List(ctx, by)
	if err != nil {
		return nil, err
	}
	for i := range all {
		if all[i].ID == id {
			return &all[i], nil
		}
	}
	return nil, storage.ErrNotFound
}

// Put adds a provider, where create says so, or else changes one that is as the caller has seen it, by the entity tag
// seen; empty: however it is. It returns a *manage.ForbiddenError, a *manage.StepUpError, manage.ErrExists,
// manage.ErrChanged, federation.ErrDeclared, or a *federation.InvalidProviderError.
func (s *Store) Put(
	ctx context.Context, by manage.Caller, id string, settings NewSettings, seen string, create bool,
) (*Provider, error) {
	if err := by.Demand(manage.WriteProviders); err != nil {
		return nil, err
	}
	if create {
		p := &federation.Provider{ID: id}
		settings.set(p)
		err := s.Upstreams.Add(ctx, p)
		if errors.Is(err, federation.ErrProviderTaken) {
			return nil, manage.ErrExists
		} else if err != nil {
			return nil, err
		}
		view := s.view(p)
		return &view, nil
	}
	p, err := s.Upstreams.Update(ctx, id, func(p *federation.Provider) error {
		if err := manage.Unchanged(seen, s.view(p)); err != nil {
			return err
		}
		settings.set(p)
		return nil
	})
	if errors.Is(err, storage.ErrNotFound) {
		return nil, manage.ErrChanged // RFC 9110, section 13.1.1: there is none
	} else if err != nil {
		return nil, err
	}
	view := s.view(p)
	return &view, nil
}

// SetActive switches a provider on or off: nobody comes in by one that is off; links and sessions stay. It returns a
// *manage.ForbiddenError, a *manage.StepUpError, or storage.ErrNotFound, also for one of the configuration.
func (s *Store) SetActive(ctx context.Context, by manage.Caller, id string, active bool) error {
	if err := by.Demand(manage.WriteProviders); err != nil {
		return err
	}
	return s.Upstreams.SetActive(ctx, id, active)
}

// Remove removes a provider with all links to it and the sessions that came from it. It returns a
// *manage.ForbiddenError, a *manage.StepUpError, or storage.ErrNotFound, also for one of the configuration.
func (s *Store) Remove(ctx context.Context, by manage.Caller, id string) error {
	if err := by.Demand(manage.WriteProviders); err != nil {
		return err
	}
	_, err := s.Upstreams.Remove(ctx, id)
	return err
}
