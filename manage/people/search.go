package people

import (
	"context"
	"fmt"
	"strings"

	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/manage"
)

// Search returns the people in whose username, e-mail addresses or full name there is that text, in whatever case, by
// username: limit at the most. It reads the names of everybody. It returns a *manage.ForbiddenError.
func (s *Store) Search(ctx context.Context, by manage.Caller, text string, limit int) ([]identity.User, error) {
	if err := by.Demand(manage.ReadUsers); err != nil {
		return nil, err
	}
	escape := strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`)
	pattern := "%" + escape.Replace(strings.ToLower(strings.TrimSpace(text))) + "%"
	var users []identity.User
	err := s.Database.Reader().NewSelect().Model(&users).
		Where(`username_key LIKE ? ESCAPE '\'`, pattern).
		WhereOr(`id IN (SELECT user_id FROM emails WHERE address_key LIKE ? ESCAPE '\')`, pattern).
		WhereOr(`id IN (SELECT user_id FROM profiles WHERE lower(name) LIKE ? ESCAPE '\')`, pattern).
		Order("username_key", "id").Limit(int64(limit)).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("search users: %w", err)
	}
	return users, nil
}

// Usernames returns what people are called, by id; who is not there any more is left out. It returns a
// *manage.ForbiddenError.
func (s *Store) Usernames(ctx context.Context, by manage.Caller, ids []string) (map[string]string, error) {
	if err := by.Demand(manage.ReadUsers); err != nil {
		return nil, err
	}
	names := make(map[string]string, len(ids))
	if len(ids) == 0 {
		return names, nil
	}
	var users []identity.User
	err := s.Database.Reader().NewSelect().Model(&users).Column("id", "username").
		Where("id IN (?)", bun.List(ids)).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("usernames: %w", err)
	}
	for i := range users {
		names[users[i].ID.String()] = users[i].Username
	}
	return names, nil
}
