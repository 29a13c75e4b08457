package people

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/identifier"
	"github.com/wicket-id/wicket/storage"
)

// EachRefused calls report with every person whose username nobody could choose today, and with why.
func EachRefused(
	ctx context.Context, db *storage.Database, report func(user *identity.User, fault error),
) error {
	const page = 10_000
	for after := uuid.Nil; ; {
		var users []identity.User
		err := db.Reader().NewSelect().Model(&users).Column("id", "username").
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
