package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/manage/apps"
	"github.com/wicket-id/wicket/oidc/clients"
)

// client is an app as it is sent and shown: JSON whose members are those of the metadata's table.
type client json.RawMessage

// Schema is its description.
func (client) Schema(r huma.Registry) *huma.Schema {
	if r.Map()["Client"] == nil {
		text, whether := &huma.Schema{Type: huma.TypeString}, &huma.Schema{Type: huma.TypeBoolean}
		kinds := map[string]*huma.Schema{
			"string": text, "boolean": whether, "strings": {Type: huma.TypeArray, Items: text},
			"object": {Type: huma.TypeObject, AdditionalProperties: true},
		}
		schema := &huma.Schema{
			Type: huma.TypeObject, Properties: map[string]*huma.Schema{}, AdditionalProperties: false,
			Description: "An app with its metadata, under the names of RFC 7591 and the specifications that add to it.",
		}
		for _, shape := range clients.Shapes() {
			schema.Properties[shape.Name] = kinds[shape.Kind]
		}
		for _, name := range apps.ClientNotes {
			schema.Properties[name] = &huma.Schema{Type: huma.TypeString, ReadOnly: true}
		}
		schema.PrecomputeMessages()
		r.Map()["Client"] = schema
	}
	return &huma.Schema{Ref: "#/components/schemas/Client"}
}

// MarshalJSON writes it as it is.
func (c client) MarshalJSON() ([]byte, error) { return json.RawMessage(c).MarshalJSON() }

// UnmarshalJSON keeps it as it is.
func (c *client) UnmarshalJSON(encoded []byte) error {
	return (*json.RawMessage)(c).UnmarshalJSON(encoded)
}

const tagClients = "clients"

// ClientID is the part of an address that names an app.
type ClientID struct {
	ID string `path:"id" maxLength:"500" doc:"The client_id."`
}

// clients are the operations on apps.
func (a *API) clients() {
	type listIn struct {
		Part
		Query  string `query:"q" maxLength:"200" doc:"How the name begins, in whatever case; or a client_id."`
		Origin string `query:"registered_by" enum:"operator,token,open,document" doc:"By whom it was registered."`
	}
	register(a, operation{
		id: "list-clients", method: http.MethodGet, path: "/clients", tag: tagClients, permission: manage.ReadClients,
		summary: "List apps",
	}, func(ctx context.Context, by manage.Caller, in *listIn) (*body[manage.Page[client]], error) {
		page, err := a.Apps.ListClients(ctx, by, apps.ClientFilter{Query: in.Query, Origin: in.Origin}, in.part())
		if err != nil {
			return nil, err
		}
		out := &body[manage.Page[client]]{manage.Page[client]{Items: make([]client, len(page.Items)), Next: page.Next}}
		for i, item := range page.Items {
			out.Body.Items[i] = client(item)
		}
		return out, nil
	})

	register(a, operation{
		id: "get-client", method: http.MethodGet, path: "/clients/{id}", tag: tagClients, permission: manage.ReadClients,
		summary: "Show an app",
	}, func(ctx context.Context, by manage.Caller, in *ClientID) (*tagged[client], error) {
		found, err := a.Apps.Client(ctx, by, in.ID)
		if err != nil {
			return nil, err
		}
		return newTagged(client(found), http.StatusOK), nil
	})

	type putIn struct {
		ClientID
		Conditions
		Body client
	}
	register(a, operation{
		id: "put-client", method: http.MethodPut, path: "/clients/{id}", tag: tagClients, permission: manage.WriteClients,
		summary: "Register an app, or replace all that it is registered with but its secret",
	}, func(ctx context.Context, by manage.Caller, in *putIn) (*tagged[client], error) {
		seen, create, err := in.read()
		if err != nil {
			return nil, err
		}
		after, created, err := a.Apps.PutClient(ctx, by, in.ID, in.Body, seen, create)
		if err != nil {
			return nil, err
		}
		return newTagged(client(after), statusOf(created)), nil
	})

	a.changeClients()
}

// changeClients are those that take an app away, or give it a secret.
func (a *API) changeClients() {
	register(a, operation{
		id: "delete-client", method: http.MethodDelete, path: "/clients/{id}", tag: tagClients,
		permission: manage.WriteClients, status: http.StatusNoContent,
		summary: "Delete an app with its consents, grants and tokens",
	}, func(ctx context.Context, by manage.Caller, in *ClientID) (*none, error) {
		return done(a.Apps.DeleteClient(ctx, by, in.ID))
	})

	type secretIn struct {
		ClientID
		Repeatable
		Body struct {
			KeepOldSeconds *int64 `json:"keep_old_seconds,omitempty" minimum:"0" maximum:"2592000" doc:"How long the secret that it has now is good besides the new one; left out: a day."`
		}
	}
	register(a, operation{
		id: "create-client-secret", method: http.MethodPost, path: "/clients/{id}/secrets", tag: tagClients,
		permission: manage.RotateSecrets, summary: "Give an app another secret", status: http.StatusCreated,
	}, func(ctx context.Context, by manage.Caller, in *secretIn) (*body[apps.NewSecret], error) {
		keepOld := 24 * time.Hour
		if seconds := in.Body.KeepOldSeconds; seconds != nil {
			keepOld = time.Duration(*seconds) * time.Second
		}
		return bodied(a.Apps.RotateSecret(ctx, by, in.ID, keepOld))
	})
}

// statusOf is the status of what was replaced, or made.
func statusOf(created bool) int {
	if created {
		return http.StatusCreated
	}
	return http.StatusOK
}
