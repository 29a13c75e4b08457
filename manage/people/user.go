package people

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/administrators"
	"github.com/wicket-id/wicket/identity/refusal"
	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/storage"
)

// User is a person as administrators see them.
type User struct {
	ID             uuid.UUID  `json:"id"`
	Username       string     `json:"username"`
	Name           string     `json:"name" doc:"The full name."`
	Email          string     `json:"email,omitempty" doc:"The primary address."`
	EmailVerified  bool       `json:"email_verified"`
	IsActive       bool       `json:"is_active"`
	LockedUntil    *time.Time `json:"locked_until" doc:"Wrong passwords have locked the account until then."`
	HasPassword    bool       `json:"has_password"`
	TwoFactor      bool       `json:"two_factor" doc:"A second step is asked for at sign-in."`
	SessionVersion int64      `json:"session_version" doc:"Sessions and tokens of another version are void."`
	LastLoginAt    *time.Time `json:"last_login_at"`
	EraseAt        *time.Time `json:"erase_at" doc:"The person asked to be deleted then."`
	CreatedAt      time.Time  `json:"created_at"`
	CreatedBy      string     `json:"created_by"`
	ModifiedAt     time.Time  `json:"modified_at"`
}

// found is a row of the query that shows people.
type found struct {
	identity.User `bun:",extend"`

	Name            string     `bun:"name"`
	Email           string     `bun:"email"`
	EmailVerifiedAt *time.Time `bun:"email_verified_at"`
}

func view(f *found) User {
	return User{
		ID: f.ID, Username: f.Username, Name: f.Name, Email: f.Email, EmailVerified: f.EmailVerifiedAt != nil,
		IsActive: f.IsActive, LockedUntil: f.LockedUntil, HasPassword: f.PasswordHash != "", TwoFactor: f.TwoFactor,
		SessionVersion: f.SessionVersion, LastLoginAt: f.LastLoginAt, EraseAt: f.EraseAt, CreatedAt: f.CreatedAt,
		CreatedBy: f.CreatedBy, ModifiedAt: f.ModifiedAt,
	}
}

// Filter chooses people. What is empty does not matter.
type Filter struct {
	// how a username, an e-mail address or a full name begins, in whatever case; or an id. Of what fits very many
	// people the first are found: see foundBy
	Query  string
	Status string // see Statuses
	Role   string // that they hold and apps are told of
	Sort   string // see Sorts
}

// States of accounts, to filter by.
const (
	StatusActive   = "active"
	StatusDisabled = "disabled"
	StatusLocked   = "locked"
	StatusErasing  = "erasing"
)

// The orders of the list.
const (
	SortNewest   = "-created_at"
	SortOldest   = "created_at"
	SortUsername = "username"
)

// ErrFilter says that a filter has a value that there is none of.
var ErrFilter = refusal.New("filter.invalid", "there is no such status or order")

// List lists people, in parts. It returns a *manage.ForbiddenError, ErrFilter or manage.ErrCursor.
func (s *Store) List(
	ctx context.Context, by manage.Caller, filter Filter, part manage.Part,
) (page manage.Page[User], err error) {
	if err := by.Demand(manage.ReadUsers); err != nil {
		return page, err
	}
	var after struct {
		Username string    `json:"u,omitempty"`
		ID       uuid.UUID `json:"i"`
	}
	follows, err := s.After(part, "users", filter, &after)
	if err != nil {
		return page, err
	}
	var rows []found
	query := query(s.Database.Reader(), &rows).Limit(int64(part.Size() + 1))
	switch filter.Sort {
	case SortNewest, "":
		query.OrderBy("user.id", bun.OrderDesc) // UUIDv7: their order is that of registration
		if follows {
			query.Where(`"user".id < ?`, after.ID)
		}
	case SortOldest:
		query.Order("user.id")
		if follows {
			query.Where(`"user".id > ?`, after.ID)
		}
	case SortUsername:
		query.Order("user.username_key")
		if follows {
			query.Where(`"user".username_key > ?`, after.Username)
		}
	default:
		return page, ErrFilter
	}
	if err := s.choose(ctx, query, filter); err != nil {
		return page, err
	}
	if err := query.Scan(ctx); err != nil {
		return page, fmt.Errorf("list people: %w", err)
	}
	people := make([]User, len(rows))
	keys := make(map[uuid.UUID]string, len(rows))
	for i := range rows {
		people[i] = view(&rows[i])
		keys[rows[i].ID] = rows[i].UsernameKey
	}
	return manage.NewPage(s.Store, part, "users", filter, people, func(u *User) any {
		after.ID, after.Username = u.ID, ""
		if filter.Sort == SortUsername {
			after.Username = keys[u.ID]
		}
		return after
	})
}

// query selects people with what is shown of them.
func query(db bun.IDB, rows any) *bun.SelectQuery {
	return db.NewSelect().Model(rows).
		ColumnExpr(`"user".*`).
		ColumnExpr("COALESCE(profile.name, '') AS name").
		ColumnExpr("COALESCE(email.address, '') AS email, email.verified_at AS email_verified_at").
		Join(`LEFT JOIN profiles AS profile ON profile.user_id = "user".id`).
		Join(`LEFT JOIN emails AS email ON email.user_id = "user".id AND email.is_primary`)
}

// choose adds what a filter demands.
func (s *Store) choose(ctx context.Context, query *bun.SelectQuery, filter Filter) error {
	switch filter.Status {
	case "":
	case StatusActive:
		query.Where(`"user".is_active AND ("user".locked_until IS NULL OR "user".locked_until <= ?)`, s.Now())
	case StatusDisabled:
		query.Where(`NOT "user".is_active`)
	case StatusLocked:
		query.Where(`"user".locked_until > ?`, s.Now())
	case StatusErasing:
		query.Where(`"user".erase_at IS NOT NULL`)
	default:
		return ErrFilter
	}
	if filter.Role != "" {
		query.Where(`EXISTS (SELECT 1 FROM user_roles WHERE user_id = "user".id AND role_name = ? AND is_active)`, filter.Role)
	}
	text := strings.ToLower(strings.TrimSpace(filter.Query))
	if id, err := uuid.Parse(text); err == nil {
		query.Where(`"user".id = ?`, id)
	} else if text != "" {
		ids, err := beginningWith(ctx, s.Database, text)
		if err != nil {
			return err
		}
		query.Where(`"user".id IN (?)`, bun.List(append(ids, uuid.Nil))) // who is nobody: the list must not be empty
	}
	return nil
}

// foundBy is how many people are found at the most by one of the three texts that a query may be the beginning of: what
// almost everybody's begins with must not be sorted, and so few are looked up one by one, however many there are.
const foundBy = 300

// beginningWith are the ids of the people one of whose texts begins so, in a query of its own: joined to it, PostgreSQL
// would read everybody.
func beginningWith(ctx context.Context, db *storage.Database, text string) (ids []uuid.UUID, err error) {
	err = db.Reader().NewRaw(
		"SELECT id FROM (?) AS a UNION SELECT id FROM (?) AS b UNION SELECT id FROM (?) AS c",
		first(db, "users", "id", "username_key", text), first(db, "emails", "user_id", "address_key", text),
		first(db, "profiles", "user_id", "lower(name)", text),
	).Scan(ctx, &ids)
	if err != nil {
		return nil, fmt.Errorf("find people: %w", err)
	}
	return ids, nil
}

// first selects the people whose text in a column begins with another, the first by that column, by an index of that
// order: see migration 0051.
func first(db *storage.Database, table, id, column, text string) *bun.SelectQuery {
	const last = "\U0010FFFF"
	query := db.Reader().NewSelect().Table(table).ColumnExpr("? AS id", bun.Ident(id)).Limit(foundBy)
	if db.Kind == storage.Postgres {
		return query.Where(column+" ~>=~ ? AND "+column+" ~<~ ?", text, text+last).OrderExpr(column + " USING ~<~")
	}
	return query.Where(column+" >= ? AND "+column+" < ?", text, text+last).OrderExpr(column)
}

// User returns a person. It returns a *manage.ForbiddenError or storage.ErrNotFound.
func (s *Store) User(ctx context.Context, by manage.Caller, id uuid.UUID) (*User, error) {
	if err := by.Demand(manage.ReadUsers); err != nil {
		return nil, err
	}
	return s.user(ctx, s.Database.Reader(), id)
}

func (s *Store) user(ctx context.Context, db bun.IDB, id uuid.UUID) (*User, error) {
	row := new(found)
	if err := query(db, row).Where(`"user".id = ?`, id).Scan(ctx); err != nil {
		return nil, fmt.Errorf("user %s: %w", id, storage.NotFound(err))
	}
	user := view(row)
	return &user, nil
}

// NewUser is a person to be registered.
type NewUser struct {
	Username      string   `json:"username" maxLength:"200" doc:"The name to sign in with."`
	Name          string   `json:"name,omitempty" maxLength:"200" doc:"The full name."`
	Email         string   `json:"email,omitempty" maxLength:"254"`
	EmailVerified bool     `json:"email_verified,omitempty" doc:"The address is known to be theirs; they may sign in with it."`
	Password      string   `json:"password,omitempty" maxLength:"1024" doc:"Left out, the account has none."`
	Roles         []string `json:"roles,omitempty" maxItems:"100" doc:"Roles that apps are told of."`
}

// Create registers a person. It returns what identity.Users.Create does, or a *manage.ForbiddenError.
func (s *Store) Create(ctx context.Context, by manage.Caller, person NewUser) (*User, error) {
	if err := by.Demand(manage.WriteUsers); err != nil {
		return nil, err
	}
	user, err := s.SignIns.Users().Create(ctx, identity.NewUser{
		Username: person.Username, Email: person.Email, EmailVerified: person.EmailVerified, Password: person.Password,
		Name: person.Name, Roles: person.Roles,
	})
	if err != nil {
		return nil, err
	}
	return s.user(ctx, s.Database.Reader(), user.ID)
}

// UserChange is what may be changed of a person. What is left out stays.
type UserChange struct {
	Username *string `json:"username,omitempty" maxLength:"200" doc:"The name to sign in with. The one before is free for others then."`
	Name     *string `json:"name,omitempty" maxLength:"200" doc:"The full name."`
	IsActive *bool   `json:"is_active,omitempty" doc:"Switched off, every session and token of the person is void at once."`
}

// Update changes a person who is as the caller has seen them, by the entity tag seen; empty: however they are. It
// returns a *manage.ForbiddenError, storage.ErrNotFound, manage.ErrChanged, administrators.ErrLastOwner, or what
// identity.Users.Update does.
func (s *Store) Update(
	ctx context.Context, by manage.Caller, id uuid.UUID, seen string, change UserChange,
) (*User, error) {
	if err := s.demandOver(ctx, by, manage.WriteUsers, id); err != nil {
		return nil, err
	}
	demands := []identity.Demand{func(ctx context.Context, tx bun.Tx) error {
		before, err := s.user(ctx, tx, id)
		if err != nil {
			return err
		}
		return manage.Unchanged(seen, before)
	}}
	if change.IsActive != nil && !*change.IsActive {
		demands = append(demands, s.anotherOwner(id))
	}
	err := s.SignIns.Users().Update(ctx, id, identity.UserChange{
		Username: change.Username, Name: change.Name, Active: change.IsActive,
	}, demands...)
	if err != nil {
		return nil, err
	}
	return s.user(ctx, s.Database.Reader(), id)
}

// anotherOwner demands that somebody else owns this server too, before a person can do so no more.
func (s *Store) anotherOwner(id uuid.UUID) identity.Demand {
	return func(ctx context.Context, tx bun.Tx) error {
		return s.Administrators.AnotherOwner(ctx, tx, administrators.Person(id))
	}
}

// Erase deletes a person with everything about them, for good. It returns a *manage.ForbiddenError, a
// *manage.StepUpError, administrators.ErrLastOwner or storage.ErrNotFound.
func (s *Store) Erase(ctx context.Context, by manage.Caller, id uuid.UUID) error {
	if err := s.demandOver(ctx, by, manage.EraseUsers, id); err != nil {
		return err
	}
	return s.Transfer.EraseNow(ctx, id, s.anotherOwner(id))
}
