package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/wicket-id/wicket/cmd/internal/printer"
	"github.com/wicket-id/wicket/cmd/internal/server"
	"github.com/wicket-id/wicket/identity"
)

// accountView is all that user show prints of a person.
type accountView struct {
	userView

	Name        string     `json:"name"`
	Emails      []string   `json:"emails"`
	Unverified  []string   `json:"unverified_emails"`
	Phones      []string   `json:"phones"`
	Roles       []string   `json:"roles"` // those of their groups, too
	Groups      []string   `json:"groups"`
	HasPassword bool       `json:"has_password"`
	TwoFactor   bool       `json:"two_factor"`
	EraseAt     *time.Time `json:"erase_at"`
	// by sector: whom its apps know the person as
	Pairwise map[string]string `json:"pairwise_subjects"`
}

type userShow struct{ named }

// Run prints what is known of the person.
func (c userShow) Run(ctx operator, s *server.Server, out printer.Printer) error {
	user, err := c.find(ctx, s)
	if err != nil {
		return err
	}
	profile, err := s.Identity.Profiles().Of(ctx, user.ID)
	emails, emailsErr := s.Identity.Emails().List(ctx, user.ID)
	phones, phonesErr := s.Identity.Phones().List(ctx, user.ID)
	roles, rolesErr := s.Identity.Roles().List(ctx, user.ID, false)
	byGroups, byGroupsErr := s.Identity.Groups().RolesOf(ctx, user.ID)
	memberships, membershipsErr := s.Identity.Groups().Of(ctx, user.ID, false)
	subjects, subjectsErr := s.Tokens.PairwiseSubjects(ctx, user.ID)
	if err := errors.Join(
		err, emailsErr, phonesErr, rolesErr, byGroupsErr, membershipsErr, subjectsErr,
	); err != nil {
		return err
	}
	view := accountView{
		userView: viewUser(user), Name: profile.Name, Emails: []string{}, Unverified: []string{}, Phones: []string{},
		Roles: []string{}, Groups: []string{}, HasPassword: user.PasswordHash != "", TwoFactor: user.TwoFactor, EraseAt: user.EraseAt,
		Pairwise: make(map[string]string),
	}
	for _, subject := range subjects {
		view.Pairwise[subject.Sector] = subject.Subject
	}
	for _, email := range emails {
		if email.VerifiedAt != nil {
			view.Emails = append(view.Emails, email.Address)
		} else {
			view.Unverified = append(view.Unverified, email.Address)
		}
	}
	for _, phone := range phones {
		if phone.VerifiedAt != nil {
			view.Phones = append(view.Phones, phone.Number)
		}
	}
	for _, role := range roles {
		view.Roles = append(view.Roles, role.RoleName)
	}
	for _, role := range byGroups {
		view.Roles = append(view.Roles, role.RoleName)
	}
	for _, membership := range memberships {
		view.Groups = append(view.Groups, membership.Group.Slug)
	}
	slices.Sort(view.Roles) // as apps are told them
	view.Roles, view.Groups = slices.Compact(view.Roles), slices.Compact(view.Groups)
	encoded, err := json.Marshal(view)
	if err != nil {
		return err
	}
	return out.Print(view, func() { out.Object(encoded) })
}

type userSearch struct {
	Text  string `arg:"" help:"A part of a username, an e-mail address or a full name."`
	Limit int    `default:"100" help:"How many to list at the most."`
}

// Validate refuses to look for nothing.
func (c userSearch) Validate() error {
	if strings.TrimSpace(c.Text) == "" {
		return errors.New("say what to look for; wicket user list lists all")
	}
	return nil
}

// Run lists those who are found.
func (c userSearch) Run(ctx operator, s *server.Server, out printer.Printer) error {
	users, err := s.People.Search(ctx, by(ctx), c.Text, c.Limit)
	if err != nil {
		return err
	}
	return printUsers(out, users)
}

type userUpdate struct {
	named
	Username *string `help:"The name to sign in with. The one before is free for others then."`
	Name     *string `help:"Their full name."`
}

// Validate refuses to change nothing.
func (c userUpdate) Validate() error {
	if c.Username == nil && c.Name == nil {
		return errors.New("name what to change")
	}
	return nil
}

// Run changes the person.
func (c userUpdate) Run(ctx operator, s *server.Server, out printer.Printer) error {
	return c.change(ctx, s, out, "is changed", func(user *identity.User) error {
		return s.Identity.Users().Update(ctx, user.ID, identity.UserChange{Username: c.Username, Name: c.Name})
	})
}

type userDelete struct {
	named
	confirmation
}

// Run deletes the person.
func (c userDelete) Run(ctx operator, s *server.Server, out printer.Printer) error {
	user, err := c.find(ctx, s)
	if err != nil {
		return err
	}
	const question = "This deletes %s (%s) with everything about them, for good."
	if err := c.confirm(false, question, user.Username, user.ID); err != nil {
		return err
	}
	if err := s.Transfer.EraseNow(ctx, user.ID); err != nil {
		return err
	}
	result := map[string]string{"id": user.ID.String(), "status": "deleted"}
	return out.Print(result, func() { out.Line("Deleted %s (%s).", user.Username, user.ID) })
}

type userSetPassword struct {
	named
	PasswordStdin bool `name:"password-stdin" required:"" help:"Read the password from the first line of standard input."`
}

// Run sets the password.
func (c userSetPassword) Run(ctx operator, s *server.Server, out printer.Printer) error {
	password, err := readPassword()
	if err != nil {
		return err
	}
	const done = "has the new password, and is signed out everywhere"
	return c.change(ctx, s, out, done, func(user *identity.User) error {
		return s.SignIns.Passwords().Set(ctx, user, password)
	})
}

// readPassword reads a password from the first line of standard input.
func readPassword() (string, error) {
	line, err := bufio.NewReader(os.Stdin).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read the password: %w", err)
	}
	if line = strings.TrimRight(line, "\r\n"); line == "" {
		return "", errors.New("standard input holds no password")
	}
	return line, nil
}

type userResetLink struct{ named }

// Run makes a link to choose another password, and prints it.
func (c userResetLink) Run(ctx operator, s *server.Server, env server.Environment, out printer.Printer) error {
	user, err := c.find(ctx, s)
	if err != nil {
		return err
	}
	if !user.IsActive {
		return fmt.Errorf("the account of %s (%s) is disabled; enable it first", user.Username, user.ID)
	}
	secret, until, err := s.SignIns.Resets().MakeLink(ctx, user.ID)
	if err != nil {
		return err
	}
	link := s.ResetLink(secret)
	warnOfIssuer(env, link)
	result := struct {
		ID        string    `json:"id"`
		Link      string    `json:"link"`
		ExpiresAt time.Time `json:"expires_at"`
	}{user.ID.String(), link, until}
	return out.Print(result, func() {
		out.Line("Whoever has this link before %s chooses the password of %s; hand it to them alone:\n%s",
			until.Format(time.RFC1123), user.Username, link)
	})
}
