package main

import (
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/cmd/internal/printer"
	"github.com/wicket-id/wicket/cmd/internal/server"
	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/manage/people"
)

type userFactors struct{ named }

// factorsView is all of a person's.
type factorsView struct {
	UserID   uuid.UUID `json:"user_id"`
	Username string    `json:"username"`
	people.Factors
}

// Run lists them.
func (c userFactors) Run(ctx operator, s *server.Server, out printer.Printer) error {
	user, err := c.find(ctx, s)
	if err != nil {
		return err
	}
	factors, err := s.People.FactorsOf(ctx, by(ctx), user.ID)
	if err != nil {
		return err
	}
	view := factorsView{UserID: user.ID, Username: user.Username, Factors: *factors}
	return out.Print(view, func() {
		var rows [][]any
		for _, factor := range view.Factors.Factors {
			used := "never"
			if factor.LastUsedAt != nil {
				used = factor.LastUsedAt.Format(time.RFC3339)
			}
			note := strings.TrimSpace(factor.Model)
			if factor.ClonedAt != nil {
				note += " (may have been copied)"
			}
			rows = append(rows, []any{factor.ID, factor.Kind, factor.Name, factor.CreatedAt.Format(time.RFC3339), used, note})
		}
		out.Table([]any{"ID", "KIND", "NAME", "ADDED", "LAST USED", "MODEL"}, rows)
		out.Line("Password: %t. Second step at sign-in: %t. Backup codes left: %d.",
			view.HasPassword, view.TwoFactor, view.BackupCodesLeft)
	})
}

type userResetFactors struct{ named }

// Run removes them.
func (c userResetFactors) Run(ctx operator, s *server.Server, out printer.Printer) error {
	const done = "has no second factors any more and is signed out everywhere"
	return c.change(ctx, s, out, done, func(user *identity.User) error {
		_, err := s.Factors.Reset(ctx, user)
		return err
	})
}
