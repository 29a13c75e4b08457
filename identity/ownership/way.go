package ownership

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/factor"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

// Way is what signs a person in, or spares them a step on the way, and may be somebody else's: one of their
// factors, an account at a provider, their password, or other browsers that are known. Whoever proves anew that an
// account is theirs, by mail, is shown them all, for somebody else may have added one.
type Way struct {
	factor.Entry

	Provider string // the id of the provider, of the kind OfProvider
}

// The kinds of ways that are no factors.
const (
	OfProvider   = "external_account"
	WithPassword = "password"
	KnownDevices = "known_devices" // all of them are one
)

// Key names the way among those of a person.
func (w Way) Key() string {
	switch w.Kind {
	case WithPassword, KnownDevices, "backup_codes":
		return w.Kind
	}
	return w.ID.String()
}

// SignsIn tells whether the way needs no other, nor a password.
func (w Way) SignsIn() bool { return w.Kind == "passkey" || w.Kind == OfProvider }

// WithoutPassword are those that sign a person in without their password, passkeys first, the oldest of each kind
// first.
func WithoutPassword(ctx context.Context, db bun.IDB, userID uuid.UUID) ([]Way, error) {
	passkeys, err := factor.PasskeyEntries(ctx, db, userID)
	if err != nil {
		return nil, err
	}
	linked, err := ofProviders(ctx, db, func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where("user_id = ?", userID)
	})
	return append(ofFactors(passkeys), linked...), err
}

// foreign are all ways of a person that a session of theirs, on that device, neither came by nor has added.
func foreign(
	ctx context.Context, db bun.IDB, sessionID uuid.UUID, device identity.Device,
) ([]Way, error) {
	session := new(identity.Session)
	err := db.NewSelect().Model(session).Column("id", "user_id", "amr", "factor_id", "external_account_id").
		Relation("User").Where("session.id = ?", sessionID).Scan(ctx)
	if err != nil {
		return nil, storage.NotFound(err)
	}
	factors, err := factor.ForeignEntries(ctx, db, session.UserID, session.ID, session.FactorID)
	if err != nil {
		return nil, err
	}
	linked, err := ofProviders(ctx, db, func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where("user_id = ? AND id <> ?", session.UserID, session.ExternalAccountID.UUID).
			Where("(session_id IS NULL OR session_id <> ?)", session.ID)
	})
	if err != nil {
		return nil, err
	}
	ways := append(ofFactors(factors), linked...)
	// Whoever has typed the password in this session knows it, and most likely has chosen it. Of another it is not known
	// whose it is.
	if owner := session.User; owner.PasswordHash != "" && !slices.Contains(session.AMR, "pwd") {
		chosen := owner.CreatedAt
		if owner.PasswordChangedAt != nil {
			chosen = *owner.PasswordChangedAt
		}
		ways = append(ways, Way{Entry: factor.Entry{ID: owner.ID, Kind: WithPassword, AddedAt: chosen}})
	}
	known, err := db.NewSelect().Model((*identity.KnownDevice)(nil)).
		Where("user_id = ? AND secret_hash <> ?", session.UserID, storage.Digest(device.Secret)).Exists(ctx)
	if known {
		ways = append(ways, Way{Entry: factor.Entry{ID: session.UserID, Kind: KnownDevices}})
	}
	return ways, err
}

func ofFactors(entries []factor.Entry) []Way {
	var ways []Way
	for _, entry := range entries {
		ways = append(ways, Way{Entry: entry})
	}
	return ways
}

func ofProviders(
	ctx context.Context, db bun.IDB, which func(*bun.SelectQuery) *bun.SelectQuery,
) ([]Way, error) {
	var accounts []identity.ExternalAccount
	err := which(db.NewSelect().Model(&accounts).Column("id", "provider", "label", "created_at")).
		Order("created_at").Scan(ctx)
	var ways []Way
	for _, account := range accounts {
		ways = append(ways, Way{Provider: account.Provider, Entry: factor.Entry{
			ID: account.ID, Kind: OfProvider, Name: account.Label, AddedAt: account.CreatedAt,
		}})
	}
	return ways, err
}

// Remove takes ways in from a person, with the sessions that came by them but for the one to keep, which is on that
// device. The caller holds LockWaysIn.
func (s Store) Remove(
	ctx context.Context, tx bun.Tx, now time.Time, userID, keep uuid.UUID, device identity.Device, doomed []Way,
) error {
	var factors []factor.Entry
	for _, way := range doomed {
		var err error
		switch way.Kind {
		case OfProvider:
			err = s.ExternalAccounts().Detach(ctx, tx, now, userID, way.ID, keep)
		case WithPassword:
			err = removePassword(ctx, tx, now, userID)
		case KnownDevices:
			err = identity.ForgetDevices(ctx, tx, now, userID, func(q *bun.DeleteQuery) *bun.DeleteQuery {
				return q.Where("secret_hash <> ?", storage.Digest(device.Secret))
			})
		default:
			factors = append(factors, way.Entry)
		}
		if err != nil {
			return err
		}
	}
	return factor.RemoveEntries(ctx, tx, now, userID, factors)
}

func removePassword(ctx context.Context, tx bun.Tx, now time.Time, userID uuid.UUID) error {
	_, err := tx.NewUpdate().Model((*identity.User)(nil)).
		Set("password_hash = NULL").
		Set("password_changed_at = ?", now).
		Where("id = ?", userID).Exec(ctx)
	if err != nil {
		return err
	}
	return audit.Record(ctx, tx, now, audit.Change{
		Entity: "password", EntityID: userID.String(), Action: "removed", UserID: userID,
	})
}
