package people

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/identity/factor"
	"github.com/wicket-id/wicket/manage"
)

// Factor is something that a person signs in with, besides the password.
type Factor struct {
	ID         uuid.UUID  `json:"id"`
	Kind       string     `json:"kind" enum:"passkey,hardware_key,totp"`
	Name       string     `json:"name" doc:"As the person calls it."`
	Model      string     `json:"model,omitempty"`
	BackedUp   bool       `json:"backed_up,omitempty" doc:"The passkey is kept by its provider, too."`
	ClonedAt   *time.Time `json:"clone_warning_at,omitempty" doc:"It may have been copied: its counter went back then."`
	CreatedAt  time.Time  `json:"created_at"`
	LastUsedAt *time.Time `json:"last_used_at"`
}

// Factors is all that a person signs in with.
type Factors struct {
	HasPassword     bool     `json:"has_password"`
	TwoFactor       bool     `json:"two_factor" doc:"A second step is asked for at sign-in."`
	Factors         []Factor `json:"factors"`
	BackupCodesLeft int      `json:"backup_codes_left"`
}

// FactorsOf lists what a person signs in with. It returns a *manage.ForbiddenError or storage.ErrNotFound.
func (s *Store) FactorsOf(ctx context.Context, by manage.Caller, userID uuid.UUID) (*Factors, error) {
	user, err := s.User(ctx, by, userID)
	if err != nil {
		return nil, err
	}
	held, err := s.Factors.List(ctx, userID)
	if err != nil {
		return nil, err
	}
	return &Factors{
		HasPassword: user.HasPassword, TwoFactor: user.TwoFactor, Factors: viewFactors(held), BackupCodesLeft: held.BackupCodes,
	}, nil
}

func viewFactors(held *factor.Factors) []Factor {
	views := []Factor{}
	key := func(kind string, a *factor.Authenticator) {
		views = append(views, Factor{
			ID: a.ID, Kind: kind, Name: a.Name, Model: a.Model(), BackedUp: a.IsBackedUp(), ClonedAt: a.CloneWarningAt,
			CreatedAt: a.CreatedAt, LastUsedAt: a.LastUsedAt,
		})
	}
	for i := range held.Passkeys {
		key("passkey", &held.Passkeys[i].Authenticator)
	}
	for i := range held.HardwareKeys {
		key("hardware_key", &held.HardwareKeys[i].Authenticator)
	}
	for _, app := range held.TOTPs {
		views = append(views, Factor{
			ID: app.ID, Kind: "totp", Name: app.Name, CreatedAt: app.CreatedAt, LastUsedAt: app.LastUsedAt,
		})
	}
	return views
}
