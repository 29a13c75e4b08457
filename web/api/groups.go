package api

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/manage/groups"
)

const tagGroups = "groups"

// GroupSlug is the part of an address that names a group.
type GroupSlug struct {
	Slug string `path:"slug" maxLength:"100" pattern:"^[a-z0-9][a-z0-9._:-]*$"`
}

// groups are the operations on groups of people.
func (a *API) groups() {
	type listIn struct{ Part }
	register(a, operation{
		id: "list-groups", method: http.MethodGet, path: "/groups", tag: tagGroups, permission: manage.ReadGroups,
		summary: "List groups by slug",
	}, func(ctx context.Context, by manage.Caller, in *listIn) (*body[manage.Page[groups.Listed]], error) {
		page, err := a.Groups.List(ctx, by, in.part())
		return bodied(&page, err)
	})

	register(a, operation{
		id: "get-group", method: http.MethodGet, path: "/groups/{slug}", tag: tagGroups, permission: manage.ReadGroups,
		summary: "Show a group",
	}, func(ctx context.Context, by manage.Caller, in *GroupSlug) (*tagged[groups.Group], error) {
		group, err := a.Groups.Show(ctx, by, in.Slug)
		if err != nil {
			return nil, err
		}
		return newTagged(*group, http.StatusOK), nil
	})

	type putIn struct {
		GroupSlug
		Conditions
		Body groups.Settings
	}
	register(a, operation{
		id: "put-group", method: http.MethodPut, path: "/groups/{slug}", tag: tagGroups, permission: manage.WriteGroups,
		summary: "Make a group, or change what it is called",
	}, func(ctx context.Context, by manage.Caller, in *putIn) (*tagged[groups.Group], error) {
		seen, create, err := in.read()
		if err != nil {
			return nil, err
		}
		group, err := a.Groups.Put(ctx, by, in.Slug, in.Body, seen, create)
		if err != nil {
			return nil, err
		}
		return newTagged(*group, statusOf(create)), nil
	})

	register(a, operation{
		id: "delete-group", method: http.MethodDelete, path: "/groups/{slug}", tag: tagGroups,
		permission: manage.WriteGroups, summary: "Remove a group", status: http.StatusNoContent,
	}, func(ctx context.Context, by manage.Caller, in *GroupSlug) (*none, error) {
		return done(a.Groups.Delete(ctx, by, in.Slug))
	})
	a.groupMembers()
	a.groupRoles()
}

// groupMembers are the operations on who is in a group.
func (a *API) groupMembers() {
	type listIn struct {
		GroupSlug
		Part
	}
	register(a, operation{
		id: "list-group-members", method: http.MethodGet, path: "/groups/{slug}/members", tag: tagGroups,
		permission: manage.ReadGroups, summary: "List the people in a group",
	}, func(ctx context.Context, by manage.Caller, in *listIn) (*body[manage.Page[groups.Member]], error) {
		page, err := a.Groups.Members(ctx, by, in.Slug, in.part())
		return bodied(&page, err)
	})

	type memberIn struct {
		GroupSlug
		User uuid.UUID `path:"user" format:"uuid"`
	}
	register(a, operation{
		id: "add-group-member", method: http.MethodPut, path: "/groups/{slug}/members/{user}", tag: tagGroups,
		permission: manage.WriteGroups, summary: "See to it that a person is in a group", status: http.StatusNoContent,
	}, func(ctx context.Context, by manage.Caller, in *memberIn) (*none, error) {
		return done(a.Groups.AddMember(ctx, by, in.Slug, in.User))
	})
	register(a, operation{
		id: "remove-group-member", method: http.MethodDelete, path: "/groups/{slug}/members/{user}", tag: tagGroups,
		permission: manage.WriteGroups, summary: "Take a person out of a group", status: http.StatusNoContent,
	}, func(ctx context.Context, by manage.Caller, in *memberIn) (*none, error) {
		return done(a.Groups.RemoveMember(ctx, by, in.Slug, in.User))
	})
}

// groupRoles are the operations on the roles that everybody in a group holds.
func (a *API) groupRoles() {
	type roleIn struct {
		GroupSlug
		Role string `path:"role" maxLength:"100" doc:"Percent-encoded where it holds a slash."`
	}
	register(a, operation{
		id: "grant-group-role", method: http.MethodPut, path: "/groups/{slug}/roles/{role}", tag: tagGroups,
		permission: manage.WriteGroups, status: http.StatusNoContent,
		summary: "See to it that everybody in a group holds a role",
	}, func(ctx context.Context, by manage.Caller, in *roleIn) (*none, error) {
		return done(a.Groups.GrantRole(ctx, by, in.Slug, in.Role))
	})
	register(a, operation{
		id: "revoke-group-role", method: http.MethodDelete, path: "/groups/{slug}/roles/{role}", tag: tagGroups,
		permission: manage.WriteGroups, summary: "Take a role from a group", status: http.StatusNoContent,
	}, func(ctx context.Context, by manage.Caller, in *roleIn) (*none, error) {
		return done(a.Groups.RevokeRole(ctx, by, in.Slug, in.Role))
	})
}
