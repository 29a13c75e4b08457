package groups

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect"

	"github.com/wicket-id/wicket/identity/declared"
	"github.com/wicket-id/wicket/identity/refusal"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

// Group is a group of people.
type Group struct {
	bun.BaseModel `bun:"table:groups,alias:group"`

	ID         uuid.UUID `bun:"id,pk,type:uuid"`
	Slug       string    `bun:"slug"` // what apps, commands and rules know it as; it never changes
	Name       string    `bun:"name"` // what people read
	Source     string    `bun:"source"`
	DeclaredBy string    `bun:"declared_by"` // see package declared
	CreatedAt  time.Time `bun:"created_at"`
	CreatedBy  string    `bun:"created_by"`
	ModifiedAt time.Time `bun:"modified_at"`
	ModifiedBy string    `bun:"modified_by"`
}

// What can be wrong with a group.
var (
	ErrSlugInvalid = refusal.New("group.slug", "the slug of a group has 1 to 100 lower-case letters, digits or . _ : - "+
		"and begins with a letter or a digit")
	ErrNameInvalid = refusal.New("group.name", "the name of a group is one line of text, of at most 200 characters")
	ErrGroupExists = errors.New("there is a group with this slug already")
)

var slugForm = regexp.MustCompile(`^[a-z0-9][a-z0-9._:-]{0,99}$`)

// CheckSlug returns ErrSlugInvalid for what cannot be the slug of a group.
func CheckSlug(slug string) error {
	if !slugForm.MatchString(slug) {
		return ErrSlugInvalid
	}
	return nil
}

const maxName = 200 // characters

func checkName(name string) error {
	unseen := func(r rune) bool { return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) }
	if !utf8.ValidString(name) || utf8.RuneCountInString(name) > maxName || strings.ContainsFunc(name, unseen) {
		return ErrNameInvalid
	}
	return nil
}

// newGroup is a group that who acts makes, with its slug for a name where none is given; or what is wrong with it.
func newGroup(ctx context.Context, slug, name, source string, now time.Time) (*Group, error) {
	if name = strings.TrimSpace(name); name == "" {
		name = slug
	}
	if err := errors.Join(CheckSlug(slug), checkName(name)); err != nil {
		return nil, err
	}
	actor := audit.ActorOf(ctx).Name
	return &Group{
		ID: storage.NewID(), Slug: slug, Name: name, Source: source, CreatedAt: now, CreatedBy: actor, ModifiedAt: now,
		ModifiedBy: actor,
	}, nil
}

// Create makes a group without members. It returns ErrSlugInvalid, ErrNameInvalid or ErrGroupExists.
func (s Store) Create(ctx context.Context, slug, name string) (*Group, error) {
	now := s.Now()
	group, err := newGroup(ctx, slug, name, SourceHere, now)
	if err != nil {
		return nil, err
	}
	err = s.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.NewInsert().Model(group).Returning("NULL").Exec(ctx); err != nil {
			return err
		}
		return recordCreated(ctx, tx, now, group)
	})
	if storage.Violates(err, "slug") {
		return nil, ErrGroupExists
	} else if err != nil {
		return nil, fmt.Errorf("create group: %w", err)
	}
	return group, nil
}

func recordCreated(ctx context.Context, tx bun.Tx, now time.Time, group *Group) error {
	return audit.Record(ctx, tx, now, audit.Change{
		Entity: "group", EntityID: group.ID.String(), Action: "created",
		New: audit.Values{"slug": group.Slug, "name": group.Name, "source": group.Source},
	})
}

// Ensure makes those of the groups that do not exist, as part of tx, for a source that names them. It returns
// ErrSlugInvalid.
func Ensure(ctx context.Context, tx bun.Tx, now time.Time, slugs []string, source string) error {
	for _, slug := range slugs {
		group, err := newGroup(ctx, slug, "", source, now)
		if err != nil {
			return fmt.Errorf("group %q: %w", slug, err)
		}
		insert := tx.NewInsert().Model(group).On("CONFLICT (slug) DO NOTHING").Returning("NULL")
		if err := storage.OneRow(insert.Exec(ctx)); errors.Is(err, storage.ErrNotFound) {
			continue
		} else if err != nil {
			return err
		}
		if err := recordCreated(ctx, tx, now, group); err != nil {
			return err
		}
	}
	return nil
}

// Rename changes what people read, where check, if it is not nil, has nothing against it, whose error it returns
// otherwise. It returns ErrNameInvalid, storage.ErrNotFound or declared.ErrDeclared.
func (s Store) Rename(ctx context.Context, slug, name string, check func(*Group) error) (*Group, error) {
	name = strings.TrimSpace(name)
	if err := checkName(name); err != nil || name == "" {
		return nil, ErrNameInvalid
	}
	now := s.Now()
	group, err := storage.Write(ctx, s.Database, func(ctx context.Context, tx bun.Tx) (*Group, error) {
		before, err := find(ctx, tx, slug)
		if err == nil && check != nil {
			err = check(before)
		}
		if err == nil {
			err = declared.Check(before.DeclaredBy)
		}
		if err != nil || before.Name == name {
			return before, err
		}
		group := new(Group)
		err = tx.NewUpdate().Model(group).
			Set("name = ?", name).
			Set("modified_at = ?", now).Set("modified_by = ?", audit.ActorOf(ctx).Name).
			Where("id = ?", before.ID).Returning("*").Scan(ctx)
		if err != nil {
			return nil, storage.NotFound(err)
		}
		return group, audit.Record(ctx, tx, now, audit.Change{
			Entity: "group", EntityID: group.ID.String(), Action: "changed",
			Old: audit.Values{"name": before.Name}, New: audit.Values{"name": name},
		})
	})
	if err != nil {
		return nil, fmt.Errorf("rename group: %w", err)
	}
	return group, nil
}

// Delete removes a group. Its people are in it no more, hold its roles no more, and may use no app by it; an app that
// lists no other is for nobody then. It returns storage.ErrNotFound, or declared.ErrDeclared, also where the group is
// for an app that a file declares: without the group that file could not be applied any more.
func (s Store) Delete(ctx context.Context, slug string) error {
	now := s.Now()
	err := storage.WriteMuch(ctx, s.Database, func(ctx context.Context, tx bun.Tx) error {
		group, err := find(ctx, tx, slug)
		if err == nil {
			err = declared.Check(group.DeclaredBy)
		}
		if err == nil {
			err = freeOfDeclaredApps(ctx, tx, group, "")
		}
		if err != nil {
			return err
		}
		return remove(ctx, tx, now, group)
	})
	if err != nil {
		return fmt.Errorf("delete group: %w", err)
	}
	return nil
}

// freeOfDeclaredApps returns a declared.ErrDeclared where a group is for an app that another file than the source
// declares, and keeps it from becoming so until the commit.
func freeOfDeclaredApps(ctx context.Context, tx bun.Tx, group *Group, source string) error {
	if tx.Dialect().Name() == dialect.PG {
		if err := tx.NewSelect().Model(group).WherePK().For("UPDATE").Scan(ctx); err != nil {
			return storage.NotFound(err)
		}
	}
	var sources []string
	err := tx.NewSelect().Table("client_access").Join("JOIN clients ON clients.id = client_access.client_id").
		ColumnExpr("clients.declared_by").
		Where("client_access.group_id = ? AND clients.declared_by NOT IN ('', ?)", group.ID, source).
		OrderExpr("clients.id").Limit(1).Scan(ctx, &sources)
	if err != nil || len(sources) == 0 {
		return err
	}
	return declared.Check(sources[0])
}

func remove(ctx context.Context, tx bun.Tx, now time.Time, group *Group) error {
	if _, err := endMemberships(ctx, tx, now, func(q *bun.UpdateQuery) *bun.UpdateQuery {
		return q.Where("group_id = ?", group.ID)
	}); err != nil {
		return err
	}
	if err := storage.OneRow(tx.NewDelete().Model(group).WherePK().Exec(ctx)); err != nil {
		return err
	}
	return audit.Record(ctx, tx, now, audit.Change{
		Entity: "group", EntityID: group.ID.String(), Action: "deleted",
		Old: audit.Values{"slug": group.Slug, "name": group.Name, "source": group.Source},
	})
}

// Find returns the group with that slug, or storage.ErrNotFound.
func (s Store) Find(ctx context.Context, slug string) (*Group, error) {
	group, err := find(ctx, s.Database.Reader(), slug)
	if err != nil {
		return nil, fmt.Errorf("group: %w", err)
	}
	return group, nil
}

// List lists groups in the order of their slugs, beginning after one; "": at the first. limit is how many at the most.
func (s Store) List(ctx context.Context, after string, limit int) ([]Listed, error) {
	var listed []Listed
	err := s.Database.Reader().NewSelect().Model(&listed).
		ColumnExpr(`"group".*`).
		ColumnExpr(`(
			SELECT COUNT(DISTINCT user_id) FROM group_members WHERE group_id = "group".id AND is_active
		) AS members`).
		Where(`"group".slug > ?`, after).
		Order("group.slug").Limit(int64(limit)).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("groups: %w", err)
	}
	return listed, nil
}

// Listed is a group with how many people are in it.
type Listed struct {
	Group `bun:",extend"`

	Members int64 `bun:"members"`
}

func find(ctx context.Context, db bun.IDB, slug string) (*Group, error) {
	group := new(Group)
	if err := db.NewSelect().Model(group).Where("slug = ?", slug).Scan(ctx); err != nil {
		return nil, storage.NotFound(err)
	}
	return group, nil
}
