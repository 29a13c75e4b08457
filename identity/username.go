package identity

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/identity/identifier"
	"github.com/wicket-id/wicket/identity/refusal"
)

// ErrUsernameTaken says that somebody has the username.
var ErrUsernameTaken = refusal.New("username.taken", "this username is taken")

// Free returns a username that nobody has: what was wanted, as far as it can be one, if need be with a number.
func (s Users) Free(ctx context.Context, wanted string) (string, error) {
	wanted, _, _ = strings.Cut(strings.TrimSpace(wanted), "@")
	wanted = strings.Join(strings.Fields(wanted), ".")
	if _, err := identifier.NewUsernameKey(wanted); err != nil {
		return "", nil
	}
	for _, username := range []string{wanted, wanted + "2", wanted + "3", wanted + "4", wanted + "5"} {
		if taken, err := s.IsTaken(ctx, username); err != nil || !taken {
			return username, err
		}
	}
	return "", nil
}

// IsTaken tells whether somebody has a username, which is a good one.
func (s Users) IsTaken(ctx context.Context, username string) (bool, error) {
	key, err := identifier.UsernameKey(username)
	if err != nil {
		return false, err
	}
	return s.Database.Reader().NewSelect().Model((*User)(nil)).Where("username_key = ?", key).Exists(ctx)
}

// EachRefused calls report with every person whose username nobody could choose today, and with why.
func (s Users) EachRefused(ctx context.Context, report func(user *User, fault error)) error {
	const page = 10_000
	for after := uuid.Nil; ; {
		var users []User
		err := s.Database.Reader().NewSelect().Model(&users).Column("id", "username").
			Where("id > ?", after).Order("id").Limit(page).Scan(ctx)
		if err != nil {
			return fmt.Errorf("look for refused usernames: %w", err)
		}
		for i := range users {
			if _, err := identifier.NewUsernameKey(users[i].Username); err != nil {
				report(&users[i], err)
			}
		}
		if len(users) < page {
			return nil
		}
		after = users[len(users)-1].ID
	}
}
