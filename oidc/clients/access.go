package clients

import (
	"context"
	"errors"
	"fmt"
	"slices"

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
