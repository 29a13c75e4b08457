package clients

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity/groups"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/access"
	"github.com/wicket-id/wicket/storage"
)

// fillInAccess chooses what was left out of who may use a client and what it is told of groups.
func fillInAccess(c *Client) {
	if c.Access == "" {
		c.Access = access.Everyone
	}
	if c.GroupsClaim == "" {
		c.GroupsClaim = oidc.GroupsClaim
	}
	if c.GroupsTold == "" {
		c.GroupsTold = access.ToldAll
	}
	c.AccessGroups = slices.Compact(slices.Sorted(slices.Values(c.AccessGroups))) // as the database lists them
	if c.AccessGroups == nil {
		c.AccessGroups = []string{}
	}
}

// checkAccess says what is wrong with who may use a client and what it is told of groups.
func checkAccess(c *Client) error {
	switch {
	case c.Access != access.Everyone && c.Access != access.Listed:
		return fmt.Errorf("access must be %s or %s", access.Everyone, access.Listed)
	case c.Access == access.Everyone && len(c.AccessGroups) > 0:
		return fmt.Errorf("groups are listed for the client, but its access is %s; make it %s", access.Everyone, access.Listed)
	case c.Access == access.Everyone && c.GroupsTold == access.ToldAccess:
		return errors.New("the client cannot be told the groups that may use it, because everyone may")
	case len(c.AccessGroups) > maxEntries:
		return fmt.Errorf("a client may list %d groups at the most", maxEntries)
	}
	for _, slug := range c.AccessGroups {
		if groups.CheckSlug(slug) != nil {
			return fmt.Errorf("%q is not the slug of a group", slug)
		}
	}
	return errors.Join(oidc.CheckGroupsClaim(c.GroupsClaim), access.CheckTold(c.GroupsTold))
}

// selectClients selects from the clients, whole.
func selectClients(db bun.IDB, kind storage.Kind, model any) *bun.SelectQuery {
	return access.Slugs(db.NewSelect().Model(model).ColumnExpr("client.*"), kind)
}

// writeAccess writes which groups may use a client, where that is something else than before; nil: it is new.
func writeAccess(ctx context.Context, tx bun.Tx, after, before *Client) error {
	if before == nil && len(after.AccessGroups) == 0 ||
		before != nil && slices.Equal(after.AccessGroups, before.AccessGroups) {
		return nil
	}
	err := access.Write(ctx, tx, after.ID, after.AccessGroups)
	if errors.Is(err, access.ErrNoGroup) {
		err = fmt.Errorf("%w: %w; make it with wicket group create", ErrClient, err)
	}
	return err
}

// maxUsable is how many apps are listed for a person at the most.
const maxUsable = 300

// UsableBy lists by name the apps that a person may open and use, and tells whether there are more than are listed.
// Those are apps with an address to open them at. What strangers have registered, and what is for everybody, is not
// among them: anybody could put something there.
func UsableBy(ctx context.Context, p *oidc.Provider, userID uuid.UUID) (list []Client, more bool, err error) {
	query := access.Where(p.Database.Reader().NewSelect().Model(&list), userID).
		Where("client.initiate_login_uri <> '' OR client.client_uri <> ''").
		Where("client.redirect_uris <> '[]'"). // people sign in to it
		Where(
			"client.access = ? OR client.origin NOT IN (?)", access.Listed, bun.List([]string{OriginOpen, OriginDocument}),
		).
		OrderExpr("LOWER(client.name), client.id").
		Limit(maxUsable + 1)
	if err := query.Scan(ctx); err != nil {
		return nil, false, fmt.Errorf("apps that a person may use: %w", err)
	}
	if len(list) > maxUsable {
		return list[:maxUsable], true, nil
	}
	return list, false, nil
}
