package configuration

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/federation"
	"github.com/wicket-id/wicket/identity/groups"
	"github.com/wicket-id/wicket/oidc/apis"
	"github.com/wicket-id/wicket/oidc/clients"
)

// Prune says what becomes of what a file has declared and does not name any more.
type Prune string

// What becomes of it. People stay in any case, and so does what was never declared by the file.
const (
	// PruneNothing leaves it as it is; whoever may changes it from then on.
	PruneNothing Prune = ""
	// PruneDisable disables apps and providers, and deletes those that it has disabled PruneAfter before; groups and
	// APIs, which cannot be disabled, it deletes.
	PruneDisable Prune = "disable"
	// PruneDelete deletes all of it.
	PruneDelete Prune = "delete"
)

// PruneAfter is how long an app or a provider that was disabled waits to be deleted, unless the file names it again.
const PruneAfter = 7 * 24 * time.Hour

// ErrPrune says that a Prune is none.
var ErrPrune = errors.New("what is to become of what a file does not name any more is: disable, or delete")

// Check returns ErrPrune.
func (p Prune) Check() error {
	if !slices.Contains([]Prune{PruneNothing, PruneDisable, PruneDelete}, p) {
		return ErrPrune
	}
	return nil
}

// leave does what is to become of what the document does not name any more.
func (c *carrying) leave(ctx context.Context, prune Prune) error {
	for _, leave := range []func(context.Context, Prune) error{
		c.leaveClients, c.leaveAPIs, c.leaveGroups, c.leaveProviders,
	} {
		if err := leave(ctx, prune); err != nil {
			return err
		}
	}
	return nil
}

// left lists the keys of the rows of a table that the file has declared and does not name any more.
func (c *carrying) left(
	ctx context.Context, table, key string, named func(key string) bool,
) (keys []string, err error) {
	err = c.tx.NewSelect().Table(table).Column(key).Where("declared_by = ?", c.document.Source).
		Order(key).Scan(ctx, &keys)
	if err != nil {
		return nil, fmt.Errorf("%s that the file has declared: %w", table, err)
	}
	return slices.DeleteFunc(keys, named), nil
}

func (c *carrying) leaveClients(ctx context.Context, prune Prune) error {
	ids, err := c.left(ctx, "clients", "id", func(id string) bool {
		return slices.ContainsFunc(c.document.Clients, func(d clients.Declaration) bool { return d.Client.ID == id })
	})
	if err != nil {
		return err
	}
	within, source := clients.Within{Store: c.Clients}, c.document.Source
	for _, id := range ids {
		var now struct {
			IsDisabled bool      `bun:"is_disabled"`
			ModifiedAt time.Time `bun:"modified_at"`
		}
		if err := c.tx.NewSelect().Table("clients").Column("is_disabled", "modified_at").Where("id = ?", id).
			Scan(ctx, &now); err != nil {
			return err
		}
		introspects := slices.ContainsFunc(c.document.APIs, func(api apis.API) bool {
			return slices.Contains(api.IntrospectionClients, id)
		})
		do := func(ctx context.Context) error { return clients.Row(id).Release(ctx, c.tx, c.now) }
		switch waited := !now.ModifiedAt.Add(PruneAfter).After(c.now); {
		case introspects:
		case prune == PruneDelete, prune == PruneDisable && now.IsDisabled && waited:
			do = func(ctx context.Context) error { return within.Delete(ctx, c.tx, c.now, id, source) }
		case now.IsDisabled:
			continue // by us, and it waits
		case prune == PruneDisable:
			do = func(ctx context.Context) error { return within.Disable(ctx, c.tx, c.now, id, source) }
		}
		allowed := func(q *bun.SelectQuery) *bun.SelectQuery {
			return q.TableExpr("consents").Where("client_id = ?", id)
		}
		if err := c.forgo(ctx, KindClient, id, allowed, do); err != nil {
			return err
		}
	}
	return nil
}

func (c *carrying) leaveAPIs(ctx context.Context, prune Prune) error {
	identifiers, err := c.left(ctx, "apis", "identifier", func(identifier string) bool {
		return slices.ContainsFunc(c.document.APIs, func(api apis.API) bool {
			return apis.SameIdentifier(api.Identifier, identifier)
		})
	})
	if err != nil {
		return err
	}
	for _, identifier := range identifiers {
		do := func(ctx context.Context) error { return apis.Row(identifier).Release(ctx, c.tx, c.now) }
		if prune != PruneNothing {
			do = func(ctx context.Context) error {
				return apis.DeleteIn(ctx, c.tx, c.now, identifier, c.document.Source)
			}
		}
		allowed := func(q *bun.SelectQuery) *bun.SelectQuery {
			return q.TableExpr("api_consents").Where("api = ?", identifier)
		}
		if err := c.forgo(ctx, KindAPI, identifier, allowed, do); err != nil {
			return err
		}
	}
	return nil
}

// leaveGroups comes last: who may use an app was written before.
func (c *carrying) leaveGroups(ctx context.Context, prune Prune) error {
	slugs, err := c.left(ctx, "groups", "slug", func(slug string) bool {
		return slices.ContainsFunc(c.document.Groups, func(d groups.Declaration) bool { return d.Slug == slug })
	})
	if err != nil {
		return err
	}
	for _, slug := range slugs {
		row, err := groups.Row(ctx, c.tx, slug)
		if err != nil {
			return err
		}
		do := func(ctx context.Context) error { return row.Release(ctx, c.tx, c.now) }
		used := slices.ContainsFunc(c.document.Clients, func(d clients.Declaration) bool {
			return slices.Contains(d.Client.AccessGroups, slug)
		})
		if prune != PruneNothing && !used {
			do = func(ctx context.Context) error {
				return groups.RemoveDeclared(ctx, c.tx, c.now, c.document.Source, slug)
			}
		}
		members := func(q *bun.SelectQuery) *bun.SelectQuery {
			return q.TableExpr("group_members").Where("group_id = (SELECT id FROM groups WHERE slug = ?) AND is_active", slug)
		}
		if err := c.forgo(ctx, KindGroup, slug, members, do); err != nil {
			return err
		}
	}
	return nil
}

func (c *carrying) leaveProviders(ctx context.Context, prune Prune) error {
	ids, err := c.left(ctx, "providers", "id", func(id string) bool {
		return slices.ContainsFunc(c.document.Providers, func(p federation.Provider) bool { return p.ID == id })
	})
	if err != nil {
		return err
	}
	within, source := federation.Within{Upstreams: c.Upstreams}, c.document.Source
	for _, id := range ids {
		now := new(federation.Provider)
		if err := c.tx.NewSelect().Model(now).Where("id = ?", id).Scan(ctx); err != nil {
			return err
		}
		do := func(ctx context.Context) error { return federation.Row(id).Release(ctx, c.tx, c.now) }
		switch waited := !now.ModifiedAt.Add(PruneAfter).After(c.now); {
		case prune == PruneDelete, prune == PruneDisable && !now.IsActive && waited:
			do = func(ctx context.Context) error { return within.Remove(ctx, c.tx, c.now, id) }
		case !now.IsActive:
			continue // by us, and it waits
		case prune == PruneDisable:
			do = func(ctx context.Context) error { return within.Disable(ctx, c.tx, c.now, id, source) }
		}
		linked := func(q *bun.SelectQuery) *bun.SelectQuery {
			return q.TableExpr("external_accounts").Where("provider = ?", id)
		}
		if err := c.forgo(ctx, KindProvider, id, linked, do); err != nil {
			return err
		}
	}
	return nil
}

// forgo does something to one thing that is named no more, and notes how many people it concerns.
func (c *carrying) forgo(
	ctx context.Context, kind, id string, people func(*bun.SelectQuery) *bun.SelectQuery,
	do func(ctx context.Context) error,
) error {
	var count int64
	if err := people(c.tx.NewSelect()).ColumnExpr("COUNT(DISTINCT user_id)").Scan(ctx, &count); err != nil {
		return err
	}
	before := len(c.changes)
	if err := c.note(ctx, kind, id, do); err != nil {
		return err
	}
	for i := range c.changes[before:] {
		if change := &c.changes[before+i]; change.Action != "released" {
			change.People = count
		}
	}
	return nil
}
