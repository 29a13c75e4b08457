package manage

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity/administrators"
	"github.com/wicket-id/wicket/identity/refusal"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

// APIKey lets a program call the management API. It holds one administrative role, and may be bound to some of what
// that allows and to networks.
type APIKey struct {
	ID          uuid.UUID    `json:"id"`
	Name        string       `json:"name"`
	Role        string       `json:"role" doc:"Its administrative role."`
	Permissions []Permission `json:"permissions" doc:"What it may do of what its role allows; empty: all of it."`
	Networks    []string     `json:"networks" doc:"From where it works, in CIDR notation; empty: from anywhere."`
	Hint        string       `json:"hint" doc:"The last characters of the key."`
	Key         string       `json:"key,omitempty" doc:"Shown this once, to who makes it."`
	ExpiresAt   time.Time    `json:"expires_at"`
	LastUsedAt  *time.Time   `json:"last_used_at" doc:"To the hour."`
	CreatedAt   time.Time    `json:"created_at"`
	CreatedBy   string       `json:"created_by"`
	Works       bool         `json:"works" doc:"It is not expired, and who made it could still give its role."`
}

// NewAPIKey is a key that is to be made.
type NewAPIKey struct {
	Name        string       `json:"name" minLength:"1" maxLength:"100"`
	Role        string       `json:"role" enum:"owner,administrator,user-manager,app-manager,support,auditor"`
	Permissions []Permission `json:"permissions,omitempty" maxItems:"50" doc:"Only these of what the role allows; left out: all."`
	Networks    []string     `json:"networks,omitempty" maxItems:"50" doc:"From where it works: addresses, or networks in CIDR notation; left out: from anywhere."`
	ExpiresAt   time.Time    `json:"expires_at" doc:"Within two years."`
}

// apiKey is the row of a key.
type apiKey struct {
	bun.BaseModel `bun:"table:api_keys,alias:api_key"`

	ID          uuid.UUID     `bun:"id,pk,type:uuid"`
	Name        string        `bun:"name"`
	SecretHash  []byte        `bun:"secret_hash"`
	Hint        string        `bun:"hint"`                   // the last characters of the key
	Permissions []Permission  `bun:"permissions,type:jsonb"` // of its role's; empty: all
	Networks    []string      `bun:"networks,type:jsonb"`    // from where it works, in CIDR notation; empty: anywhere
	OwnerID     uuid.NullUUID `bun:"owner_id,type:uuid"`     // the person who made it, if a person did
	ExpiresAt   time.Time     `bun:"expires_at"`
	LastUsedAt  *time.Time    `bun:"last_used_at"` // to the hour
	RevokedAt   *time.Time    `bun:"revoked_at"`
	RevokedBy   string        `bun:"revoked_by,nullzero"`
	CreatedAt   time.Time     `bun:"created_at"`
	CreatedBy   string        `bun:"created_by"`

	Role string `bun:"role,scanonly"` // its administrative role
}

func (k *apiKey) view() APIKey {
	return APIKey{
		ID: k.ID, Name: k.Name, Role: k.Role, Permissions: k.Permissions, Networks: k.Networks, Hint: k.Hint,
		ExpiresAt: k.ExpiresAt, LastUsedAt: k.LastUsedAt, CreatedAt: k.CreatedAt, CreatedBy: k.CreatedBy,
	}
}

// What can be wrong with an API key.
var (
	// ErrKey says that a key is not good: unknown, revoked, expired, or not from that network. Which is not told.
	ErrKey            = errors.New("the API key is not valid")
	ErrKeyName        = refusal.New("api_key.name", "an API key needs a name, of at most 100 characters in one line")
	ErrKeyExpiry      = refusal.New("api_key.expiry", "an API key must expire, within two years at the latest")
	ErrKeyNetwork     = refusal.New("api_key.network", "a network is an address or CIDR notation, such as 192.0.2.0/24; at most 50")
	ErrKeyWider       = refusal.New("api_key.wider", "a key that is made by a key works from no network where that does not")
	ErrKeyPermissions = refusal.New("api_key.permissions", "the permissions must be some of those that the role allows")
)

const (
	keyPrefix      = "wkt_" // by which scanners for secrets know such a key
	hintSize       = 4
	maxKeyName     = 100
	maxKeyLifetime = 2 * 366 * 24 * time.Hour
	maxNetworks    = 50
)

// newKeySecret makes a key: its prefix, 256 random bits, and a checksum by which scanners tell it from what only looks
// like one.
func newKeySecret() string {
	secret := keyPrefix + storage.NewSecret()
	return secret + checksum(secret)
}

func checksum(of string) string { return fmt.Sprintf("%08x", crc32.ChecksumIEEE([]byte(of))) }

// IsKey tells whether a text is made like an API key. Whether there is such a key is another question.
func IsKey(text string) bool {
	end := len(text) - len(checksum(""))
	return strings.HasPrefix(text, keyPrefix) && end > len(keyPrefix) && text[end:] == checksum(text[:end])
}

// allows tells whether the key was made for something that its role allows.
func (k *apiKey) allows(permission Permission) bool {
	return len(k.Permissions) == 0 || slices.Contains(k.Permissions, permission)
}

// worksFrom tells whether the key may be used from an address.
func (k *apiKey) worksFrom(ip string) bool {
	if len(k.Networks) == 0 {
		return true
	}
	addr, err := netip.ParseAddr(ip)
	return err == nil && slices.ContainsFunc(k.Networks, func(network string) bool {
		prefix, err := netip.ParsePrefix(network)
		return err == nil && prefix.Contains(addr.Unmap())
	})
}

// complete says what is wrong with a key that is to be made, and writes its networks in one way.
func (k *apiKey) complete(now time.Time) error {
	k.Name = strings.TrimSpace(k.Name)
	switch {
	case k.Name == "" || len(k.Name) > maxKeyName || strings.ContainsFunc(k.Name, isControl):
		return ErrKeyName
	case !k.ExpiresAt.After(now) || k.ExpiresAt.After(now.Add(maxKeyLifetime)):
		return ErrKeyExpiry
	case len(k.Networks) > maxNetworks:
		return ErrKeyNetwork
	}
	networks := make([]string, len(k.Networks))
	for i, text := range k.Networks {
		prefix, err := netip.ParsePrefix(text)
		if addr, notAddr := netip.ParseAddr(text); notAddr == nil {
			prefix, err = addr.Prefix(addr.BitLen())
		}
		if err != nil || prefix.Addr().Is4In6() || prefix.Addr().Zone() != "" {
			return ErrKeyNetwork
		}
		networks[i] = prefix.Masked().String()
	}
	k.Networks, k.Permissions = networks, append([]Permission{}, k.Permissions...)
	for _, permission := range k.Permissions {
		if !slices.Contains(PermissionsOf([]string{k.Role}), permission) {
			return ErrKeyPermissions
		}
	}
	return nil
}

// isWithin tells whether the key works nowhere but in these networks; none: anywhere will do.
func (k *apiKey) isWithin(networks []string) bool {
	if len(networks) == 0 {
		return true
	}
	return len(k.Networks) > 0 && !slices.ContainsFunc(k.Networks, func(inner string) bool {
		of := netip.MustParsePrefix(inner)
		return !slices.ContainsFunc(networks, func(outer string) bool {
			around, err := netip.ParsePrefix(outer)
			return err == nil && around.Bits() <= of.Bits() && around.Contains(of.Addr())
		})
	})
}

// demandToMake returns an error where the caller may not make a key with a role: as for giving that role to a person.
func (c Caller) demandToMake(role string) error {
	if err := administrators.Check(role); err != nil {
		return err
	}
	if !slices.Contains(c.Permissions(), WriteAdmins) { // who makes no administrators makes no keys for one either
		return &ForbiddenError{WriteAdmins, forbiddenByScope}
	}
	return c.DemandToGrant(role)
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

// CreateKey makes a key and returns it with what it is used by, which is shown this once. It returns an ErrKey...,
// administrators.ErrUnknown, or a *ForbiddenError where the key could do what the caller cannot.
func (s *Store) CreateKey(ctx context.Context, by Caller, new NewAPIKey) (*APIKey, error) {
	if err := by.Demand(WriteAPIKeys); err != nil {
		return nil, err
	}
	now := s.Now()
	key := &apiKey{
		Name: new.Name, Role: new.Role, Permissions: new.Permissions, Networks: new.Networks, ExpiresAt: new.ExpiresAt,
	}
	if err := by.demandToMake(key.Role); err != nil {
		return nil, err
	}
	if err := key.complete(now); err != nil {
		return nil, err
	}
	switch {
	case by.outlasts(&key.ExpiresAt) || by.bounds.key != nil && key.ExpiresAt.After(*by.bounds.key):
		return nil, administrators.ErrOutlasts
	case !key.isWithin(by.bounds.networks):
		return nil, ErrKeyWider
	}
	secret := newKeySecret()
	key.ID, key.SecretHash, key.Hint = storage.NewID(), storage.Digest(secret), secret[len(secret)-hintSize:]
	key.OwnerID, key.CreatedAt, key.CreatedBy = by.Holder.UserID, now, audit.ActorOf(ctx).Name
	err := s.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.NewInsert().Model(key).Returning("NULL").Exec(ctx); err != nil {
			return err
		}
		err := audit.Record(ctx, tx, now, audit.Change{
			Entity: "api_key", EntityID: key.ID.String(), Action: "created", New: audit.Values{
				"name": key.Name, "permissions": key.Permissions, "networks": key.Networks, "expires_at": key.ExpiresAt,
			},
		})
		if err != nil {
			return err
		}
		return administrators.Insert(ctx, tx, now, &administrators.Role{
			Holder: administrators.Key(key.ID), Name: key.Role, GrantedBy: key.CreatedBy,
		})
	})
	if err != nil {
		return nil, fmt.Errorf("create API key: %w", err)
	}
	view := key.view()
	view.Key, view.Works = secret, true
	return &view, nil
}

// RevokeKey ends a key: the next call with it is refused. It returns storage.ErrNotFound where there is none, or a
// *ForbiddenError.
func (s *Store) RevokeKey(ctx context.Context, by Caller, id uuid.UUID) error {
	if err := s.DemandOver(ctx, by, WriteAPIKeys, administrators.Key(id)); err != nil {
		return err
	}
	now := s.Now()
	err := s.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		err := storage.OneRow(tx.NewUpdate().Model((*apiKey)(nil)).
			Set("revoked_at = ?", now).Set("revoked_by = ?", audit.ActorOf(ctx).Name).
			Where("id = ? AND revoked_at IS NULL", id).Exec(ctx))
		if err != nil {
			return err
		}
		return audit.Record(ctx, tx, now, audit.Change{Entity: "api_key", EntityID: id.String(), Action: "revoked"})
	})
	if err != nil {
		return fmt.Errorf("revoke API key: %w", err)
	}
	return nil
}

// Keys lists the keys that are not revoked, the newest first. There are few.
func (s *Store) Keys(ctx context.Context, by Caller) ([]APIKey, error) {
	if err := by.Demand(ReadAPIKeys); err != nil {
		return nil, err
	}
	var keys []apiKey
	err := s.Database.Reader().NewSelect().Model(&keys).ColumnExpr("api_key.*").
		ColumnExpr(roleOfKey).
		Where("revoked_at IS NULL").Order("id DESC").Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("API keys: %w", err)
	}
	views := make([]APIKey, len(keys))
	for i := range keys {
		views[i] = keys[i].view()
		if views[i].Works, err = s.works(ctx, &keys[i]); err != nil {
			return nil, err
		}
	}
	return views, nil
}

// works tells whether a key that is not revoked is good.
func (s *Store) works(ctx context.Context, key *apiKey) (bool, error) {
	now := s.Now()
	if !key.ExpiresAt.After(now) {
		return false, nil
	}
	return administrators.StillGives(ctx, s.Database.Reader(), now, key.CreatedBy, key.Role)
}

// roleOfKey is the administrative role of a key.
const roleOfKey = `COALESCE((SELECT role FROM admin_roles WHERE api_key_id = api_key.id AND revoked_at IS NULL LIMIT 1), '') AS role`

// keyBySecret returns a key that is good, and notes that it is in use; or storage.ErrNotFound. It is good as long as
// who made it could give its role.
func (s *Store) keyBySecret(ctx context.Context, secret, ip string) (*apiKey, error) {
	key, now := new(apiKey), s.Now()
	err := s.Database.Reader().NewSelect().Model(key).ColumnExpr("api_key.*").ColumnExpr(roleOfKey).
		Where("secret_hash = ? AND revoked_at IS NULL AND expires_at > ?", storage.Digest(secret), now).Scan(ctx)
	if err != nil {
		return nil, storage.NotFound(err)
	}
	if !key.worksFrom(ip) {
		return nil, storage.ErrNotFound
	}
	if works, err := s.works(ctx, key); err != nil {
		return nil, err
	} else if !works {
		return nil, storage.ErrNotFound
	}
	if hour := now.Truncate(time.Hour); key.LastUsedAt == nil || key.LastUsedAt.Before(hour) {
		err = s.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
			_, err := tx.NewUpdate().Model((*apiKey)(nil)).Set("last_used_at = ?", hour).Where("id = ?", key.ID).Exec(ctx)
			return err
		})
	}
	return key, err
}
