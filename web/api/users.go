package api

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/manage/apps"
	"github.com/wicket-id/wicket/manage/people"
)

const tagUsers = "users"

// UserID is the part of an address that names a person.
type UserID struct {
	ID uuid.UUID `path:"id" format:"uuid"`
}

// users are the operations on people.
func (a *API) users() {
	type listIn struct {
		Part
		Query  string `query:"q" maxLength:"254" doc:"How a username, an e-mail address or a full name begins, in whatever case; or an id."`
		Status string `query:"status" enum:"active,disabled,locked,erasing"`
		Role   string `query:"role" maxLength:"100" doc:"A role that they hold."`
		Sort   string `query:"sort" enum:"-created_at,created_at,username" default:"-created_at"`
	}
	register(a, operation{
		id: "list-users", method: http.MethodGet, path: "/users", tag: tagUsers, permission: manage.ReadUsers,
		summary: "List people",
	}, func(ctx context.Context, by manage.Caller, in *listIn) (*body[manage.Page[people.User]], error) {
		filter := people.Filter{Query: in.Query, Status: in.Status, Role: in.Role, Sort: in.Sort}
		page, err := a.People.List(ctx, by, filter, in.part())
		return bodied(&page, err)
	})

	type createIn struct {
		Repeatable
		Body people.NewUser
	}
	register(a, operation{
		id: "create-user", method: http.MethodPost, path: "/users", tag: tagUsers, permission: manage.WriteUsers,
		summary: "Register a person", status: http.StatusCreated,
	}, func(ctx context.Context, by manage.Caller, in *createIn) (*made[people.User], error) {
		user, err := a.People.Create(ctx, by, in.Body)
		if err != nil {
			return nil, err
		}
		return &made[people.User]{Location: Root + "/users/" + user.ID.String(), Body: *user}, nil
	})

	register(a, operation{
		id: "get-user", method: http.MethodGet, path: "/users/{id}", tag: tagUsers, permission: manage.ReadUsers,
		summary: "Show a person",
	}, func(ctx context.Context, by manage.Caller, in *UserID) (*tagged[people.User], error) {
		return taggedUser(a.People.User(ctx, by, in.ID))
	})

	type updateIn struct {
		UserID
		IfMatch string `header:"If-Match" maxLength:"100" doc:"The entity tag of the person as they were read; left out: however they are."`
		Body    people.UserChange
	}
	register(a, operation{
		id: "update-user", method: http.MethodPatch, path: "/users/{id}", tag: tagUsers, permission: manage.WriteUsers,
		summary: "Change a person, or switch their account off and on",
	}, func(ctx context.Context, by manage.Caller, in *updateIn) (*tagged[people.User], error) {
		return taggedUser(a.People.Update(ctx, by, in.ID, tagOf(in.IfMatch), in.Body))
	})

	register(a, operation{
		id: "delete-user", method: http.MethodDelete, path: "/users/{id}", tag: tagUsers, permission: manage.EraseUsers,
		summary: "Delete a person with everything about them, for good", status: http.StatusNoContent,
	}, func(ctx context.Context, by manage.Caller, in *UserID) (*none, error) {
		return done(a.People.Erase(ctx, by, in.ID))
	})

	a.userEmails()
	a.userSessions()
	a.userRoles()
	a.userRecovery()
}

func taggedUser(user *people.User, err error) (*tagged[people.User], error) {
	if err != nil {
		return nil, err
	}
	return newTagged(*user, http.StatusOK), nil
}

// userSessions are the operations on where people are signed in, by what, and at which apps.
func (a *API) userSessions() {
	register(a, operation{
		id: "list-user-sessions", method: http.MethodGet, path: "/users/{id}/sessions", tag: tagUsers,
		permission: manage.ReadUsers, summary: "List where a person is signed in",
	}, func(ctx context.Context, by manage.Caller, in *UserID) (*list[people.Session], error) {
		return listed(a.People.Sessions(ctx, by, in.ID))
	})

	type sessionIn struct {
		UserID
		Session uuid.UUID `path:"session" format:"uuid"`
	}
	register(a, operation{
		id: "end-user-session", method: http.MethodDelete, path: "/users/{id}/sessions/{session}", tag: tagUsers,
		permission: manage.RecoverUsers, summary: "Sign a person out on one device", status: http.StatusNoContent,
	}, func(ctx context.Context, by manage.Caller, in *sessionIn) (*none, error) {
		return done(a.People.EndSession(ctx, by, in.ID, in.Session))
	})

	register(a, operation{
		id: "list-user-factors", method: http.MethodGet, path: "/users/{id}/factors", tag: tagUsers,
		permission: manage.ReadUsers, summary: "List what a person signs in with",
	}, func(ctx context.Context, by manage.Caller, in *UserID) (*body[people.Factors], error) {
		return bodied(a.People.FactorsOf(ctx, by, in.ID))
	})

	register(a, operation{
		id: "list-user-grants", method: http.MethodGet, path: "/users/{id}/grants", tag: tagUsers,
		permission: manage.ReadUsers, summary: "List what apps hold of a person",
	}, func(ctx context.Context, by manage.Caller, in *UserID) (*list[apps.Grant], error) {
		return listed(a.Apps.GrantsOf(ctx, by, in.ID))
	})

	type grantIn struct {
		UserID
		Grant uuid.UUID `path:"grant" format:"uuid"`
	}
	register(a, operation{
		id: "end-user-grant", method: http.MethodDelete, path: "/users/{id}/grants/{grant}", tag: tagUsers,
		permission: manage.RecoverUsers, summary: "Take from an app what it holds of a person", status: http.StatusNoContent,
	}, func(ctx context.Context, by manage.Caller, in *grantIn) (*none, error) {
		return done(a.Apps.EndGrant(ctx, by, in.ID, in.Grant))
	})
}

// userRoles are the operations on the roles that apps are told of.
func (a *API) userRoles() {
	type listIn struct {
		UserID
		History bool `query:"history" doc:"Also those that were taken back."`
	}
	register(a, operation{
		id: "list-user-roles", method: http.MethodGet, path: "/users/{id}/roles", tag: tagUsers,
		permission: manage.ReadUsers, summary: "List a person's roles",
	}, func(ctx context.Context, by manage.Caller, in *listIn) (*list[people.Role], error) {
		return listed(a.People.Roles(ctx, by, in.ID, in.History))
	})

	type roleIn struct {
		UserID
		Role string `path:"role" maxLength:"100" doc:"Percent-encoded where it holds a slash."`
	}
	register(a, operation{
		id: "grant-user-role", method: http.MethodPut, path: "/users/{id}/roles/{role}", tag: tagUsers,
		permission: manage.WriteUsers, summary: "See to it that a person holds a role", status: http.StatusNoContent,
	}, func(ctx context.Context, by manage.Caller, in *roleIn) (*none, error) {
		return done(a.People.GrantRole(ctx, by, in.ID, in.Role))
	})
	register(a, operation{
		id: "revoke-user-role", method: http.MethodDelete, path: "/users/{id}/roles/{role}", tag: tagUsers,
		permission: manage.WriteUsers, summary: "Take a role back", status: http.StatusNoContent,
	}, func(ctx context.Context, by manage.Caller, in *roleIn) (*none, error) {
		return done(a.People.RevokeRole(ctx, by, in.ID, in.Role))
	})
}

// userRecovery are the operations that help people who cannot sign in, or keep somebody else from it.
func (a *API) userRecovery() {
	for _, act := range []struct {
		name, summary string
		do            func(context.Context, manage.Caller, uuid.UUID) error
	}{
		{"unlock", "Open an account that wrong passwords have locked", a.People.Unlock},
		{"sign-out-everywhere", "Void every session and token of a person", a.People.SignOutEverywhere},
		{"reset-factors", "Remove every passkey, key, app and backup code of a person who has lost them all", a.People.ResetFactors},
	} {
		register(a, operation{
			id: act.name + "-user", method: http.MethodPost, path: "/users/{id}/actions/" + act.name, tag: tagUsers,
			permission: manage.RecoverUsers, summary: act.summary, status: http.StatusNoContent,
		}, func(ctx context.Context, by manage.Caller, in *struct {
			UserID
			Repeatable
		}) (*none, error) {
			return done(act.do(ctx, by, in.ID))
		})
	}

	type passwordIn struct {
		UserID
		Repeatable
		Body struct {
			Password string `json:"password" minLength:"1" maxLength:"1024"`
		}
	}
	register(a, operation{
		id: "set-user-password", method: http.MethodPost, path: "/users/{id}/actions/set-password", tag: tagUsers,
		permission: manage.RecoverUsers, status: http.StatusNoContent,
		summary: "Give a person a password; they are signed out everywhere, and told",
	}, func(ctx context.Context, by manage.Caller, in *passwordIn) (*none, error) {
		return done(a.People.SetPassword(ctx, by, in.ID, in.Body.Password))
	})

	type linkIn struct {
		UserID
		Repeatable
	}
	register(a, operation{
		id: "make-user-reset-link", method: http.MethodPost, path: "/users/{id}/actions/reset-link", tag: tagUsers,
		permission: manage.RecoverUsers, status: http.StatusCreated,
		summary: "Make a link by which a person chooses another password",
	}, func(ctx context.Context, by manage.Caller, in *linkIn) (*body[people.ResetLink], error) {
		return bodied(a.People.MakeResetLink(ctx, by, in.ID))
	})
}
