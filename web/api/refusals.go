package api

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/manage/refusals"
)

// explained is a refusal with its likely cause in words.
type explained struct {
	refusals.Explained

	Explanation string `json:"explanation" doc:"The likely cause in words."`
}

// Reference is the part of an address that names a refusal.
type Reference struct {
	Typed string `path:"reference" maxLength:"100" doc:"As the person reads it out; or a request id."`
}

// refused are the operations on what apps and people were refused.
func refused(a *API) {
	const tag = "refusals"
	type listIn struct {
		Part
		ClientID  string    `query:"client_id" maxLength:"500"`
		Reference string    `query:"reference" maxLength:"100" doc:"As the person reads it out; or a request id."`
		Where     string    `query:"where" enum:"authorize,par,token,introspection,revocation,device,registration,federation,access,logout"`
		UserID    uuid.UUID `query:"user_id" format:"uuid" doc:"Who was signed in; takes users:read, too."`
	}
	register(a, operation{
		id: "list-refusals", method: http.MethodGet, path: "/refusals", tag: tag, permission: manage.ReadClients,
		summary: "List what apps and people were refused, the newest first",
	}, func(ctx context.Context, by manage.Caller, in *listIn) (*body[manage.Page[refusals.Refusal]], error) {
		page, err := a.Refusals.List(ctx, by, refusals.Filter{
			ClientID: in.ClientID, Reference: in.Reference, Where: in.Where, UserID: in.UserID,
		}, in.part())
		return bodied(&page, err)
	})

	register(a, operation{
		id: "get-refusal", method: http.MethodGet, path: "/refusals/{reference}", tag: tag, permission: manage.ReadClients,
		summary: "Explain why something was refused",
	}, func(ctx context.Context, by manage.Caller, in *Reference) (*tagged[explained], error) {
		found, err := a.Refusals.Explain(ctx, by, in.Typed)
		if err != nil {
			return nil, err
		}
		out := explained{Explained: *found, Explanation: found.Description}
		if found.Because != nil {
			out.Explanation = words(askedBy(ctx).visit, found.Because)
		}
		return &tagged[explained]{Status: http.StatusOK, ETag: `"` + manage.ETag(found) + `"`, Body: out}, nil
	})

	type mendIn struct {
		Reference
		Repeatable
		IfMatch string `header:"If-Match" maxLength:"100" doc:"The entity tag of the refusal as it was read, or *."`
		Body    struct {
			NewHost string `json:"new_host,omitempty" maxLength:"300" doc:"The new_host of the change, where it has one."`
		}
	}
	register(a, operation{
		id: "mend-refusal", method: http.MethodPost, path: "/refusals/{reference}/mend", tag: tag,
		permission: manage.WriteClients, summary: "Make the change of the app that lets in what was refused",
	}, func(ctx context.Context, by manage.Caller, in *mendIn) (*tagged[client], error) {
		if in.IfMatch == "" {
			return nil, errPrecondition
		}
		after, err := a.Refusals.Mend(ctx, by, in.Typed, tagOf(in.IfMatch), in.Body.NewHost)
		if err != nil {
			return nil, err
		}
		return newTagged(client(after), http.StatusOK), nil
	})
}
