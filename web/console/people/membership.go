package people

import (
	"errors"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/administrators"
	"github.com/wicket-id/wicket/identity/groups"
	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/web/console/shell"
	"github.com/wicket-id/wicket/web/frame"
)

// Memberships are the groups and roles on the page of a person.
type Memberships struct{ Person }

// Join puts a person into a group.
func (h Memberships) Join() shell.Handler {
	return h.act("member-added", func(v *frame.Visit, by manage.Caller, id uuid.UUID) error {
		return h.Groups.AddMember(v.Context(), by, v.Form.Get("group"), id)
	})
}

// Leave takes them out of one.
func (h Memberships) Leave() shell.Handler {
	return h.act("member-removed", func(v *frame.Visit, by manage.Caller, id uuid.UUID) error {
		err := h.Groups.RemoveMember(v.Context(), by, v.Form.Get("group"), id)
		if errors.Is(err, groups.ErrNotMember) {
			return nil
		}
		return shell.Gone(err)
	})
}

// GrantRole gives a person a role of which apps are told.
func (h Memberships) GrantRole() shell.Handler {
	return h.act("role-granted", func(v *frame.Visit, by manage.Caller, id uuid.UUID) error {
		return h.People.GrantRole(v.Context(), by, id, v.Form.Get("role"))
	})
}

// RevokeRole takes it back.
func (h Memberships) RevokeRole() shell.Handler {
	return h.act("role-revoked", func(v *frame.Visit, by manage.Caller, id uuid.UUID) error {
		err := h.People.RevokeRole(v.Context(), by, id, v.Form.Get("role"))
		if errors.Is(err, identity.ErrRoleNotHeld) {
			return nil
		}
		return err
	})
}

// GrantAdmin makes a person an administrator.
func (h Memberships) GrantAdmin() shell.Handler {
	return h.act("admin-granted", func(v *frame.Visit, by manage.Caller, id uuid.UUID) error {
		return h.Manage.Grant(v.Context(), by, administrators.Person(id), v.Form.Get("role"), nil)
	})
}

// RevokeAdmin takes that back.
func (h Memberships) RevokeAdmin() shell.Handler {
	return h.act("admin-revoked", func(v *frame.Visit, by manage.Caller, id uuid.UUID) error {
		return h.Manage.Revoke(v.Context(), by, administrators.Person(id), v.Form.Get("role"))
	})
}
