package main

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/cmd/internal/exit"
	"github.com/wicket-id/wicket/cmd/internal/printer"
	"github.com/wicket-id/wicket/cmd/internal/server"
	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/storage"
)

type userCommands struct {
	Create       userCreate       `cmd:"" help:"Register a person."`
	Import       userImport       `cmd:"" help:"Take in people from another system: a file of JSON lines, see docs/import.md."`
	Invite       userInvite       `cmd:"" help:"Invite somebody to make an account, by a link that works once."`
	List         userList         `cmd:"" help:"List the registered people."`
	Show         userShow         `cmd:"" help:"Print what is known of a person."`
	Search       userSearch       `cmd:"" help:"List the people in whose username, e-mail addresses or full name there is a text. Of very many people that takes a moment: it reads all."`
	Update       userUpdate       `cmd:"" help:"Change what a person is called. What is not named stays as it is."`
	SetPassword  userSetPassword  `cmd:"" name:"set-password" help:"Set a person's password; every session and token of theirs is void at once, and they are told."`
	ResetLink    userResetLink    `cmd:"" name:"reset-link" help:"Print a link by which a person chooses another password, as if they had asked for it by mail."`
	Delete       userDelete       `cmd:"" help:"Delete a person with everything about them, for good. Asks first; without a terminal it needs --yes."`
	Disable      userDisable      `cmd:"" help:"Switch an account off; its sessions and tokens are void at once."`
	Enable       userEnable       `cmd:"" help:"Switch an account on again."`
	Unlock       userUnlock       `cmd:"" help:"Open an account that wrong passwords have locked."`
	Factors      userFactors      `cmd:"" help:"List what a person signs in with, besides the password."`
	ResetFactors userResetFactors `cmd:"" name:"reset-factors" help:"Remove every passkey, key, app and backup code of a person who has lost them all. Make sure first whom you talk to."`
	Logout       userLogout       `cmd:"" help:"Sign a person out everywhere; every session and token of theirs is void at once."`
}

type userCreate struct {
	Username      string   `required:"" help:"The name to sign in with."`
	Email         string   `help:"Their e-mail address."`
	EmailVerified bool     `name:"email-verified" help:"The address is known to be theirs; they may sign in with it."`
	Name          string   `help:"Their full name."`
	Role          []string `sep:"none" help:"A role that they hold. Repeat it for several."`
	PasswordStdin bool     `name:"password-stdin" help:"Read the password from the first line of standard input. Without it the account has no password."`
}

// Run registers the person.
func (c userCreate) Run(ctx operator, s *server.Server, out printer.Printer) error {
	person := identity.NewUser{
		Username: c.Username, Email: c.Email, EmailVerified: c.EmailVerified, Name: c.Name, Roles: c.Role,
	}
	if c.PasswordStdin {
		var err error
		if person.Password, err = readPassword(); err != nil {
			return err
		}
	}
	user, err := s.Identity.Users().Create(ctx, person)
	if err != nil {
		return err
	}
	if c.Email != "" && !c.EmailVerified {
		printer.Warn("%s is not verified: nobody can sign in by it, and no password reset is mailed there. Where you know that it "+
			"is theirs, say so with --email-verified", c.Email)
	}
	return out.Print(viewUser(user), func() { out.Line("Registered %s with the id %s.", user.Username, user.ID) })
}

// userView is a person as the commands print them.
type userView struct {
	ID             uuid.UUID  `json:"id"`
	Username       string     `json:"username"`
	IsActive       bool       `json:"is_active"`
	LockedUntil    *time.Time `json:"locked_until"`
	SessionVersion int64      `json:"session_version"`
	LastLoginAt    *time.Time `json:"last_login_at"`
	CreatedAt      time.Time  `json:"created_at"`
}

func viewUser(u *identity.User) userView {
	return userView{u.ID, u.Username, u.IsActive, u.LockedUntil, u.SessionVersion, u.LastLoginAt, u.CreatedAt}
}

type userList struct {
	After uuid.UUID `help:"Begin after the person with this id."`
	Limit int       `default:"100" help:"How many to list at the most."`
}

// Run lists people.
func (c userList) Run(ctx operator, s *server.Server, out printer.Printer) error {
	users, err := s.Identity.Users().List(ctx, c.After, c.Limit)
	if err != nil {
		return err
	}
	return printUsers(out, users)
}

// printUsers lists people.
func printUsers(out printer.Printer, users []identity.User) error {
	views, rows := make([]userView, len(users)), make([][]any, len(users))
	for i := range users {
		user := &users[i]
		views[i] = viewUser(user)
		state := "active"
		if !user.IsActive {
			state = "disabled"
		} else if user.IsLocked(identity.Clock()) {
			state = "locked"
		}
		last := "never"
		if user.LastLoginAt != nil {
			last = user.LastLoginAt.Format(time.RFC3339)
		}
		rows[i] = []any{user.ID, user.Username, state, last}
	}
	return out.Print(views, func() { out.Table([]any{"ID", "USERNAME", "STATE", "LAST SIGN-IN"}, rows) })
}

// named is the argument that names a person.
type named struct {
	User string `arg:"" help:"A username, a verified e-mail address or phone number, an id, or a pairwise subject."`
}

func (n named) find(ctx context.Context, s *server.Server) (*identity.User, error) {
	// first, for anybody may take the subject of another as their username
	if id, err := s.Tokens.PersonKnownAs(ctx, n.User); err == nil {
		return s.Identity.Users().ByID(ctx, id)
	} else if !errors.Is(err, storage.ErrNotFound) {
		return nil, err
	}
	user, err := s.Identity.Users().Find(ctx, n.User)
	if ambiguous := (*identity.AmbiguousError)(nil); errors.As(err, &ambiguous) {
		return nil, exit.Conflict("%q: %w", n.User, ambiguous)
	} else if errors.Is(err, storage.ErrNotFound) {
		return nil, exit.NotFound("nobody is registered as %q", n.User)
	}
	return user, err
}

// change does something to the person and prints them as they are then.
func (n named) change(
	ctx context.Context, s *server.Server, out printer.Printer, done string,
	do func(*identity.User) error,
) error {
	user, err := n.find(ctx, s)
	if err != nil {
		return err
	}
	if err := do(user); err != nil {
		return err
	}
	if user, err = s.Identity.Users().ByID(ctx, user.ID); err != nil {
		return err
	}
	return out.Print(viewUser(user), func() { out.Line("%s (%s) %s.", user.Username, user.ID, done) })
}

type userDisable struct{ named }

// Run switches the account off.
func (c userDisable) Run(ctx operator, s *server.Server, out printer.Printer) error {
	return c.change(ctx, s, out, "is disabled", func(user *identity.User) error {
		return s.Identity.Users().SetActive(ctx, user.ID, false)
	})
}

type userEnable struct{ named }

// Run switches the account on.
func (c userEnable) Run(ctx operator, s *server.Server, out printer.Printer) error {
	return c.change(ctx, s, out, "is enabled", func(user *identity.User) error {
		return s.Identity.Users().SetActive(ctx, user.ID, true)
	})
}

type userUnlock struct{ named }

// Run unlocks the account.
func (c userUnlock) Run(ctx operator, s *server.Server, out printer.Printer) error {
	return c.change(ctx, s, out, "is unlocked", func(user *identity.User) error {
		return s.Identity.Users().Unlock(ctx, user.ID)
	})
}

type userLogout struct{ named }

// Run signs the person out everywhere.
func (c userLogout) Run(ctx operator, s *server.Server, out printer.Printer) error {
	const done = "is signed out everywhere"
	return c.change(ctx, s, out, done, func(user *identity.User) error {
		_, err := s.Identity.Sessions().SignOutEverywhere(ctx, user.ID, identity.EndedByOperator)
		return err
	})
}
