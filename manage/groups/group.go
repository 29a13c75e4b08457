// Package groups is what may be done with groups of people: make and change them, put people into them and take them
// out, and give everybody in one a role. Begin with Store.
package groups

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/administrators"
	"github.com/wicket-id/wicket/identity/groups"
	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/storage"
)

// Store is what it works with; set all of it.
type Store struct {
	*manage.Store

	Identity *identity.Store
}

// Group is a group of people.
type Group struct {
	Slug       string    `json:"slug" doc:"What apps, commands and rules know it as; it never changes."`
	Name       string    `json:"name" doc:"What people read."`
	Source     string    `json:"source" doc:"Who made it: here, declared, or provider: with its id."`
	Roles      []string  `json:"roles" doc:"The roles that everybody in it holds."`
	DeclaredBy string    `json:"declared_by,omitempty" doc:"The configuration file that declares it, by what it calls itself: it is changed there."`
	CreatedAt  time.Time `json:"created_at"`
	CreatedBy  string    `json:"created_by"`
	ModifiedAt time.Time `json:"modified_at"`
	ModifiedBy string    `json:"modified_by"`
}

// Listed is a group with how many people are in it.
type Listed struct {
	Slug    string `json:"slug"`
	Name    string `json:"name"`
	Source  string `json:"source"`
	Members int64  `json:"members"`
}

// Member is somebody who is in a group.
type Member struct {
	UserID   uuid.UUID `json:"user_id"`
	Username string    `json:"username"`
	Since    time.Time `json:"since"`
	Sources  []string  `json:"sources" doc:"Who says so: here, declared, or provider: with its id."`
}

// Settings are what may be chosen of a group.
type Settings struct {
	Name string `json:"name" minLength:"1" maxLength:"200" doc:"What people read."`
}

// List lists groups by slug, in parts. It returns a *manage.ForbiddenError or manage.ErrCursor.
func (s *Store) List(
	ctx context.Context, by manage.Caller, part manage.Part,
) (page manage.Page[Listed], err error) {
	if err := by.Demand(manage.ReadGroups); err != nil {
		return page, err
	}
	var after string
	if _, err := s.After(part, "groups", nil, &after); err != nil {
		return page, err
	}
	found, err := s.Identity.Groups().List(ctx, after, part.Size()+1)
	if err != nil {
		return page, err
	}
	listed := make([]Listed, len(found))
	for i, g := range found {
		listed[i] = Listed{g.Slug, g.Name, g.Source, g.Members}
	}
	return manage.NewPage(s.Store, part, "groups", nil, listed, func(g *Listed) any { return g.Slug })
}

// Show returns a group. It returns a *manage.ForbiddenError or storage.ErrNotFound.
func (s *Store) Show(ctx context.Context, by manage.Caller, slug string) (*Group, error) {
	if err := by.Demand(manage.ReadGroups); err != nil {
		return nil, err
	}
	group, err := s.Identity.Groups().Find(ctx, slug)
	if err != nil {
		return nil, err
	}
	return s.view(ctx, group)
}

func (s *Store) view(ctx context.Context, g *groups.Group) (*Group, error) {
	roles, err := s.Identity.Groups().Roles(ctx, g.ID)
	if err != nil {
		return nil, err
	}
	view := &Group{
		Slug: g.Slug, Name: g.Name, Source: g.Source, Roles: make([]string, len(roles)),
		DeclaredBy: g.DeclaredBy, CreatedAt: g.CreatedAt,
		CreatedBy: g.CreatedBy, ModifiedAt: g.ModifiedAt, ModifiedBy: g.ModifiedBy,
	}
	for i, role := range roles {
		view.Roles[i] = role.RoleName
	}
	return view, nil
}

// Put makes a group, where create says so, or else changes what it is called, where it is as the caller has seen
// it, by the entity tag seen; empty: however it is. It returns a *manage.ForbiddenError, manage.ErrExists,
// manage.ErrChanged, groups.ErrSlugInvalid or groups.ErrNameInvalid.
func (s *Store) Put(
	ctx context.Context, by manage.Caller, slug string, settings Settings, seen string, create bool,
) (*Group, error) {
	if err := by.Demand(manage.WriteGroups); err != nil {
		return nil, err
	}
	if create {
		group, err := s.Identity.Groups().Create(ctx, slug, settings.Name)
		if errors.Is(err, groups.ErrGroupExists) {
			return nil, manage.ErrExists
		} else if err != nil {
			return nil, err
		}
		return s.view(ctx, group)
	}
	group, err := s.Identity.Groups().Rename(ctx, slug, settings.Name, func(before *groups.Group) error {
		is, err := s.view(ctx, before)
		if err != nil {
			return err
		}
		return manage.Unchanged(seen, is)
	})
	if errors.Is(err, storage.ErrNotFound) {
		return nil, manage.ErrChanged // RFC 9110, section 13.1.1: there is none
	} else if err != nil {
		return nil, err
	}
	return s.view(ctx, group)
}

// Delete removes a group. It returns a *manage.ForbiddenError, or what groups.Store.Delete does.
func (s *Store) Delete(ctx context.Context, by manage.Caller, slug string) error {
	if err := by.Demand(manage.WriteGroups); err != nil {
		return err
	}
	return s.Identity.Groups().Delete(ctx, slug)
}

// Members lists the people in a group, in parts. It returns a *manage.ForbiddenError, storage.ErrNotFound or
// manage.ErrCursor.
func (s *Store) Members(
	ctx context.Context, by manage.Caller, slug string, part manage.Part,
) (page manage.Page[Member], err error) {
	if err := by.Demand(manage.ReadGroups); err != nil {
		return page, err
	}
	var after uuid.UUID
	if _, err := s.After(part, "members", slug, &after); err != nil {
		return page, err
	}
	found, err := s.Identity.Groups().Members(ctx, slug, after, part.Size()+1)
	if err != nil {
		return page, err
	}
	members := make([]Member, len(found))
	for i, m := range found {
		members[i] = Member(m)
	}
	return manage.NewPage(s.Store, part, "members", slug, members, func(m *Member) any { return m.UserID })
}

// AddMember sees to it that a person is in a group. It returns a *manage.ForbiddenError or storage.ErrNotFound.
func (s *Store) AddMember(ctx context.Context, by manage.Caller, slug string, userID uuid.UUID) error {
	if err := s.DemandOver(ctx, by, manage.WriteGroups, administrators.Person(userID)); err != nil {
		return err
	}
	if _, err := s.Identity.Users().ByID(ctx, userID); err != nil {
		return err
	}
	if err := s.Identity.Groups().Add(ctx, slug, userID); !errors.Is(err, groups.ErrMember) {
		return err
	}
	return nil
}

// RemoveMember takes a person out of a group. It returns a *manage.ForbiddenError, storage.ErrNotFound or
// groups.ErrNotMember.
func (s *Store) RemoveMember(ctx context.Context, by manage.Caller, slug string, userID uuid.UUID) error {
	if err := s.DemandOver(ctx, by, manage.WriteGroups, administrators.Person(userID)); err != nil {
		return err
	}
	return s.Identity.Groups().Remove(ctx, slug, userID)
}

// GrantRole sees to it that everybody in a group holds a role. It returns a *manage.ForbiddenError,
// storage.ErrNotFound or groups.ErrRoleInvalid.
func (s *Store) GrantRole(ctx context.Context, by manage.Caller, slug, role string) error {
	if err := by.Demand(manage.WriteGroups); err != nil {
		return err
	}
	if err := s.Identity.Groups().GrantRole(ctx, slug, role); !errors.Is(err, groups.ErrRoleHeld) {
		return err
	}
	return nil
}

// RevokeRole takes a role from a group. It returns a *manage.ForbiddenError, storage.ErrNotFound or
// groups.ErrRoleNotHeld.
func (s *Store) RevokeRole(ctx context.Context, by manage.Caller, slug, role string) error {
	if err := by.Demand(manage.WriteGroups); err != nil {
		return err
	}
	return s.Identity.Groups().RevokeRole(ctx, slug, role)
}

// Of lists the groups of a person by slug. It returns a *manage.ForbiddenError.
func (s *Store) Of(ctx context.Context, by manage.Caller, userID uuid.UUID) ([]Group, error) {
	if err := by.Demand(manage.ReadGroups); err != nil {
		return nil, err
	}
	memberships, err := s.Identity.Groups().Of(ctx, userID, false)
	if err != nil {
		return nil, err
	}
	var views []Group
	for _, m := range memberships { // one for each source
		if !slices.ContainsFunc(views, func(g Group) bool { return g.Slug == m.Group.Slug }) {
			views = append(views, Group{Slug: m.Group.Slug, Name: m.Group.Name, Source: m.Group.Source})
		}
	}
	return views, nil
}

// Some are the first groups of a person by slug, and how many there are.
type Some struct {
	Names []string
	Count int64
}

// OfEach returns the first groups of each of some people, few of each, by the person's id. It returns a
// *manage.ForbiddenError.
func (s *Store) OfEach(
	ctx context.Context, by manage.Caller, userIDs []uuid.UUID, few int,
) (map[uuid.UUID]Some, error) {
	if err := by.Demand(manage.ReadGroups); err != nil {
		return nil, err
	}
	each := make(map[uuid.UUID]Some, len(userIDs))
	if len(userIDs) == 0 {
		return each, nil
	}
	var rows []struct {
		UserID uuid.UUID `bun:"user_id,type:uuid"`
		Name   string    `bun:"name"`
		Total  int64     `bun:"total"`
	}
	err := s.Database.Reader().NewRaw(`WITH held AS ( -- once, though several sources say so
			SELECT DISTINCT user_id, group_id FROM group_members WHERE is_active AND user_id IN (?)
		), ordered AS (
			SELECT held.user_id, groups.slug, groups.name,
				ROW_NUMBER() OVER (PARTITION BY held.user_id ORDER BY groups.slug) AS place,
				COUNT(*) OVER (PARTITION BY held.user_id) AS total
			FROM held JOIN groups ON groups.id = held.group_id
		)
		SELECT user_id, name, total FROM ordered WHERE place <= ? ORDER BY user_id, place`, bun.List(userIDs), few).
		Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("groups of several people: %w", err)
	}
	for _, row := range rows {
		some := each[row.UserID]
		each[row.UserID] = Some{append(some.Names, row.Name), row.Total}
	}
	return each, nil
}
