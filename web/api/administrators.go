package api

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/identity/administrators"
	"github.com/wicket-id/wicket/manage"
)

// administrators are the operations on who administers this server.
func (a *API) administrators() {
	const tag = "administrators"
	register(a, operation{
		id: "list-administrators", method: http.MethodGet, path: "/administrators", tag: tag,
		permission: manage.ReadAdmins, summary: "List who administers this server",
	}, func(ctx context.Context, by manage.Caller, _ *struct{}) (*list[manage.Administrator], error) {
		return listed(a.Manage.List(ctx, by))
	})

	type grantBody struct {
		EndsAt *time.Time `json:"ends_at,omitempty" doc:"Left out: until it is revoked."`
	}
	type UserRole struct {
		ID   uuid.UUID `path:"id" format:"uuid"`
		Role string    `path:"role" enum:"owner,administrator,user-manager,app-manager,support,auditor"`
	}
	type ClientRole struct {
		ID   string `path:"id" maxLength:"500"`
		Role string `path:"role" enum:"owner,administrator,user-manager,app-manager,support,auditor"`
	}
	grant := operation{
		id: "grant-user-administrative-role", method: http.MethodPut, path: "/administrators/users/{id}/{role}", tag: tag,
		permission: manage.WriteAdmins, summary: "Give a person an administrative role", status: http.StatusNoContent,
	}
	register(a, grant, func(ctx context.Context, by manage.Caller, in *struct {
		UserRole
		Body grantBody
	}) (*none, error) {
		return done(a.Manage.Grant(ctx, by, administrators.Person(in.ID), in.Role, in.Body.EndsAt))
	})
	grant.id, grant.path = "grant-client-administrative-role", "/administrators/clients/{id}/{role}"
	grant.summary = "Give an app that acts by itself an administrative role"
	register(a, grant, func(ctx context.Context, by manage.Caller, in *struct {
		ClientRole
		Body grantBody
	}) (*none, error) {
		return done(a.Manage.Grant(ctx, by, administrators.Client(in.ID), in.Role, in.Body.EndsAt))
	})

	revoke := operation{
		id: "revoke-user-administrative-role", method: http.MethodDelete, path: "/administrators/users/{id}/{role}",
		tag: tag, permission: manage.WriteAdmins, summary: "Take an administrative role back",
		status: http.StatusNoContent,
	}
	register(a, revoke, func(ctx context.Context, by manage.Caller, in *UserRole) (*none, error) {
		return done(a.Manage.Revoke(ctx, by, administrators.Person(in.ID), in.Role))
	})
	revoke.id, revoke.path = "revoke-client-administrative-role", "/administrators/clients/{id}/{role}"
	register(a, revoke, func(ctx context.Context, by manage.Caller, in *ClientRole) (*none, error) {
		return done(a.Manage.Revoke(ctx, by, administrators.Client(in.ID), in.Role))
	})
}
