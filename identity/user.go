package identity

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity/identifier"
	"github.com/wicket-id/wicket/identity/password"
	"github.com/wicket-id/wicket/identity/profile"
	"github.com/wicket-id/wicket/identity/refusal"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

// User is what authentication needs to know of a person, and nothing else.
type User struct {
	bun.BaseModel `bun:"table:users,alias:user"`

	ID                  uuid.UUID  `bun:"id,pk,type:uuid"`
	Username            string     `bun:"username"`
	UsernameKey         string     `bun:"username_key"`           // Username as it is compared
	PasswordHash        string     `bun:"password_hash,nullzero"` // PHC string; empty: no password
	PasswordChangedAt   *time.Time `bun:"password_changed_at"`
	IsActive            bool       `bun:"is_active"`
	SessionVersion      int64      `bun:"session_version"` // sessions and tokens of another version are void
	FailedLoginAttempts int64      `bun:"failed_login_attempts"`
	LockedUntil         *time.Time `bun:"locked_until"`
	LastLoginAt         *time.Time `bun:"last_login_at"`
	LastLoginIP         string     `bun:"last_login_ip,nullzero"`
	TwoFactor           bool       `bun:"two_factor"`   // a second step is asked for at sign-in
	HasWebAuthn         bool       `bun:"has_webauthn"` // a passkey or a hardware key is registered
	EraseAt             *time.Time `bun:"erase_at"`     // asked to be erased; until then signing in undoes it
	CreatedAt           time.Time  `bun:"created_at"`
	CreatedBy           string     `bun:"created_by"`
	ModifiedAt          time.Time  `bun:"modified_at"`
	ModifiedBy          string     `bun:"modified_by"`
}

// NewUser is a person to be registered. Email, Password and Name may be empty.
type NewUser struct {
	Username      string
	Email         string
	EmailVerified bool
	Password      string
	Name          string
	Roles         []string
}

// ErrNameInvalid says what is wrong with a full name.
var ErrNameInvalid = refusal.New("name.invalid", "a full name is one line of text, at most 200 characters")

// IsLocked tells whether wrong passwords have locked the account at that time.
func (u *User) IsLocked(at time.Time) bool {
	return u.LockedUntil != nil && at.Before(*u.LockedUntil)
}

// Actor is the person's name in the audit trail, where they do something themself.
func (u *User) Actor() string { return "user:" + u.ID.String() }

// Create registers a person with a profile and, where one is given, a primary e-mail address. It returns
// the faults of NewUsernameKey, ErrUsernameTaken, ErrEmailInvalid, ErrEmailTaken (somebody else has verified the
// address) or password.ErrWeak.
func (s Users) Create(ctx context.Context, person NewUser) (*User, error) {
	key, err := identifier.NewUsernameKey(person.Username)
	if err != nil {
		return nil, err
	}
	if _, err := profile.OneLine(profile.MaxName)(person.Name); err != nil {
		return nil, ErrNameInvalid
	}
	var hash string
	if person.Password != "" {
		if err := password.Check(person.Password); err != nil {
			return nil, err
		}
		if hash, err = s.Hasher.Hash(ctx, person.Password); err != nil {
			return nil, err
		}
	}
	now, actor := s.Now(), audit.ActorOf(ctx).Name
	user := &User{
		ID: storage.NewID(), Username: person.Username, UsernameKey: key, PasswordHash: hash, IsActive: true,
		SessionVersion: 1,
		CreatedAt:      now, CreatedBy: actor, ModifiedAt: now, ModifiedBy: actor,
	}
	if hash != "" {
		user.PasswordChangedAt = &now
	}
	var email *Email
	if person.Email != "" {
		if email, err = NewEmail(user.ID, person.Email, person.EmailVerified, now); err != nil {
			return nil, err
		}
		email.IsPrimary = true
	}
	roles := make([]*Role, len(person.Roles))
	for i, name := range person.Roles {
		if roles[i], err = newRole(ctx, user.ID, name, now); err != nil {
			return nil, err
		}
	}
	err = s.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		if err := InsertUser(ctx, tx, now, user, person.Name, email); err != nil {
			return err
		}
		for _, role := range roles {
			if err := GrantRole(ctx, tx, role); err != nil {
				return err
			}
		}
		return nil
	})
	switch {
	case errors.Is(err, ErrUsernameTaken):
		return nil, ErrUsernameTaken
	case storage.Violates(err, "address"):
		return nil, ErrEmailTaken
	case storage.Violates(err, "role"):
		return nil, ErrRoleHeld
	case err != nil:
		return nil, fmt.Errorf("create user: %w", err)
	}
	return user, nil
}

// InsertUser writes a new person with their profile and e-mail address (nil: none) and records it. It returns
// ErrUsernameTaken, and then has written nothing.
func InsertUser(ctx context.Context, tx bun.Tx, now time.Time, user *User, name string, email *Email) error {
	if err := InsertAccount(ctx, tx, user); err != nil {
		return err
	}
	told := &profile.Profile{UserID: user.ID, Name: name, CreatedAt: now, ModifiedAt: now}
	if _, err := tx.NewInsert().Model(told).Exec(ctx); err != nil {
		return err
	}
	values := audit.Values{"username": user.Username, "has_password": user.PasswordHash != ""}
	if email != nil {
		if _, err := tx.NewInsert().Model(email).Exec(ctx); err != nil {
			return err
		}
		values["email"], values["email_verified"] = email.Address, email.VerifiedAt != nil
	}
	return audit.Record(ctx, tx, now, audit.Change{
		Entity: "user", EntityID: user.ID.String(), Action: "created", UserID: user.ID, New: values,
	})
}

// InsertAccount writes the row of a new person and nothing else. It returns ErrUsernameTaken, and then has written
// nothing.
func InsertAccount(ctx context.Context, tx bun.Tx, user *User) error {
	// A violation would put the whole statement, and so the password hash, into PostgreSQL's own log.
	err := storage.OneRow(tx.NewInsert().Model(user).On("CONFLICT (username_key) DO NOTHING").Returning("NULL").Exec(ctx))
	if errors.Is(err, storage.ErrNotFound) {
		return ErrUsernameTaken
	}
	return err
}

// Demand is what must hold for a change, asked in its transaction before anything is written there. Its error is that
// of the change.
type Demand func(ctx context.Context, tx bun.Tx) error

// SetActive switches an account on or off. Off, every session and token of that person is void at once: each use of
// one asks for the account.
func (s Users) SetActive(ctx context.Context, id uuid.UUID, active bool, demands ...Demand) error {
	return s.Update(ctx, id, UserChange{Active: &active}, demands...)
}

// Unlock forgets the wrong passwords that locked an account.
func (s Users) Unlock(ctx context.Context, id uuid.UUID) error {
	now := s.Now()
	err := s.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		return changeUser(ctx, tx, now, id, "unlocked", nil, func(q *bun.UpdateQuery) *bun.UpdateQuery {
			return q.Set("failed_login_attempts = 0").Set("locked_until = NULL")
		})
	})
	if err != nil {
		return fmt.Errorf("unlock user %s: %w", id, err)
	}
	return nil
}

// UserChange is what may be changed of a person. What is nil stays.
type UserChange struct {
	Username *string // the one of before is free for others then
	Name     *string // the full name
	Active   *bool   // off: every session and token of the person is void at once
}

// Update changes a person, in one transaction. It returns the faults of NewUsernameKey, ErrUsernameTaken,
// ErrNameInvalid, storage.ErrNotFound, or the error of a demand.
func (s Users) Update(ctx context.Context, id uuid.UUID, change UserChange, demands ...Demand) (err error) {
	var key, name string
	if change.Username != nil {
		if key, err = identifier.NewUsernameKey(*change.Username); err != nil {
			return err
		}
	}
	if change.Name != nil {
		if name, err = profile.OneLine(profile.MaxName)(*change.Name); err != nil {
			return ErrNameInvalid
		}
		change.Name = &name
	}
	now := s.Now()
	err = s.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		for _, demand := range demands {
			if err := demand(ctx, tx); err != nil {
				return err
			}
		}
		if change.Username != nil || change.Name != nil {
			if err := s.rename(ctx, tx, now, id, change, key); err != nil {
				return err
			}
		}
		if change.Active != nil {
			return s.setActive(ctx, tx, now, id, *change.Active)
		}
		return nil
	})
	if storage.Violates(err, "username_key") {
		return ErrUsernameTaken
	}
	if err != nil {
		return fmt.Errorf("change user %s: %w", id, err)
	}
	return nil
}

// rename changes what a person is called; key is the username as it is compared.
func (s Users) rename(
	ctx context.Context, tx bun.Tx, now time.Time, id uuid.UUID, change UserChange, key string,
) error {
	values := audit.Values{}
	if change.Username != nil {
		values["username"] = *change.Username
	}
	err := changeUser(ctx, tx, now, id, "changed", values, func(q *bun.UpdateQuery) *bun.UpdateQuery {
		if change.Username != nil {
			q.Set("username = ?", *change.Username).Set("username_key = ?", key)
		}
		return q
	})
	if err != nil || change.Name == nil {
		return err
	}
	return s.Profiles().Change(ctx, tx, now, id, func(before *profile.Profile) profile.Profile {
		told := *before
		told.Name = *change.Name
		return told
	})
}

func (s Users) setActive(ctx context.Context, tx bun.Tx, now time.Time, id uuid.UUID, active bool) error {
	action := "disabled"
	if active {
		action = "enabled"
	}
	values := audit.Values{"is_active": active}
	err := changeUser(ctx, tx, now, id, action, values, func(q *bun.UpdateQuery) *bun.UpdateQuery {
		return q.Set("is_active = ?", active)
	})
	if err != nil || active {
		return err
	}
	_, err = s.Sessions().RaiseVersion(ctx, tx, now, id, EndedByDisabling) // or they would be good again with the account
	return err
}

// changeUser changes a row and records it.
func changeUser(
	ctx context.Context, tx bun.Tx, now time.Time, id uuid.UUID, action string, values audit.Values,
	set func(*bun.UpdateQuery) *bun.UpdateQuery,
) error {
	err := storage.OneRow(set(tx.NewUpdate().Model((*User)(nil))).
		Set("modified_by = ?", audit.ActorOf(ctx).Name).Where("id = ?", id).Exec(ctx))
	if err != nil {
		return err
	}
	return audit.Record(ctx, tx, now, audit.Change{
		Entity: "user", EntityID: id.String(), Action: action, UserID: id, New: values,
	})
}

// AmbiguousError says that a reference names several people.
type AmbiguousError struct{ People []User }

func (e *AmbiguousError) Error() string {
	people := make([]string, len(e.People))
	for i, user := range e.People {
		people[i] = fmt.Sprintf("%s (%s)", user.Username, user.ID)
	}
	return "it names several people: " + strings.Join(people, ", ") + "; give the id"
}

// Unwrap is storage.ErrNotFound: who signs in is told nothing else.
func (e *AmbiguousError) Unwrap() error { return storage.ErrNotFound }

// Find returns the person that reference names: an id, or else a username, a verified e-mail address or a verified
// phone number. It returns storage.ErrNotFound, or an *AmbiguousError where the username is one's and the number
// another's.
func (s Users) Find(ctx context.Context, reference string) (*User, error) {
	if id, err := uuid.Parse(reference); err == nil {
		if user, err := s.ByID(ctx, id); !errors.Is(err, storage.ErrNotFound) {
			return user, err
		}
	}
	return s.ByLogin(ctx, reference)
}

// ByID returns the person with that id, or storage.ErrNotFound.
func (s Users) ByID(ctx context.Context, id uuid.UUID) (*User, error) {
	user := new(User)
	err := s.Database.Reader().NewSelect().Model(user).Where("id = ?", id).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("user %s: %w", id, storage.NotFound(err))
	}
	return user, nil
}

// List lists people by the time of their registration: at most limit of them, after the one with the id after
// (uuid.Nil: from the first).
func (s Users) List(ctx context.Context, after uuid.UUID, limit int) ([]User, error) {
	var users []User
	// Ids are UUIDv7: their order is the order of registration.
	err := s.Database.Reader().NewSelect().Model(&users).Where("id > ?", after).Order("id").Limit(int64(limit)).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("list users: %w", err)
	}
	return users, nil
}

// ByLogin finds a person by what was typed to sign in: a username, or an e-mail address or phone number that is
// verified. It is one query for all of them, so that its time tells nothing. It returns storage.ErrNotFound; also, as
// an
// *AmbiguousError, where the username is one person's and the number another's: that fits nobody.
func (s Users) ByLogin(ctx context.Context, login string) (*User, error) {
	login = strings.TrimSpace(login)
	var users []User
	query := s.Database.Reader().NewSelect().Model(&users).Limit(2)
	if strings.ContainsRune(login, '@') {
		key, err := identifier.EmailKey(login)
		if err != nil {
			return nil, fmt.Errorf("user: %w", storage.ErrNotFound)
		}
		query.Where("id = (SELECT user_id FROM emails WHERE address_key = ? AND verified_at IS NOT NULL)", key)
	} else {
		key, err := identifier.UsernameKey(login)
		number, noNumber := identifier.PhoneNumber(login)
		switch {
		case noNumber == nil: // then the key may be empty, which is nobody's
			query.Where(
				"username_key = ? OR id = (SELECT user_id FROM phones WHERE number = ? AND verified_at IS NOT NULL)", key, number,
			)
		case err == nil:
			query.Where("username_key = ?", key)
		default:
			return nil, fmt.Errorf("user: %w", storage.ErrNotFound)
		}
	}
	if err := query.Scan(ctx); err != nil {
		return nil, fmt.Errorf("user: %w", err)
	}
	switch len(users) {
	case 0:
		return nil, fmt.Errorf("user: %w", storage.ErrNotFound)
	case 1:
		return &users[0], nil
	}
	return nil, &AmbiguousError{users}
}
