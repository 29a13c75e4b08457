package api

import (
	"context"
	"net/http"

	"github.com/wicket-id/wicket/manage"
)

// caller is who calls, as they are told.
type caller struct {
	Name        string              `json:"name" doc:"As the audit trail calls them: user:ID, client:ID or api-key:ID."`
	Roles       []string            `json:"roles" doc:"The administrative roles that they hold."`
	Permissions []manage.Permission `json:"permissions" doc:"What they may do by this key or token."`
}

// me tells callers what they may do.
func (a *API) me() {
	register(a, operation{
		id: "get-me", method: http.MethodGet, path: "/me", tag: "me", summary: "Tell who calls, and what they may do",
	}, func(_ context.Context, by manage.Caller, _ *struct{}) (*body[caller], error) {
		return &body[caller]{
			caller{by.Actor(), append([]string{}, by.Roles...), append([]manage.Permission{}, by.Permissions()...)},
		}, nil
	})
}
