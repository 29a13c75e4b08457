package identity

import (
	"context"
	"fmt"

	"github.com/wicket-id/wicket/storage/audit"
)

// Export is all that the identity store keeps on a person, secrets aside.
type Export struct {
	User       *User
	Profile    *Profile
	Emails     []Email
	Phones     []Phone
	Roles      []Role
	Factors    *Factors
	Devices    []KnownDevice
	Linked     []ExternalAccount
	Sessions   []Session // ended ones too
	Attempts   []LoginAttempt
	AuditTrail []audit.Entry
}

const exportedLines = 10_000 // of attempts and of the audit trail, the newest

// Export collects all that is kept on the person who asks for it, or returns storage.ErrNotFound.
func (s *Store) Export(ctx context.Context, by *Reauthenticated) (*Export, error) {
	userID := by.UserID
	var export Export
	var err error
	if export.User, err = s.User(ctx, userID); err != nil {
		return nil, err
	}
	if export.Profile, err = s.Profile(ctx, userID); err != nil {
		return nil, err
	}
	if export.Emails, err = s.Emails(ctx, userID); err != nil {
		return nil, err
	}
	if export.Phones, err = s.Phones(ctx, userID); err != nil {
		return nil, err
	}
	if export.Roles, err = s.Roles(ctx, userID, true); err != nil {
		return nil, err
	}
	if export.Factors, err = s.Factors(ctx, userID); err != nil {
		return nil, err
	}
	if err := s.Database.Reader().NewSelect().Model(&export.Devices).Where("user_id = ?", userID).Order("created_at").Scan(ctx); err != nil {
		return nil, fmt.Errorf("export known devices: %w", err)
	}
	if export.Linked, err = s.ExternalAccounts(ctx, userID); err != nil {
		return nil, err
	}
	if err := s.Database.Reader().NewSelect().Model(&export.Sessions).Where("user_id = ?", userID).Order("created_at").Scan(ctx); err != nil {
		return nil, fmt.Errorf("export sessions: %w", err)
	}
	if export.Attempts, err = s.LoginAttempts(ctx, userID, exportedLines); err != nil {
		return nil, err
	}
	if export.AuditTrail, err = audit.Entries(ctx, s.Database, audit.Filter{UserID: userID, Limit: exportedLines}); err != nil {
		return nil, err
	}
	return &export, nil
}
