package api

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/manage/people"
)

// invitations are the operations on invitations to make an account.
func (a *API) invitations() {
	const tag = "invitations"
	register(a, operation{
		id: "list-invitations", method: http.MethodGet, path: "/invitations", tag: tag, permission: manage.ReadUsers,
		summary: "List the invitations that still work",
	}, func(ctx context.Context, by manage.Caller, _ *struct{}) (*list[people.Invitation], error) {
		return listed(a.People.Invitations(ctx, by))
	})

	type createIn struct {
		Repeatable
		Body people.NewInvitation
	}
	register(a, operation{
		id: "create-invitation", method: http.MethodPost, path: "/invitations", tag: tag, permission: manage.WriteUsers,
		summary: "Invite somebody to make an account, by a link that works once", status: http.StatusCreated,
	}, func(ctx context.Context, by manage.Caller, in *createIn) (*body[people.Invitation], error) {
		return bodied(a.People.Invite(ctx, by, in.Body))
	})

	type invitationIn struct {
		ID uuid.UUID `path:"id" format:"uuid"`
	}
	register(a, operation{
		id: "revoke-invitation", method: http.MethodDelete, path: "/invitations/{id}", tag: tag,
		permission: manage.WriteUsers, summary: "End an invitation before it is used", status: http.StatusNoContent,
	}, func(ctx context.Context, by manage.Caller, in *invitationIn) (*none, error) {
		return done(a.People.RevokeInvitation(ctx, by, in.ID))
	})
}
