package api

import (
	"context"
	"net/http"

	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/manage/providers"
)

// providers are the operations on the providers by which people sign in.
func (a *API) providers() {
	const tag = "providers"
	register(a, operation{
		id: "list-providers", method: http.MethodGet, path: "/providers", tag: tag, permission: manage.ReadProviders,
		summary: "List the providers by which people sign in",
	}, func(ctx context.Context, by manage.Caller, _ *struct{}) (*list[providers.Provider], error) {
		return listed(a.Providers.List(ctx, by))
	})

	type ProviderID struct {
		Provider string `path:"provider" maxLength:"40" pattern:"^[a-z0-9][a-z0-9-]*$"`
	}
	register(a, operation{
		id: "get-provider", method: http.MethodGet, path: "/providers/{provider}", tag: tag,
		permission: manage.ReadProviders, summary: "Show a provider",
	}, func(ctx context.Context, by manage.Caller, in *ProviderID) (*tagged[providers.Provider], error) {
		provider, err := a.Providers.Show(ctx, by, in.Provider)
		if err != nil {
			return nil, err
		}
		return newTagged(*provider, http.StatusOK), nil
	})

	type putIn struct {
		ProviderID
		Conditions
		Body providers.NewSettings
	}
	register(a, operation{
		id: "put-provider", method: http.MethodPut, path: "/providers/{provider}", tag: tag,
		permission: manage.WriteProviders, summary: "Add a provider, or change it, or switch it off and on",
	}, func(ctx context.Context, by manage.Caller, in *putIn) (*tagged[providers.Provider], error) {
		seen, create, err := in.read()
		if err != nil {
			return nil, err
		}
		provider, err := a.Providers.Put(ctx, by, in.Provider, in.Body, seen, create)
		if err != nil {
			return nil, err
		}
		return newTagged(*provider, statusOf(create)), nil
	})

	register(a, operation{
		id: "delete-provider", method: http.MethodDelete, path: "/providers/{provider}", tag: tag,
		permission: manage.WriteProviders, status: http.StatusNoContent,
		summary: "Remove a provider with all links to it and the sessions that came from it",
	}, func(ctx context.Context, by manage.Caller, in *ProviderID) (*none, error) {
		return done(a.Providers.Remove(ctx, by, in.Provider))
	})
}
