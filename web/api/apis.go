package api

import (
	"context"
	"net/http"

	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/manage/apps"
)

// apis are the operations on APIs that tokens are for.
func (a *API) apis() {
	const tag = "apis"
	register(a, operation{
		id: "list-apis", method: http.MethodGet, path: "/apis", tag: tag, permission: manage.ReadClients,
		summary: "List the APIs that tokens are for",
	}, func(ctx context.Context, by manage.Caller, _ *struct{}) (*list[apps.API], error) {
		return listed(a.Apps.ListAPIs(ctx, by))
	})

	type APIIdentifier struct {
		Identifier string `path:"identifier" maxLength:"500" doc:"Percent-encoded, slashes too."`
	}
	register(a, operation{
		id: "get-api", method: http.MethodGet, path: "/apis/{identifier}", tag: tag, permission: manage.ReadClients,
		summary: "Show an API",
	}, func(ctx context.Context, by manage.Caller, in *APIIdentifier) (*tagged[apps.API], error) {
		api, err := a.Apps.API(ctx, by, in.Identifier)
		if err != nil {
			return nil, err
		}
		return newTagged(*api, http.StatusOK), nil
	})

	type putIn struct {
		APIIdentifier
		Conditions
		Body apps.APISettings
	}
	register(a, operation{
		id: "put-api", method: http.MethodPut, path: "/apis/{identifier}", tag: tag, permission: manage.WriteClients,
		summary: "Register an API, or replace what it is registered with",
	}, func(ctx context.Context, by manage.Caller, in *putIn) (*tagged[apps.API], error) {
		seen, create, err := in.read()
		if err != nil {
			return nil, err
		}
		api, created, err := a.Apps.PutAPI(ctx, by, in.Identifier, in.Body, seen, create)
		if err != nil {
			return nil, err
		}
		return newTagged(*api, statusOf(created)), nil
	})

	register(a, operation{
		id: "delete-api", method: http.MethodDelete, path: "/apis/{identifier}", tag: tag,
		permission: manage.WriteClients, status: http.StatusNoContent,
		summary: "Remove an API with what people have allowed at it",
	}, func(ctx context.Context, by manage.Caller, in *APIIdentifier) (*none, error) {
		return done(a.Apps.DeleteAPI(ctx, by, in.Identifier))
	})
}
