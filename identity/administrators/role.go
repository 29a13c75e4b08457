package administrators

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity/refusal"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

// Role is an administrative role of one holder. It can be revoked and granted again; the history stays.
type Role struct {
	bun.BaseModel `bun:"table:admin_roles,alias:role"`

	ID uuid.UUID `bun:"id,pk,type:uuid"`
	Holder
	Name      string     `bun:"role"` // see Names
	GrantedAt time.Time  `bun:"granted_at"`
	GrantedBy string     `bun:"granted_by"`
	EndsAt    *time.Time `bun:"ends_at"` // nil: until it is revoked
	RevokedAt *time.Time `bun:"revoked_at"`
	RevokedBy string     `bun:"revoked_by,nullzero"`
}

// Holder is who holds a role. One of the three is set.
type Holder struct {
	UserID   uuid.NullUUID `bun:"user_id,type:uuid"`
	ClientID string        `bun:"client_id,nullzero"`
	APIKeyID uuid.NullUUID `bun:"api_key_id,type:uuid"`
}

// Person is a person as a holder.
func Person(id uuid.UUID) Holder { return Holder{UserID: uuid.NullUUID{UUID: id, Valid: true}} }

// Client is an app that acts by itself (client_credentials) as a holder.
func Client(id string) Holder { return Holder{ClientID: id} }

// Key is an API key as a holder.
func Key(id uuid.UUID) Holder { return Holder{APIKeyID: uuid.NullUUID{UUID: id, Valid: true}} }

// Actor is the name of the holder in the audit trail.
func (h Holder) Actor() string {
	switch {
	case h.UserID.Valid:
		return "user:" + h.UserID.UUID.String()
	case h.APIKeyID.Valid:
		return "api-key:" + h.APIKeyID.UUID.String()
	default:
		return "client:" + h.ClientID
	}
}

// where selects the rows of the holder.
func (h Holder) where(q bun.QueryBuilder) bun.QueryBuilder {
	switch {
	case h.UserID.Valid:
		return q.Where("user_id = ?", h.UserID.UUID)
	case h.APIKeyID.Valid:
		return q.Where("api_key_id = ?", h.APIKeyID.UUID)
	default:
		return q.Where("client_id = ?", h.ClientID)
	}
}

// row selects the holder themself.
func (h Holder) row(tx bun.Tx) *bun.SelectQuery {
	switch {
	case h.UserID.Valid:
		return tx.NewSelect().Table("users").Where("id = ?", h.UserID.UUID)
	case h.APIKeyID.Valid:
		return tx.NewSelect().Table("api_keys").Where("id = ? AND revoked_at IS NULL", h.APIKeyID.UUID)
	default:
		return tx.NewSelect().Table("clients").Where("id = ?", h.ClientID)
	}
}

// The administrative roles, the mightiest first.
const (
	Owner         = "owner"
	Administrator = "administrator"
	UserManager   = "user-manager"
	AppManager    = "app-manager"
	Support       = "support"
	Auditor       = "auditor"
)

// Names are the administrative roles that there are.
var Names = []string{Owner, Administrator, UserManager, AppManager, Support, Auditor}

// What can be wrong with an administrative role.
var (
	ErrUnknown = refusal.NewWith("admin_role.unknown", "an administrative role is one of "+strings.Join(Names, ", "),
		refusal.Params{"Roles": strings.Join(Names, ", ")})
	ErrHeld      = refusal.New("admin_role.held", "this administrative role is held already")
	ErrNotHeld   = refusal.New("admin_role.not_held", "this administrative role is not held")
	ErrEnds      = refusal.New("admin_role.ends", "an administrative role must end in the future, or not at all")
	ErrOutlasts  = refusal.New("admin_role.outlasts", "what you give must end before what you have yourself")
	ErrLastOwner = refusal.New("admin_role.last_owner", "this is the last owner; make somebody else an owner first")
)

// Store keeps administrative roles.
type Store struct {
	Database *storage.Database
	Now      func() time.Time // UTC, to the microsecond
}

// Check returns ErrUnknown where there is no such role.
func Check(name string) error {
	if !slices.Contains(Names, name) {
		return ErrUnknown
	}
	return nil
}

// Grant gives a role, for good or until ends. Links by which the holder's password can be chosen are void then. It
// returns ErrUnknown, ErrEnds, ErrHeld, or storage.ErrNotFound where the holder does not exist.
func (s *Store) Grant(ctx context.Context, holder Holder, name string, ends *time.Time) (*Role, error) {
	now := s.Now()
	if err := Check(name); err != nil {
		return nil, err
	}
	if ends != nil && !ends.After(now) {
		return nil, ErrEnds
	}
	role, err := storage.Write(ctx, s.Database, func(ctx context.Context, tx bun.Tx) (*Role, error) {
		// One that has lapsed makes room.
		if _, err := revoke(ctx, tx, now, holder, name, "ends_at <= ?", now); err != nil {
			return nil, err
		}
		if exists, err := holder.row(tx).Exists(ctx); err != nil {
			return nil, err
		} else if !exists {
			return nil, storage.ErrNotFound
		}
		if err := voidResetLinks(ctx, tx, now, holder); err != nil {
			return nil, err
		}
		role := &Role{Holder: holder, Name: name, GrantedBy: audit.ActorOf(ctx).Name, EndsAt: ends}
		return role, Insert(ctx, tx, now, role)
	})
	switch {
	case storage.Violates(err, "admin_roles"):
		return nil, ErrHeld
	case err != nil:
		return nil, fmt.Errorf("grant administrative role: %w", err)
	}
	return role, nil
}

// voidResetLinks ends the links by which a person's password can be chosen: who made one for them before they held the
// role may be less mighty than they are now.
func voidResetLinks(ctx context.Context, tx bun.Tx, now time.Time, holder Holder) error {
	if !holder.UserID.Valid {
		return nil
	}
	_, err := tx.NewUpdate().Table("password_reset_tokens").Set("used_at = ?", now).
		Where("user_id = ? AND used_at IS NULL", holder.UserID.UUID).Exec(ctx)
	return err
}

// Insert writes a role that a holder gets, as part of tx: Holder, Name, GrantedBy and EndsAt are taken.
func Insert(ctx context.Context, tx bun.Tx, now time.Time, role *Role) error {
	role.ID, role.GrantedAt = storage.NewID(), now
	if _, err := tx.NewInsert().Model(role).Returning("NULL").Exec(ctx); err != nil {
		return err
	}
	values := audit.Values{"role": role.Name, "holder": role.Holder.Actor()}
	if role.EndsAt != nil {
		values["ends_at"] = *role.EndsAt
	}
	return audit.Record(ctx, tx, now, audit.Change{
		Entity: "admin_role", EntityID: role.ID.String(), Action: "granted", UserID: role.UserID.UUID, New: values,
	})
}

// Revoke takes a role back: with the commit the holder cannot use it any more. It returns ErrNotHeld, or ErrLastOwner.
func (s *Store) Revoke(ctx context.Context, holder Holder, name string) error {
	now := s.Now()
	err := s.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		if name == Owner {
			if err := s.AnotherOwner(ctx, tx, holder); err != nil {
				return err
			}
		}
		revoked, err := revoke(ctx, tx, now, holder, name, "TRUE")
		if err == nil && revoked == 0 {
			err = ErrNotHeld
		}
		return err
	})
	if err != nil && !errors.Is(err, ErrNotHeld) && !errors.Is(err, ErrLastOwner) {
		return fmt.Errorf("revoke administrative role: %w", err)
	}
	return err
}

// revoke takes back the role of a holder that a condition selects and returns how many there were, which is one or
// none.
func revoke(
	ctx context.Context, tx bun.Tx, now time.Time, holder Holder, name, condition string, args ...any,
) (int, error) {
	var revoked []Role
	query := tx.NewUpdate().Model(&revoked).Set("revoked_at = ?", now).Set("revoked_by = ?", audit.ActorOf(ctx).Name).
		Where("role = ? AND revoked_at IS NULL", name).Where(condition, args...).
		ApplyQueryBuilder(holder.where).Returning("id")
	if err := query.Scan(ctx); err != nil && storage.NotFound(err) != storage.ErrNotFound {
		return 0, err
	}
	for _, role := range revoked {
		err := audit.Record(ctx, tx, now, audit.Change{
			Entity: "admin_role", EntityID: role.ID.String(), Action: "revoked", UserID: holder.UserID.UUID,
			Old: audit.Values{"role": name, "holder": holder.Actor()},
		})
		if err != nil {
			return 0, err
		}
	}
	return len(revoked), nil
}

// AnotherOwner returns ErrLastOwner where holder is an owner and, but for them, no person who can sign in owns this
// server for good. Until the end of tx nobody else is told that there is another one.
func (s *Store) AnotherOwner(ctx context.Context, tx bun.Tx, holder Holder) error {
	if err := s.Database.Lock(ctx, tx, "owners"); err != nil {
		return err
	}
	var owners []uuid.UUID
	err := tx.NewSelect().Model((*Role)(nil)).Column("user_id").
		Join(`JOIN users AS "user" ON "user".id = role.user_id`).
		Where(
			`role = ? AND revoked_at IS NULL AND ends_at IS NULL AND "user".is_active AND "user".erase_at IS NULL`,
			Owner,
		).
		Limit(2).Scan(ctx, &owners)
	if err != nil {
		return err
	}
	if len(owners) == 1 && holder.UserID.Valid && owners[0] == holder.UserID.UUID {
		return ErrLastOwner
	}
	return nil
}

// AnyOwner tells whether a person owns this server.
func (s *Store) AnyOwner(ctx context.Context) (bool, error) {
	owned, err := s.Database.Reader().NewSelect().Model((*Role)(nil)).Apply(s.inForce).
		Where("role = ? AND user_id IS NOT NULL", Owner).Exists(ctx)
	if err != nil {
		return false, fmt.Errorf("owners: %w", err)
	}
	return owned, nil
}

// Held returns the roles that a holder holds now, by name, and when the first of them ends; nil: none does.
func (s *Store) Held(ctx context.Context, holder Holder) (names []string, ends *time.Time, err error) {
	var held []Role
	err = s.Database.Reader().NewSelect().Model(&held).Column("role", "ends_at").Apply(s.inForce).
		ApplyQueryBuilder(holder.where).Order("role").Scan(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("administrative roles: %w", err)
	}
	for _, role := range held {
		names = append(names, role.Name)
		if role.EndsAt != nil && (ends == nil || role.EndsAt.Before(*ends)) {
			ends = role.EndsAt
		}
	}
	return names, ends, nil
}

// inForce selects roles that are held now.
func (s *Store) inForce(q *bun.SelectQuery) *bun.SelectQuery {
	return q.Where("role.revoked_at IS NULL AND (role.ends_at IS NULL OR role.ends_at > ?)", s.Now())
}

// Granted is a role with what people know its holder by.
type Granted struct {
	Role `bun:",extend"`

	Username   string `bun:"username"`
	ClientName string `bun:"client_name"`
	KeyName    string `bun:"key_name"`
}

// List lists the roles that are held now, the mightiest first. There are few.
func (s *Store) List(ctx context.Context) ([]Granted, error) {
	var granted []Granted
	err := s.Database.Reader().NewSelect().Model(&granted).ColumnExpr("role.*").
		ColumnExpr(`COALESCE("user".username, '') AS username, COALESCE(client.name, '') AS client_name`).
		ColumnExpr(`COALESCE(api_key.name, '') AS key_name`).
		Join(`LEFT JOIN users AS "user" ON "user".id = role.user_id`).
		Join(`LEFT JOIN clients AS client ON client.id = role.client_id`).
		Join(`LEFT JOIN api_keys AS api_key ON api_key.id = role.api_key_id`).
		Where("role.api_key_id IS NULL OR api_key.revoked_at IS NULL AND api_key.expires_at > ?", s.Now()).
		Apply(s.inForce).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("administrative roles: %w", err)
	}
	slices.SortStableFunc(granted, func(a, b Granted) int {
		if order := slices.Index(Names, a.Name) - slices.Index(Names, b.Name); order != 0 {
			return order
		}
		return a.GrantedAt.Compare(b.GrantedAt)
	})
	return granted, nil
}
