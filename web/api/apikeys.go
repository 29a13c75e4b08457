package api

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/manage"
)

// apiKeys are the operations on the keys of this API.
func (a *API) apiKeys() {
	const tag = "api-keys"
	register(a, operation{
		id: "list-api-keys", method: http.MethodGet, path: "/api-keys", tag: tag, permission: manage.ReadAPIKeys,
		summary: "List the keys of this API",
	}, func(ctx context.Context, by manage.Caller, _ *struct{}) (*list[manage.APIKey], error) {
		return listed(a.Manage.Keys(ctx, by))
	})

	type createIn struct {
		Repeatable
		Body manage.NewAPIKey
	}
	register(a, operation{
		id: "create-api-key", method: http.MethodPost, path: "/api-keys", tag: tag, permission: manage.WriteAPIKeys,
		summary: "Make a key of this API", status: http.StatusCreated,
	}, func(ctx context.Context, by manage.Caller, in *createIn) (*body[manage.APIKey], error) {
		return bodied(a.Manage.CreateKey(ctx, by, in.Body))
	})

	type keyIn struct {
		ID uuid.UUID `path:"id" format:"uuid"`
	}
	register(a, operation{
		id: "revoke-api-key", method: http.MethodDelete, path: "/api-keys/{id}", tag: tag,
		permission: manage.WriteAPIKeys, summary: "Revoke a key of this API", status: http.StatusNoContent,
	}, func(ctx context.Context, by manage.Caller, in *keyIn) (*none, error) {
		return done(a.Manage.RevokeKey(ctx, by, in.ID))
	})
}
