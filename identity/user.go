package identity

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/uptrace/bun"
	"golang.org/x/text/secure/precis"

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
}

// What can be wrong with a new user, besides what the rules for e-mails and passwords say.
var (
	ErrUsernameInvalid = errors.New("a username has 1 to 100 letters, digits or marks such as . _ - and neither spaces nor @")
	ErrNameInvalid     = errors.New("a full name is one line of text, at most 200 characters")
	ErrUsernameTaken   = errors.New("this username is taken")
)

const maxUsername = 100

// usernameKey is the username as it is compared: the PRECIS profile UsernameCaseMapped (RFC 8265), so that neither case
// nor width nor composition makes two names out of one. A name with an @ is refused: it would read as an e-mail address.
func usernameKey(username string) (string, error) {
	key, err := precis.UsernameCaseMapped.String(username)
	if err != nil || key == "" || utf8.RuneCountInString(key) > maxUsername || strings.ContainsRune(key, '@') {
		return "", ErrUsernameInvalid
	}
	return key, nil
}

// IsLocked tells whether wrong passwords have locked the account at that time.
func (u *User) IsLocked(at time.Time) bool {
	return u.LockedUntil != nil && at.Before(*u.LockedUntil)
}

// Actor is the person's name in the ledger, where they do something themself.
func (u *User) Actor() string { return "user:" + u.ID.String() }

// CreateUser registers a person with a profile and, where one is given, a primary e-mail address. It returns
// ErrUsernameInvalid, ErrUsernameTaken, ErrEmailInvalid, ErrEmailTaken (somebody else has verified the address) or
// ErrPasswordWeak.
func (s *Store) CreateUser(ctx context.Context, person NewUser) (*User, error) {
	key, err := usernameKey(person.Username)
	if err != nil {
		return nil, err
	}
	if _, err := line(maxName)(person.Name); err != nil {
		return nil, ErrNameInvalid
	}
	var hash string
	if person.Password != "" {
		if err := checkPassword(person.Password); err != nil {
			return nil, err
		}
		if hash, err = s.Hasher.Hash(ctx, person.Password); err != nil {
			return nil, err
		}
	}
	now, actor := s.Now(), audit.ActorOf(ctx).Name
	user := &User{
		ID: newID(), Username: person.Username, UsernameKey: key, PasswordHash: hash, IsActive: true, SessionVersion: 1,
		CreatedAt: now, CreatedBy: actor, ModifiedAt: now, ModifiedBy: actor,
	}
	if hash != "" {
		user.PasswordChangedAt = &now
	}
	var email *Email
	if person.Email != "" {
		if email, err = newEmail(user.ID, person.Email, person.EmailVerified, now); err != nil {
			return nil, err
		}
		email.IsPrimary = true
	}
	err = s.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		return insertUser(ctx, tx, now, user, person.Name, email)
	})
	switch {
	case errors.Is(err, ErrUsernameTaken):
		return nil, ErrUsernameTaken
	case storage.Violates(err, "address"):
		return nil, ErrEmailTaken
	case err != nil:
		return nil, fmt.Errorf("create user: %w", err)
	}
	return user, nil
}

// insertUser writes a new person with their profile and e-mail address (nil: none) and records it. It returns
// ErrUsernameTaken, and then has written nothing.
func insertUser(ctx context.Context, tx bun.Tx, now time.Time, user *User, name string, email *Email) error {
	if err := insertAccount(ctx, tx, user); err != nil {
		return err
	}
	profile := &Profile{UserID: user.ID, Name: name, CreatedAt: now, ModifiedAt: now}
	if _, err := tx.NewInsert().Model(profile).Exec(ctx); err != nil {
		return err
	}
	values := audit.Values{"username": user.Username, "has_password": user.PasswordHash != ""}
	if email != nil {
		if _, err := tx.NewInsert().Model(email).Exec(ctx); err != nil {
			return err
		}
		values["email"], values["email_verified"] = email.Address, email.VerifiedAt != nil
	}
	return audit.Record(ctx, tx, now, audit.Change{Entity: "user", EntityID: user.ID.String(), Action: "created", UserID: user.ID, New: values})
}

// insertAccount writes the row of a new person and nothing else. It returns ErrUsernameTaken, and then has written nothing.
func insertAccount(ctx context.Context, tx bun.Tx, user *User) error {
	// A violation would put the whole statement, and so the password hash, into PostgreSQL's own log.
	err := oneRow(tx.NewInsert().Model(user).On("CONFLICT (username_key) DO NOTHING").Returning("NULL").Exec(ctx))
	if errors.Is(err, storage.ErrNotFound) {
		return ErrUsernameTaken
	}
	return err
}

// SetUserActive switches an account on or off. Off, every session and token of that person is void at once: each use of
// one asks for the account.
func (s *Store) SetUserActive(ctx context.Context, id uuid.UUID, active bool) error {
	action := "disabled"
	if active {
		action = "enabled"
	}
	return s.changeUser(ctx, id, action, audit.Values{"is_active": active}, func(q *bun.UpdateQuery) *bun.UpdateQuery {
		return q.Set("is_active = ?", active)
	})
}

// UnlockUser forgets the wrong passwords that locked an account.
func (s *Store) UnlockUser(ctx context.Context, id uuid.UUID) error {
	return s.changeUser(ctx, id, "unlocked", nil, func(q *bun.UpdateQuery) *bun.UpdateQuery {
		return q.Set("failed_login_attempts = 0").Set("locked_until = NULL")
	})
}

func (s *Store) changeUser(ctx context.Context, id uuid.UUID, action string, values audit.Values, set func(*bun.UpdateQuery) *bun.UpdateQuery) error {
	now := s.Now()
	err := s.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		result, err := set(tx.NewUpdate().Model((*User)(nil))).Set("modified_by = ?", audit.ActorOf(ctx).Name).Where("id = ?", id).Exec(ctx)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, storage.ErrNotFound)
		}
		return audit.Record(ctx, tx, now, audit.Change{Entity: "user", EntityID: id.String(), Action: action, UserID: id, New: values})
	})
	if err != nil {
		return fmt.Errorf("user %s %s: %w", id, action, err)
	}
	return nil
}

// FindUser returns the person that reference names: an id, a username, a verified e-mail address or a verified phone
// number, in this order; or storage.ErrNotFound.
func (s *Store) FindUser(ctx context.Context, reference string) (*User, error) {
	if id, err := uuid.Parse(reference); err == nil {
		if user, err := s.User(ctx, id); !errors.Is(err, storage.ErrNotFound) {
			return user, err
		}
	}
	return s.userByLogin(ctx, reference)
}

// User returns the person with that id, or storage.ErrNotFound.
func (s *Store) User(ctx context.Context, id uuid.UUID) (*User, error) {
	user := new(User)
	err := s.Database.Reader().NewSelect().Model(user).Where("id = ?", id).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("user %s: %w", id, storage.NotFound(err))
	}
	return user, nil
}

// Users lists people by the time of their registration: at most limit of them, after the one with the id after
// (uuid.Nil: from the first).
func (s *Store) Users(ctx context.Context, after uuid.UUID, limit int) ([]User, error) {
	var users []User
	// Ids are UUIDv7: their order is the order of registration.
	err := s.Database.Reader().NewSelect().Model(&users).Where("id > ?", after).Order("id").Limit(int64(limit)).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("list users: %w", err)
	}
	return users, nil
}

// userByLogin finds a person by what was typed to sign in: a username, or an e-mail address or phone number that is
// verified. A username that looks like a phone number goes before the phone. It is one query for all of them, so that its
// time tells nothing.
func (s *Store) userByLogin(ctx context.Context, login string) (*User, error) {
	login = strings.TrimSpace(login)
	query := s.Database.Reader().NewSelect().Model((*User)(nil))
	if strings.ContainsRune(login, '@') {
		key, err := emailKey(login)
		if err != nil {
			return nil, fmt.Errorf("user: %w", storage.ErrNotFound)
		}
		query.Where("id = (SELECT user_id FROM emails WHERE address_key = ? AND verified_at IS NOT NULL)", key)
	} else {
		key, err := usernameKey(login)
		number, noNumber := phoneNumber(login)
		switch {
		case noNumber == nil: // then the key may be empty, which is nobody's
			query.Where("username_key = ? OR id = (SELECT user_id FROM phones WHERE number = ? AND verified_at IS NOT NULL)", key, number).
				OrderExpr("CASE WHEN username_key = ? THEN 0 ELSE 1 END", key).Limit(1)
		case err == nil:
			query.Where("username_key = ?", key)
		default:
			return nil, fmt.Errorf("user: %w", storage.ErrNotFound)
		}
	}
	user := new(User)
	if err := query.Scan(ctx, user); err != nil {
		return nil, fmt.Errorf("user: %w", storage.NotFound(err))
	}
	return user, nil
}

// usernameTaken tells whether somebody bears a username, which is a good one.
func (s *Store) usernameTaken(ctx context.Context, username string) (bool, error) {
	key, err := usernameKey(username)
	if err != nil {
		return false, err
	}
	return s.Database.Reader().NewSelect().Model((*User)(nil)).Where("username_key = ?", key).Exists(ctx)
}

// newID returns a new id: a UUIDv7 (RFC 9562), whose order is the order of time.
func newID() uuid.UUID {
	return uuid.Must(uuid.NewV7())
}
