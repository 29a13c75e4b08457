package apps

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/groups"
	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/oidc/access"
	"github.com/wicket-id/wicket/oidc/authorize"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

// Seen is what a person sees of apps, and why.
type Seen struct {
	Apps     []clients.Client // that they find on their page of apps
	MoreApps bool             // there are more than these
	// what apps may do with their account, as they are told
	Accesses []authorize.Access
	Verdicts []Verdict
	More     bool // there are more apps than there are verdicts
}

// Verdict says whether somebody may use an app, and why.
type Verdict struct {
	Client *clients.Client
	MayUse bool
	Reason string
	Groups []string // by name: those by which they may, or those of which they would have to be in one
	Shown  bool     // it is on their page of apps
}

// Reasons of verdicts.
const (
	ForEveryone = "everyone"  // it is for everybody
	ByGroup     = "group"     // they are in one of its groups
	InNoGroup   = "no_group"  // they are in none of its groups
	ForNobody   = "no_groups" // it is for the people of groups, and names none
	AppDisabled = "disabled"  // it is disabled
)

// maxVerdicts are how many apps are looked at.
const maxVerdicts = 200

// SeenBy tells what a person sees of apps, and which they may use, by the code that shows it and decides. Nothing can
// be done by it in the person's place, and no session of theirs is made; the audit trail says who has looked. It
// returns a *manage.ForbiddenError, or storage.ErrNotFound where there is no such person.
func (s *Store) SeenBy(ctx context.Context, by manage.Caller, userID uuid.UUID) (seen *Seen, err error) {
	for _, permission := range []manage.Permission{manage.ReadClients, manage.ReadUsers, manage.ReadGroups} {
		if err := by.Demand(permission); err != nil {
			return nil, err
		}
	}
	exists, err := s.Database.Reader().NewSelect().Model((*identity.User)(nil)).Where("id = ?", userID).Exists(ctx)
	if err == nil && !exists {
		err = storage.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	now := s.Now()
	err = s.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error { // first: nobody looks unseen
		return audit.Record(ctx, tx, now, audit.Change{
			Entity: "user", EntityID: userID.String(), Action: "viewed", UserID: userID,
		})
	})
	if err != nil {
		return nil, fmt.Errorf("record a view: %w", err)
	}
	seen = new(Seen)
	if seen.Apps, seen.MoreApps, err = clients.UsableBy(ctx, s.Provider, userID); err != nil {
		return nil, err
	}
	if seen.Accesses, _, err = s.Authorize.Accesses(ctx, userID); err != nil {
		return nil, err
	}
	if seen.Verdicts, seen.More, err = s.verdicts(ctx, userID); err != nil {
		return nil, fmt.Errorf("which apps somebody may use: %w", err)
	}
	for i := range seen.Verdicts {
		seen.Verdicts[i].Shown = slices.ContainsFunc(seen.Apps, func(c clients.Client) bool {
			return c.ID == seen.Verdicts[i].Client.ID
		})
	}
	return seen, nil
}

// verdicts are those about the first apps by name, and whether there are more.
func (s *Store) verdicts(ctx context.Context, userID uuid.UUID) (verdicts []Verdict, more bool, err error) {
	db := s.Database.Reader()
	var all []clients.Client
	query := db.NewSelect().Model(&all).ColumnExpr("client.*").Where("client.redirect_uris <> '[]'").
		OrderExpr("LOWER(client.name), client.id").Limit(maxVerdicts + 1)
	if err := access.Slugs(query, s.Database.Kind).Scan(ctx); err != nil {
		return nil, false, err
	}
	if more = len(all) > maxVerdicts; more {
		all = all[:maxVerdicts]
	}
	ids := make([]string, len(all))
	for i := range all {
		ids[i] = all[i].ID
	}
	var usable []string
	if len(ids) > 0 {
		err := access.Where(db.NewSelect().Model((*clients.Client)(nil)).Column("client.id"), userID).
			Where("client.id IN (?)", bun.List(ids)).Scan(ctx, &usable)
		if err != nil {
			return nil, false, err
		}
	}
	names, theirs, err := s.groupNames(ctx, userID)
	if err != nil {
		return nil, false, err
	}
	for i := range all {
		v := Verdict{Client: &all[i], MayUse: slices.Contains(usable, all[i].ID)}
		v.explain(names, theirs)
		verdicts = append(verdicts, v)
	}
	return verdicts, more, nil
}

// explain says why.
func (v *Verdict) explain(names map[string]string, theirs []string) {
	switch c := v.Client; {
	case c.IsDisabled:
		v.Reason = AppDisabled
	case c.Access == access.Everyone:
		v.Reason = ForEveryone
	case len(c.AccessGroups) == 0:
		v.Reason = ForNobody
	case v.MayUse:
		v.Reason = ByGroup
	default:
		v.Reason = InNoGroup
	}
	for _, slug := range v.Client.AccessGroups {
		if v.Reason == InNoGroup || v.Reason == ByGroup && slices.Contains(theirs, slug) {
			v.Groups = append(v.Groups, names[slug])
		}
	}
}

// groupNames are the names of the groups that apps list, by slug, and the slugs of those that a person is in.
func (s *Store) groupNames(
	ctx context.Context, userID uuid.UUID,
) (names map[string]string, theirs []string, err error) {
	var listed []struct {
		groups.Group `bun:",extend"`

		Theirs bool `bun:"theirs"`
	}
	err = s.Database.Reader().NewSelect().Model((*groups.Group)(nil)).Column("slug", "name").
		ColumnExpr(`EXISTS (SELECT 1 FROM group_members WHERE group_id = "group".id AND user_id = ? AND is_active) AS theirs`, userID).
		Where(`id IN (SELECT group_id FROM client_access)`).Scan(ctx, &listed)
	if err != nil {
		return nil, nil, err
	}
	names = make(map[string]string, len(listed))
	for _, g := range listed {
		names[g.Slug] = g.Name
		if g.Theirs {
			theirs = append(theirs, g.Slug)
		}
	}
	return names, theirs, nil
}
