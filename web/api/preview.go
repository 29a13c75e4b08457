package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/manage/apps"
)

// preview is the operation that tells what an app would be told of a person.
func preview(a *API) {
	type previewIn struct {
		ClientID
		User  uuid.UUID `query:"user" format:"uuid" required:"true"`
		Scope string    `query:"scope" maxLength:"1000" doc:"Separated by spaces; left out: all that the app is registered for."`
	}
	register(a, operation{
		id: "preview-client", method: http.MethodGet, path: "/clients/{id}/preview", tag: tagClients,
		permission: manage.ReadClients, summary: "Show what an app would be told of a person who signed in to it now",
	}, func(ctx context.Context, by manage.Caller, in *previewIn) (*body[apps.Preview], error) {
		return bodied(a.Apps.Preview(ctx, by, in.ID, in.User, strings.Fields(in.Scope)))
	})
}
