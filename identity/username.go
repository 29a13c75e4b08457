package identity

import (
	"context"
	"strings"

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
