package apps

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/oidc/apis"
	"github.com/wicket-id/wicket/storage"
)

// API is a protected resource that access tokens are issued for, as administrators see it.
type API struct {
	Identifier string `json:"identifier" doc:"The audience of its tokens: an absolute URI."`
	APISettings
	DeclaredBy string    `json:"declared_by,omitempty" doc:"The configuration file that declares it, by what it calls itself: it is changed there."`
	CreatedAt  time.Time `json:"created_at"`
	CreatedBy  string    `json:"created_by"`
	ModifiedAt time.Time `json:"modified_at"`
	ModifiedBy string    `json:"modified_by"`
}

// APISettings are what may be chosen of an API.
type APISettings struct {
	Name                 string   `json:"name" maxLength:"200" doc:"People read it when they are asked for consent."`
	Scopes               []Scope  `json:"scopes,omitempty" maxItems:"200"`
	TokenLifetime        int64    `json:"token_lifetime,omitempty" minimum:"0" maximum:"86400" doc:"In seconds; 0: as long as the server's own tokens."`
	TokenType            string   `json:"token_type,omitempty" enum:"at+jwt,JWT" default:"at+jwt" doc:"The header typ of its access tokens."`
	Open                 bool     `json:"open,omitempty" doc:"Any app may ask for tokens, not only those that list the API."`
	IntrospectionClients []string `json:"introspection_clients,omitempty" maxItems:"200" doc:"The apps that may introspect its tokens: usually the API itself."`
}

// Scope is something that can be allowed at an API.
type Scope struct {
	Name  string `json:"name" maxLength:"100"`
	Words string `json:"words,omitempty" maxLength:"200" doc:"What people read: \"Read your orders\"."`
}

func viewAPI(api *apis.API) API {
	view := API{
		Identifier: api.Identifier, DeclaredBy: api.DeclaredBy, CreatedAt: api.CreatedAt, CreatedBy: api.CreatedBy, ModifiedAt: api.ModifiedAt,
		ModifiedBy: api.ModifiedBy, APISettings: APISettings{
			Name: api.Name, TokenLifetime: api.TokenLifetime, TokenType: api.TokenType, Open: api.IsOpen,
			IntrospectionClients: api.IntrospectionClients, Scopes: make([]Scope, len(api.Scopes)),
		},
	}
	for i, scope := range api.Scopes {
		view.Scopes[i] = Scope(scope)
	}
	return view
}

// set makes an API as the settings say.
func (s *APISettings) set(api *apis.API) {
	api.Name, api.TokenLifetime, api.TokenType, api.IsOpen = s.Name, s.TokenLifetime, s.TokenType, s.Open
	api.IntrospectionClients, api.Scopes = s.IntrospectionClients, make([]apis.Scope, len(s.Scopes))
	for i, scope := range s.Scopes {
		api.Scopes[i] = apis.Scope(scope)
	}
}

// ListAPIs lists every API by name. It returns a *manage.ForbiddenError.
func (s *Store) ListAPIs(ctx context.Context, by manage.Caller) ([]API, error) {
	if err := by.Demand(manage.ReadClients); err != nil {
		return nil, err
	}
	list, err := s.APIs.List(ctx)
	if err != nil {
		return nil, err
	}
	views := make([]API, len(list))
	for i := range list {
		views[i] = viewAPI(&list[i])
	}
	return views, nil
}

// PutAPI registers an API, or replaces what it is registered with, where it is as the caller has seen it, by the entity
// tag seen; empty: however it is. create says that it must not exist yet. It returns a *manage.ForbiddenError,
// apis.ErrOwnAPI, ErrExists, manage.ErrChanged, apis.ErrAPI with what is wrong, or apis.ErrAPIChanged.
func (s *Store) PutAPI(
	ctx context.Context, by manage.Caller, identifier string, settings APISettings, seen string, create bool,
) (api *API, created bool, err error) {
	if err := by.Demand(manage.WriteClients); err != nil {
		return nil, false, err
	}
	var after *apis.API
	var before API
	after, err = s.APIs.Update(ctx, identifier, func(a *apis.API) {
		before = viewAPI(a)
		if !create && manage.Unchanged(seen, before) == nil {
			settings.set(a)
		}
	})
	switch {
	case errors.Is(err, storage.ErrNotFound) && !create:
		err = manage.ErrChanged // RFC 9110, section 13.1.1: there is none
	case errors.Is(err, storage.ErrNotFound):
		after, created = &apis.API{Identifier: identifier}, true
		settings.set(after)
		err = s.APIs.Create(ctx, after)
	case err == nil && create:
		err = manage.ErrExists
	case err == nil:
		err = manage.Unchanged(seen, before)
	}
	if err != nil {
		return nil, false, fmt.Errorf("put API: %w", err)
	}
	view := viewAPI(after)
	return &view, created, nil
}

// DeleteAPI removes an API with what people have allowed at it. It returns a *manage.ForbiddenError, apis.ErrOwnAPI or
// storage.ErrNotFound.
func (s *Store) DeleteAPI(ctx context.Context, by manage.Caller, identifier string) error {
	if err := by.Demand(manage.WriteClients); err != nil {
		return err
	}
	return s.APIs.Delete(ctx, identifier)
}

// API returns an API. It returns a *manage.ForbiddenError or storage.ErrNotFound.
func (s *Store) API(ctx context.Context, by manage.Caller, identifier string) (*API, error) {
	if err := by.Demand(manage.ReadClients); err != nil {
		return nil, err
	}
	api, err := s.APIs.Read(ctx, identifier)
	if err != nil {
		return nil, fmt.Errorf("API: %w", err)
	}
	view := viewAPI(api)
	return &view, nil
}
