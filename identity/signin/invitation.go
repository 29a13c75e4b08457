package signin

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/administrators"
	"github.com/wicket-id/wicket/identity/groups"
	"github.com/wicket-id/wicket/identity/identifier"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

// Invitation lets one person make an account, also where strangers may not. It is a link that works once.
type Invitation struct {
	bun.BaseModel `bun:"table:invitations,alias:invitation"`

	ID         uuid.UUID     `bun:"id,pk,type:uuid"`
	SecretHash []byte        `bun:"secret_hash"`
	Email      string        `bun:"email,nullzero"`      // whom it was mailed to; empty: whoever made it hands it on
	Roles      []string      `bun:"roles,type:jsonb"`    // what the newcomer will hold
	AdminRole  string        `bun:"admin_role,nullzero"` // and the administrative role, if any
	IsFirst    bool          `bun:"is_first"`            // it works only while nobody is registered
	ExpiresAt  time.Time     `bun:"expires_at"`
	UsedAt     *time.Time    `bun:"used_at"`
	UsedBy     uuid.NullUUID `bun:"used_by,type:uuid"`
	CreatedAt  time.Time     `bun:"created_at"`
	CreatedBy  string        `bun:"created_by"`
}

// RoleAdministrator is the role by which apps know who was first here, and so owns this Wicket.
const RoleAdministrator = "admin"

const (
	firstInvitationLifetime  = 24 * time.Hour
	chosenInvitationLifetime = 7 * 24 * time.Hour // from the last start on
)

// What can be wrong with an invitation of the first person whose secret the operator chose.
var (
	ErrInvitationSecret = errors.New(
		"the secret of an invitation has 32 to 200 letters, digits or marks out of . _ ~ -, chosen at random",
	)
	ErrInvitationUsed = errors.New("an account was made by this invitation and is gone; choose another secret")
)

var invitationSecret = regexp.MustCompile(`^[A-Za-z0-9._~-]{32,200}$`) // as it stands in a link

// NewInvitation is an invitation to be made.
type NewInvitation struct {
	Email     string   // whom the link is mailed to, and whose address is verified then; empty: nobody
	Roles     []string // that the newcomer will hold
	AdminRole string   // the administrative role that they will hold; empty: none
	Lifetime  time.Duration
}

// Create makes an invitation and returns the secret of its link. It returns ErrEmailInvalid, ErrRoleInvalid or
// administrators.ErrUnknown.
func (s Invitations) Create(ctx context.Context, new NewInvitation) (*Invitation, string, error) {
	email := strings.TrimSpace(new.Email)
	if email != "" {
		if _, err := identifier.EmailKey(email); err != nil {
			return nil, "", err
		}
	}
	for _, role := range new.Roles {
		if !groups.RoleName.MatchString(role) {
			return nil, "", fmt.Errorf("%q: %w", role, groups.ErrRoleInvalid)
		}
	}
	if new.AdminRole != "" {
		if err := administrators.Check(new.AdminRole); err != nil {
			return nil, "", err
		}
	}
	return s.create(ctx, &Invitation{
		Email: email, Roles: append([]string{}, new.Roles...), AdminRole: new.AdminRole, ExpiresAt: s.Now().Add(new.Lifetime),
	})
}

// reached tells whether the invitation was mailed to that address: then whoever holds it can read what is sent there.
func (i *Invitation) reached(address string) bool {
	if i == nil || i.Email == "" {
		return false
	}
	mailed, mailedErr := identifier.EmailKey(i.Email)
	key, err := identifier.EmailKey(address)
	return mailedErr == nil && err == nil && mailed == key
}

// CreateFirst makes the invitation of the first person, an owner, who is to have no way in but this link. It
// works for a day and only while nobody is registered; the ones before it are void. It returns an empty secret where
// somebody is registered already.
func (s Invitations) CreateFirst(ctx context.Context) (secret string, err error) {
	if people, err := s.Users().List(ctx, uuid.Nil, 1); err != nil || len(people) > 0 {
		return "", err
	}
	_, secret, err = s.create(ctx, &Invitation{
		Roles: []string{RoleAdministrator}, AdminRole: administrators.Owner, IsFirst: true,
		ExpiresAt: s.Now().Add(firstInvitationLifetime),
	})
	return secret, err
}

// CheckInvitationSecret returns ErrInvitationSecret where CreateFirstWith would.
func CheckInvitationSecret(secret string) error {
	if !invitationSecret.MatchString(secret) {
		return ErrInvitationSecret
	}
	return nil
}

// CreateFirstWith does as CreateFirst, but the link has a secret that the operator chose, and works for a week. However
// many replicas call it, and however often, there is one invitation; each call makes its week begin anew. It tells
// whether the link works now: not where somebody is registered. It returns ErrInvitationSecret or ErrInvitationUsed.
func (s Invitations) CreateFirstWith(ctx context.Context, secret string) (open bool, err error) {
	if err := CheckInvitationSecret(secret); err != nil {
		return false, err
	}
	now := s.Now()
	invitation := &Invitation{
		ID: storage.NewID(), SecretHash: storage.Digest(secret), Roles: []string{RoleAdministrator},
		AdminRole: administrators.Owner, IsFirst: true, ExpiresAt: now.Add(chosenInvitationLifetime), CreatedAt: now, CreatedBy: audit.ActorOf(ctx).Name,
	}
	open, err = storage.Write(ctx, s.Database, func(ctx context.Context, tx bun.Tx) (bool, error) {
		if err := s.Database.Lock(ctx, tx, firstInvitationLock); err != nil {
			return false, err
		}
		if registered, err := tx.NewSelect().Model((*identity.User)(nil)).Exists(ctx); err != nil || registered {
			return false, err
		}
		renewed, err := tx.NewUpdate().Model((*Invitation)(nil)).Set("expires_at = ?", invitation.ExpiresAt).
			Where("secret_hash = ? AND is_first AND used_at IS NULL", invitation.SecretHash).Exec(ctx)
		if err != nil {
			return false, err
		}
		n, err := renewed.RowsAffected()
		if err == nil && n == 0 {
			err = insertInvitation(ctx, tx, invitation)
		}
		return err == nil, err
	})
	switch {
	case storage.Violates(err, "secret_hash"):
		return false, ErrInvitationUsed
	case err != nil:
		return false, fmt.Errorf("invite the first person: %w", err)
	}
	return open, nil
}

func (s Invitations) create(ctx context.Context, invitation *Invitation) (*Invitation, string, error) {
	secret := storage.NewSecret()
	invitation.ID, invitation.SecretHash = storage.NewID(), storage.Digest(secret)
	invitation.CreatedAt, invitation.CreatedBy = s.Now(), audit.ActorOf(ctx).Name
	err := s.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		if err := insertInvitation(ctx, tx, invitation); err != nil || invitation.Email == "" {
			return err
		}
		return storage.Enqueue(ctx, s.Jobs, tx, identity.Message{
			Name: identity.MessageInvitation, Channel: "mail", To: invitation.Email,
			Secret: s.Seal.Close(identity.SealForMessages, []byte(secret)), Until: invitation.ExpiresAt,
			Values: map[string]string{"until": invitation.ExpiresAt.Format(time.RFC3339)},
		})
	})
	if err != nil {
		return nil, "", fmt.Errorf("invite: %w", err)
	}
	return invitation, secret, nil
}

// insertInvitation writes an invitation and records it. Of those for the first person it leaves no other.
func insertInvitation(ctx context.Context, tx bun.Tx, invitation *Invitation) error {
	if invitation.IsFirst {
		if _, err := tx.NewDelete().Model((*Invitation)(nil)).Where("is_first AND used_at IS NULL").Exec(ctx); err != nil {
			return err
		}
	}
	if _, err := tx.NewInsert().Model(invitation).Returning("NULL").Exec(ctx); err != nil {
		return err
	}
	return audit.Record(ctx, tx, invitation.CreatedAt, audit.Change{
		Entity: "invitation", EntityID: invitation.ID.String(), Action: "created",
		New: audit.Values{"email": invitation.Email, "roles": invitation.Roles,
			"administrative_role": invitation.AdminRole, "expires_at": invitation.ExpiresAt},
	})
}

// Open returns the invitation of a link that still works, without using it up; or ErrProof.
func (s Invitations) Open(ctx context.Context, secret string) (*Invitation, error) {
	invitation := new(Invitation)
	err := s.Database.Reader().NewSelect().Model(invitation).Where("secret_hash = ?", storage.Digest(secret)).
		Where(invitationIsOpen, s.Now()).Scan(ctx)
	if err != nil {
		return nil, noProof(err)
	}
	return invitation, stands(ctx, s.Database.Reader(), s.Now(), invitation)
}

// stands returns identity.ErrProof where an invitation makes an administrator, and who made it could not make it now.
func stands(ctx context.Context, db bun.IDB, now time.Time, invitation *Invitation) error {
	if invitation.AdminRole == "" {
		return nil
	}
	gives, err := administrators.StillGives(ctx, db, now, invitation.CreatedBy, invitation.AdminRole)
	if err == nil && !gives {
		err = identity.ErrProof
	}
	return err
}

// noProof is identity.ErrProof where there is no such row.
func noProof(err error) error {
	if errors.Is(storage.NotFound(err), storage.ErrNotFound) {
		return identity.ErrProof
	}
	return err
}

// List lists the invitations that still work, the newest first: limit at the most.
func (s Invitations) List(ctx context.Context, limit int) ([]Invitation, error) {
	var invitations []Invitation
	err := s.Database.Reader().NewSelect().Model(&invitations).Where(invitationIsOpen, s.Now()).
		OrderBy("id", bun.OrderDesc).Limit(int64(limit)).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("list invitations: %w", err)
	}
	return invitations, nil
}

// ByID returns an invitation that still works, or storage.ErrNotFound.
func (s Invitations) ByID(ctx context.Context, id uuid.UUID) (*Invitation, error) {
	invitation := new(Invitation)
	err := s.Database.Reader().NewSelect().Model(invitation).
		Where("id = ?", id).Where(invitationIsOpen, s.Now()).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("invitation: %w", storage.NotFound(err))
	}
	return invitation, nil
}

// Revoke ends an invitation that still works, or returns storage.ErrNotFound.
func (s Invitations) Revoke(ctx context.Context, id uuid.UUID) error {
	now := s.Now()
	err := s.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		err := storage.OneRow(tx.NewDelete().Model((*Invitation)(nil)).
			Where("id = ?", id).Where(invitationIsOpen, now).Exec(ctx))
		if err != nil {
			return err
		}
		return audit.Record(ctx, tx, now, audit.Change{Entity: "invitation", EntityID: id.String(), Action: "revoked"})
	})
	if err != nil {
		return fmt.Errorf("revoke invitation: %w", err)
	}
	return nil
}

// invitationIsOpen is the one definition of an invitation that works at a time.
const invitationIsOpen = "used_at IS NULL AND expires_at > ? AND (NOT is_first OR NOT EXISTS (SELECT 1 FROM users))"

const firstInvitationLock = "first invitation"

// use uses an invitation up, before the person that it makes is written: of several calls one gets it, the others
// get ErrProof. Of the first person there can be only one. One that makes an administrator works as long as who made it
// could give that role.
func (s Invitations) use(ctx context.Context, tx bun.Tx, now time.Time, secret string) (*Invitation, error) {
	// whether nobody is registered is no row's to say
	if err := s.Database.Lock(ctx, tx, firstInvitationLock); err != nil {
		return nil, err
	}
	invitation := new(Invitation)
	err := tx.NewUpdate().Model(invitation).Set("used_at = ?", now).Where("secret_hash = ?", storage.Digest(secret)).
		Where(invitationIsOpen, now).Returning("*").Scan(ctx)
	if err != nil {
		return nil, noProof(err)
	}
	return invitation, stands(ctx, tx, now, invitation)
}

// welcome gives a newcomer what the invitation that they used promises.
func welcome(ctx context.Context, tx bun.Tx, now time.Time, invitation *Invitation, user *identity.User) error {
	if _, err := tx.NewUpdate().Model(invitation).Set("used_by = ?", user.ID).WherePK().Exec(ctx); err != nil {
		return err
	}
	for _, name := range invitation.Roles {
		role := &identity.Role{
			ID: storage.NewID(), UserID: user.ID, RoleName: name, AssignedAt: now, AssignedBy: invitation.CreatedBy,
			IsActive: true,
		}
		if err := identity.GrantRole(ctx, tx, role); err != nil {
			return err
		}
	}
	if invitation.AdminRole != "" {
		err := administrators.Insert(ctx, tx, now, &administrators.Role{
			Holder: administrators.Person(user.ID), Name: invitation.AdminRole, GrantedBy: invitation.CreatedBy,
		})
		if err != nil {
			return err
		}
	}
	return audit.Record(ctx, tx, now, audit.Change{
		Entity: "invitation", EntityID: invitation.ID.String(), Action: "used", UserID: user.ID,
	})
}
