// Package access says who may use which app: everybody, or the people of the groups that are listed for it. The
// database is asked, in the statement that reads what else is to be known: who is taken out of a group is out at once.
// Begin with Select.
package access

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity/groups"
	"github.com/wicket-id/wicket/storage"
)

// Who may use an app.
const (
	Everyone = "everyone"
	Listed   = "listed" // the people of its groups; with none of them, nobody
)

// Entry is a group whose people may use an app that is for those listed.
type Entry struct {
	bun.BaseModel `bun:"table:client_access,alias:entry"`

	ClientID string    `bun:"client_id,pk"`
	GroupID  uuid.UUID `bun:"group_id,pk,type:uuid"`
}

// ErrNoGroup wraps the slug of a group that there is none of.
var ErrNoGroup = errors.New("there is no such group")

// mayUse is whether a person may use the app whose row is joined under the alias client. It has a place for the column
// of the person's id. Where the row says something else than everyone, the list decides; one that is disabled is for
// nobody.
const mayUse = `(NOT client.is_disabled AND (client.access = 'everyone' OR EXISTS (
	SELECT 1 FROM client_access JOIN group_members ON group_members.group_id = client_access.group_id
	WHERE client_access.client_id = client.id AND group_members.user_id = ? AND group_members.is_active
)))`

// Select adds to a query whether somebody may use an app, as the column may_use: the one whose id is in the column
// person, and the app whose row is joined under the alias client. Where no such row is found, they may not.
func Select(query *bun.SelectQuery, person string) *bun.SelectQuery {
	return query.ColumnExpr("COALESCE("+mayUse+", FALSE) AS may_use", bun.Ident(person))
}

// Where keeps of a query for apps, under the alias client, those that a person may use.
func Where(query *bun.SelectQuery, userID uuid.UUID) *bun.SelectQuery {
	return query.Where(mayUse, userID)
}

// Slugs adds to a query for apps, under the alias client, the slugs of their groups, in order, as the column
// access_groups.
func Slugs(query *bun.SelectQuery, kind storage.Kind) *bun.SelectQuery {
	list := "json_group_array(slug ORDER BY slug)"
	if kind == storage.Postgres { // which orders text as its language does, unless told otherwise
		list = `COALESCE(jsonb_agg(slug ORDER BY slug COLLATE "C"), '[]')`
	}
	return query.ColumnExpr("(SELECT " + list + ` FROM groups
		JOIN client_access ON client_access.group_id = groups.id
		WHERE client_access.client_id = client.id) AS access_groups`)
}

// Write makes the groups whose people may use an app those with these slugs, as part of tx. It returns ErrNoGroup.
func Write(ctx context.Context, tx bun.Tx, clientID string, slugs []string) error {
	var found []groups.Group
	if len(slugs) > 0 {
		if err := tx.NewSelect().Model(&found).Where("slug IN (?)", bun.List(slugs)).Scan(ctx); err != nil {
			return err
		}
	}
	entries, ids := make([]Entry, len(found)), make([]uuid.UUID, len(found))
	for i, group := range found {
		entries[i], ids[i] = Entry{ClientID: clientID, GroupID: group.ID}, group.ID
	}
	for _, slug := range slugs {
		if !slices.ContainsFunc(found, func(group groups.Group) bool { return group.Slug == slug }) {
			return fmt.Errorf("%w: %q", ErrNoGroup, slug)
		}
	}
	remove := tx.NewDelete().Model((*Entry)(nil)).Where("client_id = ?", clientID)
	if len(ids) > 0 {
		remove.Where("group_id NOT IN (?)", bun.List(ids))
	}
	if _, err := remove.Exec(ctx); err != nil || len(entries) == 0 {
		return err
	}
	_, err := tx.NewInsert().Model(&entries).On("CONFLICT DO NOTHING").Returning("NULL").Exec(ctx)
	return err
}

// Declare is Write for what an operator declares: the groups that are missing are made, without members.
func Declare(ctx context.Context, tx bun.Tx, now time.Time, clientID string, slugs []string) error {
	if err := groups.Ensure(ctx, tx, now, slugs, groups.SourceDeclared); err != nil {
		return err
	}
	return Write(ctx, tx, clientID, slugs)
}

// Which groups of a person an app is told, besides those with a prefix.
const (
	ToldAll    = "all"
	ToldAccess = "access" // those that may use it
	toldPrefix = "prefix:"
)

// CheckTold says what is wrong with a choice of the groups that an app is told, if anything is.
func CheckTold(told string) error {
	if told == ToldAll || told == ToldAccess {
		return nil
	}
	prefix, ok := strings.CutPrefix(told, toldPrefix)
	if !ok || groups.CheckSlug(prefix) != nil {
		return errors.New("the groups that an app is told must be all, access, or prefix: with the beginning of their " +
			"slugs, such as prefix:grafana-")
	}
	return nil
}

// Told selects the slugs of the groups of a person that an app is told, as JSON and in no order: the app whose row is
// joined under the alias client. It has a place for the column of the person's id.
func Told(kind storage.Kind) string {
	list := "json_group_array(DISTINCT slug)"
	if kind == storage.Postgres {
		list = "COALESCE(jsonb_agg(DISTINCT slug), '[]')"
	}
	return "SELECT " + list + ` FROM group_members JOIN groups ON groups.id = group_members.group_id
		WHERE group_members.user_id = ? AND group_members.is_active AND (
			client.groups_told = 'all'
			OR client.groups_told LIKE 'prefix:%' AND SUBSTR(slug, 1, LENGTH(client.groups_told) - 7) = SUBSTR(client.groups_told, 8)
			OR client.groups_told = 'access' AND EXISTS (
				SELECT 1 FROM client_access WHERE client_access.client_id = client.id AND client_access.group_id = groups.id
			)
		)`
}
