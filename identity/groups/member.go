package groups

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

// Membership is that somebody is in a group, as one source says. It can end and begin again; the history stays.
type Membership struct {
	bun.BaseModel `bun:"table:group_members,alias:member"`

	ID       uuid.UUID  `bun:"id,pk,type:uuid"`
	GroupID  uuid.UUID  `bun:"group_id,type:uuid"`
	UserID   uuid.UUID  `bun:"user_id,type:uuid"`
	Source   string     `bun:"source"`
	Since    time.Time  `bun:"since"`
	AddedBy  string     `bun:"added_by"`
	IsActive bool       `bun:"is_active"`
	EndedAt  *time.Time `bun:"ended_at"`
	EndedBy  string     `bun:"ended_by,nullzero"`

	Group *Group `bun:"rel:belongs-to,join:group_id=id"`
}

// What can be wrong with a membership.
var (
	ErrMember    = errors.New("this person is in the group already")
	ErrNotMember = errors.New("this person is not in the group")
)

// Add puts a person into a group, as an operator. It returns storage.ErrNotFound where there is no such group or
// person, or ErrMember where an operator has put them in before. Whoever a provider has put in can be put in here as
// well, and stays then whatever the provider says.
func (s Store) Add(ctx context.Context, slug string, userID uuid.UUID) error {
	now := s.Now()
	err := s.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		group, err := find(ctx, tx, slug)
		if err != nil {
			return err
		}
		added, err := addMember(ctx, tx, now, group, userID, SourceHere)
		if err == nil && !added {
			err = ErrMember
		}
		return err
	})
	if err != nil && !errors.Is(err, ErrMember) {
		return fmt.Errorf("add to group: %w", err)
	}
	return err
}

// addMember puts a person into a group, and tells whether that source has not done so before. Of several at once one
// does.
func addMember(
	ctx context.Context, tx bun.Tx, now time.Time, group *Group, userID uuid.UUID, source string,
) (bool, error) {
	actor := audit.ActorOf(ctx).Name
	var id uuid.UUID
	// From the tables, for SQLite does not say which foreign key is missing.
	err := tx.NewRaw(`INSERT INTO group_members (id, group_id, user_id, source, since, added_by, is_active)
		SELECT ?, g.id, users.id, ?, ?, ?, ? FROM groups AS g, users WHERE g.id = ? AND users.id = ?
		ON CONFLICT (group_id, user_id, source) WHERE is_active DO NOTHING RETURNING id`,
		storage.NewID(), source, now, actor, true, group.ID, userID).Scan(ctx, &id)
	if errors.Is(storage.NotFound(err), storage.ErrNotFound) {
		there, err := tx.NewSelect().TableExpr("groups AS g, users").
			Where("g.id = ? AND users.id = ?", group.ID, userID).Exists(ctx)
		if err == nil && !there {
			err = storage.ErrNotFound
		}
		return false, err
	} else if err != nil {
		return false, err
	}
	return true, audit.Record(ctx, tx, now, audit.Change{
		Entity: "group_member", EntityID: id.String(), Action: "added", UserID: userID,
		New: audit.Values{"group": group.Slug, "source": source},
	})
}

// Remove takes a person out of a group at once, whoever has put them in. A provider puts them in again at the next
// sign-in by it, as long as it says so. It returns storage.ErrNotFound where there is no such group, or ErrNotMember.
func (s Store) Remove(ctx context.Context, slug string, userID uuid.UUID) error {
	now := s.Now()
	err := s.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		group, err := find(ctx, tx, slug)
		if err != nil {
			return err
		}
		ended, err := endMemberships(ctx, tx, now, func(q *bun.UpdateQuery) *bun.UpdateQuery {
			return q.Where("group_id = ? AND user_id = ?", group.ID, userID)
		})
		if err == nil && ended == 0 {
			err = ErrNotMember
		}
		return err
	})
	if err != nil && !errors.Is(err, ErrNotMember) {
		return fmt.Errorf("remove from group: %w", err)
	}
	return err
}

// endMemberships ends the memberships that which selects, each with a line in the audit trail, and returns how many.
func endMemberships(
	ctx context.Context, tx bun.Tx, now time.Time, which func(*bun.UpdateQuery) *bun.UpdateQuery,
) (int, error) {
	var ended []struct {
		ID     uuid.UUID `bun:"id,type:uuid"`
		UserID uuid.UUID `bun:"user_id,type:uuid"`
		Source string    `bun:"source"`
		Slug   string    `bun:"slug"`
	}
	query := tx.NewUpdate().Model((*Membership)(nil)).
		Set("is_active = ?", false).
		Set("ended_at = ?", now).
		Set("ended_by = ?", audit.ActorOf(ctx).Name).
		Where("is_active").
		Returning("id, user_id, source, (SELECT slug FROM groups WHERE groups.id = group_id) AS slug")
	if err := which(query).Scan(ctx, &ended); err != nil && storage.NotFound(err) != storage.ErrNotFound {
		return 0, err
	}
	changes := make([]audit.Change, len(ended))
	for i, membership := range ended {
		changes[i] = audit.Change{
			Entity: "group_member", EntityID: membership.ID.String(), Action: "removed", UserID: membership.UserID,
			Old: audit.Values{"group": membership.Slug, "source": membership.Source},
		}
	}
	return len(ended), audit.RecordAll(ctx, tx, now, changes)
}

// Sync makes a person's memberships by a source what that source says of them now, as part of tx: they are in the
// groups that it names, of which those that are missing are made, and by it in no others. What other sources say stays.
// It returns ErrSlugInvalid.
func Sync(ctx context.Context, tx bun.Tx, now time.Time, userID uuid.UUID, source string, slugs []string) error {
	var held []Membership
	if err := tx.NewSelect().Model(&held).
		Relation("Group").
		Where("member.user_id = ? AND member.source = ? AND member.is_active", userID, source).Scan(ctx); err != nil {
		return err
	}
	missing := make(map[string]bool, len(slugs))
	for _, slug := range slugs {
		missing[slug] = true
	}
	var over []uuid.UUID
	for _, membership := range held {
		if !missing[membership.Group.Slug] {
			over = append(over, membership.ID)
		}
		delete(missing, membership.Group.Slug)
	}
	if len(over) > 0 {
		if _, err := endMemberships(ctx, tx, now, func(q *bun.UpdateQuery) *bun.UpdateQuery {
			return q.Where("id IN (?)", bun.List(over))
		}); err != nil {
			return err
		}
	}
	for _, slug := range slugs {
		if !missing[slug] {
			continue
		}
		delete(missing, slug)
		if err := Ensure(ctx, tx, now, []string{slug}, source); err != nil {
			return err
		}
		group, err := find(ctx, tx, slug)
		if err != nil {
			return err
		}
		if _, err := addMember(ctx, tx, now, group, userID, source); err != nil {
			return err
		}
	}
	return nil
}

// Member is somebody who is in a group.
type Member struct {
	UserID   uuid.UUID `bun:"user_id,type:uuid"`
	Username string    `bun:"username"`
	Since    time.Time `bun:"since"`
	Sources  []string  `bun:"sources,type:jsonb"` // who says so, in order
}

// Members lists the people in a group in the order of their ids, beginning after one; uuid.Nil: at the first. limit is
// how many at the most. It returns storage.ErrNotFound.
func (s Store) Members(ctx context.Context, slug string, after uuid.UUID, limit int) ([]Member, error) {
	group, err := s.Find(ctx, slug)
	if err != nil {
		return nil, err
	}
	list := "json_group_array(member.source)"
	if s.Database.Kind == storage.Postgres {
		list = "jsonb_agg(member.source ORDER BY member.source)"
	}
	members := []Member{}
	err = s.Database.Reader().NewSelect().Model((*Membership)(nil)).
		ColumnExpr("member.user_id, MIN(users.username) AS username, MIN(member.since) AS since").
		ColumnExpr(list+" AS sources").
		Join("JOIN users ON users.id = member.user_id").
		Where("member.group_id = ? AND member.is_active AND member.user_id > ?", group.ID, after).
		Group("member.user_id").Order("member.user_id").Limit(int64(limit)).Scan(ctx, &members)
	if err != nil {
		return nil, fmt.Errorf("members: %w", err)
	}
	return members, nil
}

// Of lists the memberships of a person, with their groups and in the order of these: those that stand, or with history
// all that there ever were in groups that there still are.
func (s Store) Of(ctx context.Context, userID uuid.UUID, history bool) ([]Membership, error) {
	var memberships []Membership
	query := s.Database.Reader().NewSelect().Model(&memberships).
		Relation("Group").
		Where("member.user_id = ?", userID).
		Order("group.slug", "member.since")
	if !history {
		query.Where("member.is_active")
	}
	if err := query.Scan(ctx); err != nil {
		return nil, fmt.Errorf("memberships: %w", err)
	}
	return memberships, nil
}
