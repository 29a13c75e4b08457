package main

import (
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/cmd/internal/server"
	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/factor"
)

type userFactors struct{ named }

// factorView is a factor as the commands print it.
type factorView struct {
	ID         uuid.UUID  `json:"id"`
	Kind       string     `json:"kind"`
	Name       string     `json:"name"`
	Model      string     `json:"model,omitempty"`
	BackedUp   bool       `json:"backed_up,omitempty"`
	ClonedAt   *time.Time `json:"clone_warning_at,omitempty"`
	CreatedAt  time.Time  `json:"created_at"`
	LastUsedAt *time.Time `json:"last_used_at"`
}

// factorsView is all of a person's.
type factorsView struct {
	UserID          uuid.UUID    `json:"user_id"`
	Username        string       `json:"username"`
	HasPassword     bool         `json:"has_password"`
	TwoFactor       bool         `json:"two_factor"`
	Factors         []factorView `json:"factors"`
	BackupCodesLeft int          `json:"backup_codes_left"`
}

// Run lists them.
func (c userFactors) Run(ctx operator, s *server.Server, out printer) error {
	user, err := c.find(ctx, s)
	if err != nil {
		return err
	}
	factors, err := s.Factors.List(ctx, user.ID)
	if err != nil {
		return err
	}
	view := factorsView{
		UserID: user.ID, Username: user.Username, HasPassword: user.PasswordHash != "", TwoFactor: user.TwoFactor,
		Factors: viewFactors(factors), BackupCodesLeft: factors.BackupCodes,
	}
	return out.print(view, func() {
		var rows [][]any
		for _, factor := range view.Factors {
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
		out.table([]any{"ID", "KIND", "NAME", "ADDED", "LAST USED", "MODEL"}, rows)
		out.line("Password: %t. Second step at sign-in: %t. Backup codes left: %d.",
			view.HasPassword, view.TwoFactor, view.BackupCodesLeft)
	})
}

func viewFactors(factors *factor.Factors) []factorView {
	views := []factorView{}
	key := func(kind string, a *factor.Authenticator) {
		views = append(views, factorView{
			ID: a.ID, Kind: kind, Name: a.Name, Model: a.Model(), BackedUp: a.IsBackedUp(), ClonedAt: a.CloneWarningAt,
			CreatedAt: a.CreatedAt, LastUsedAt: a.LastUsedAt,
		})
	}
	for i := range factors.Passkeys {
		key("passkey", &factors.Passkeys[i].Authenticator)
	}
	for i := range factors.HardwareKeys {
		key("hardware_key", &factors.HardwareKeys[i].Authenticator)
	}
	for _, app := range factors.TOTPs {
		views = append(views, factorView{
			ID: app.ID, Kind: "totp", Name: app.Name, CreatedAt: app.CreatedAt, LastUsedAt: app.LastUsedAt,
		})
	}
	return views
}

type userResetFactors struct{ named }

// Run removes them.
func (c userResetFactors) Run(ctx operator, s *server.Server, out printer) error {
	const done = "has no second factors any more and is signed out everywhere"
	return c.change(ctx, s, out, done, func(user *identity.User) error {
		_, err := s.Factors.Reset(ctx, user)
		return err
	})
}
