package transfer

import (
	"context"
	"fmt"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/administrators"
	"github.com/wicket-id/wicket/identity/factor"
	"github.com/wicket-id/wicket/identity/groups"
	"github.com/wicket-id/wicket/identity/picture"
	"github.com/wicket-id/wicket/identity/profile"
	"github.com/wicket-id/wicket/identity/signin"
	"github.com/wicket-id/wicket/storage/audit"
)

// Export is all that the identity store keeps on a person, secrets aside.
type Export struct {
	User       *identity.User
	Profile    *profile.Profile
	Picture    *picture.Picture // that the person has uploaded, or nil
	Emails     []identity.Email
	Phones     []identity.Phone
	Roles      []identity.Role
	Groups     []groups.Membership   // ended ones too
	GroupRoles []groups.Role         // that the person holds by their groups
	AdminRoles []administrators.Role // of this server's administration, now and before
	Factors    *factor.Factors
	Devices    []identity.KnownDevice
	Linked     []identity.ExternalAccount
	Sessions   []identity.Session // ended ones too
	Attempts   []signin.LoginAttempt
	AuditTrail []audit.Entry
}

// ExportedLines is how many lines there are of what there may be very many of: the newest.
const ExportedLines = 10_000

// Export collects all that is kept on the person who asks for it, or returns storage.ErrNotFound.
func (s *Store) Export(ctx context.Context, by *identity.Reauthenticated) (*Export, error) {
	userID := by.UserID
	var export Export
	var err error
	if export.User, err = s.Users().ByID(ctx, userID); err != nil {
		return nil, err
	}
	if export.Profile, err = s.Profiles().Of(ctx, userID); err != nil {
		return nil, err
	}
	if export.Picture, err = (picture.Store{Database: s.Database}).Of(ctx, userID); err != nil {
		return nil, err
	}
	if export.Emails, err = s.Emails().List(ctx, userID); err != nil {
		return nil, err
	}
	if export.Phones, err = s.Phones().List(ctx, userID); err != nil {
		return nil, err
	}
	if export.Roles, err = s.Roles().List(ctx, userID, true); err != nil {
		return nil, err
	}
	if export.Groups, err = s.Groups().Of(ctx, userID, true); err != nil {
		return nil, err
	}
	if export.GroupRoles, err = s.Groups().RolesOf(ctx, userID); err != nil {
		return nil, err
	}
	if err := s.Database.Reader().NewSelect().Model(&export.AdminRoles).
		Where("user_id = ?", userID).Order("granted_at").Scan(ctx); err != nil {
		return nil, fmt.Errorf("export administrative roles: %w", err)
	}
	if export.Factors, err = s.Factors.List(ctx, userID); err != nil {
		return nil, err
	}
	if err := s.Database.Reader().NewSelect().Model(&export.Devices).
		Where("user_id = ?", userID).
		Order("created_at DESC").Limit(ExportedLines).Scan(ctx); err != nil {
		return nil, fmt.Errorf("export known devices: %w", err)
	}
	if export.Linked, err = s.ExternalAccounts().List(ctx, userID); err != nil {
		return nil, err
	}
	if err := s.Database.Reader().NewSelect().Model(&export.Sessions).
		Where("user_id = ?", userID).
		Order("created_at DESC").Limit(ExportedLines).Scan(ctx); err != nil {
		return nil, fmt.Errorf("export sessions: %w", err)
	}
	if export.Attempts, err = s.SignIn.Attempts().List(ctx, userID, ExportedLines); err != nil {
		return nil, err
	}
	if export.AuditTrail, err = audit.Entries(
		ctx, s.Database, audit.Filter{UserID: userID, Limit: ExportedLines},
	); err != nil {
		return nil, err
	}
	return &export, nil
}
