package identity

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity/refusal"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

// Session is a person signed in on one device. Grants and refresh tokens hang on it and end with it.
type Session struct {
	bun.BaseModel `bun:"table:sessions,alias:session"`

	ID             uuid.UUID  `bun:"id,pk,type:uuid"`
	UserID         uuid.UUID  `bun:"user_id,type:uuid"`
	SecretHash     []byte     `bun:"secret_hash"`
	NextSecretHash []byte     `bun:"next_secret_hash"` // until the browser shows it: see RenewSecret
	NextSecretAt   *time.Time `bun:"next_secret_at"`
	SessionVersion int64      `bun:"session_version"` // the user's, when the session began
	DeviceLabel    string     `bun:"device_label"`
	IsMobile       bool       `bun:"is_mobile"`
	UserAgent      string     `bun:"user_agent"`
	Fingerprint    string     `bun:"fingerprint"`
	IP             string     `bun:"ip"`
	AMR            []string   `bun:"amr,type:jsonb"` // how the person proved who they are: RFC 8176
	ACR            string     `bun:"acr"`
	AuthTime       time.Time  `bun:"auth_time"` // when they last did
	LastSeenAt     time.Time  `bun:"last_seen_at"`
	LastSeenIP     string     `bun:"last_seen_ip"`
	ExpiresAt      time.Time  `bun:"expires_at"`
	EndedAt        *time.Time `bun:"ended_at"`
	EndReason      string     `bun:"end_reason,nullzero"`
	CreatedAt      time.Time  `bun:"created_at"`

	ExternalAccountID uuid.NullUUID `bun:"external_account_id,type:uuid"` // by which the person came in, if by one
	FactorID          uuid.NullUUID `bun:"factor_id,type:uuid"`           // the passkey, key or app that was shown first
	DeviceClientID    string        `bun:"device_client_id,nullzero"`     // of a device without a browser: RFC 8628; or ""
	// the session there that it came from, if the provider names them
	UpstreamSID string `bun:"upstream_sid,nullzero"`

	// Whether the operator demands two factors of the person; read by Select.
	IsRuled bool `bun:"is_ruled,scanonly"`

	User *User `bun:"rel:belongs-to,join:user_id=id"`
}

// Why a session ended.
const (
	EndedBySignOut   = "signed_out"     // by its owner, on this device
	EndedByOwner     = "ended_by_owner" // by its owner, on another device
	EndedByReplacing = "replaced"       // somebody else signed in with the same browser
	EndedByGlobal    = "signed_out_everywhere"
	EndedByOperator  = "ended_by_operator"
	EndedByDisabling = "account_disabled"
	EndedByPassword  = "password_changed"
	EndedByFactor    = "factor_removed"
	EndedByNotMe     = "owner_disowned_it"
	EndedByClient    = "signed_out_by_app" // RP-initiated logout
	EndedByProvider  = "signed_out_upstream"
	EndedByVerifying = "address_verified" // the account's first one, in another session
	EndedByUnlinking = "unlinked"         // the account elsewhere that it came from belongs to this one no more
)

// seenEvery bounds how often a session's last_seen is written.
const seenEvery = 5 * time.Minute

// ErrSessionEnded says that a session was ended while a request of it was under way.
var ErrSessionEnded = refusal.New("session.ended", "the session was ended meanwhile")

// Stands demands that the session still stands, in the transaction of what its person does and before anything else
// there. Until the commit nobody can end it: what ends all sessions of a person comes before or after. It returns
// ErrSessionEnded.
func (s *Session) Stands(ctx context.Context, tx bun.Tx) error {
	err := storage.OneRow(tx.NewUpdate().Model((*User)(nil)).Set("session_version = session_version").
		Where("id = ? AND is_active AND session_version = ?", s.UserID, s.SessionVersion).Exec(ctx))
	if err == nil {
		err = storage.OneRow(tx.NewUpdate().Model((*Session)(nil)).Set("ended_at = NULL").
			Where("id = ? AND ended_at IS NULL AND next_secret_hash IS NULL", s.ID).Exec(ctx))
	}
	if errors.Is(err, storage.ErrNotFound) {
		return ErrSessionEnded
	}
	return err
}

// Seen notes that the session was used from that address. It writes at most once in a few minutes.
func (s Sessions) Seen(ctx context.Context, session *Session, ip string) error {
	now := s.Now()
	if now.Sub(session.LastSeenAt) < seenEvery && session.LastSeenIP == ip {
		return nil
	}
	err := s.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewUpdate().Model((*Session)(nil)).Set("last_seen_at = ?", now).Set("last_seen_ip = ?", ip).
			Where("id = ? AND ended_at IS NULL", session.ID).Exec(ctx)
		return err
	})
	if err != nil {
		return fmt.Errorf("note that a session was seen: %w", err)
	}
	session.LastSeenAt, session.LastSeenIP = now, ip
	return nil
}

// End ends one session of a person, and with it the refresh tokens of that device alone. Ending what has ended
// already, or is not theirs, changes nothing and is no error.
func (s Sessions) End(ctx context.Context, userID, sessionID uuid.UUID, reason string) error {
	now := s.Now()
	ctx, cancel := storage.Outlasting(ctx) // who asks and hangs up has asked
	defer cancel()
	err := s.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := s.EndThose(ctx, tx, now, userID, reason, justThis(sessionID))
		return err
	})
	if err != nil {
		return fmt.Errorf("end session: %w", err)
	}
	return nil
}

// EndDevice is what the owner does to one of their devices from another, here: its session ends. Every browser but this
// is asked for the second step again, for which of them was the device's nobody knows. It returns storage.ErrNotFound
// where they have no such session that lives.
func (s Sessions) EndDevice(ctx context.Context, userID, sessionID uuid.UUID, here Device) error {
	ended, err := s.endDevices(ctx, userID, here, EndedByOwner, justThis(sessionID))
	if err == nil && ended == 0 {
		return storage.ErrNotFound
	}
	return err
}

// EndOtherDevices does it to all but this, whose session is the one to keep.
func (s Sessions) EndOtherDevices(ctx context.Context, userID, keep uuid.UUID, here Device) error {
	_, err := s.endDevices(ctx, userID, here, EndedByOwner, func(q *bun.UpdateQuery) *bun.UpdateQuery {
		return q.Where("id <> ?", keep)
	})
	return err
}

// EndByOperator ends a session as its owner would from elsewhere: every browser is asked for the second step again. It
// returns how many were ended, which is none where it had been, or storage.ErrNotFound.
func (s Sessions) EndByOperator(ctx context.Context, sessionID uuid.UUID) (int, error) {
	session := new(Session)
	err := s.Database.Reader().NewSelect().Model(session).Column("user_id").Where("id = ?", sessionID).Scan(ctx)
	if err != nil {
		return 0, fmt.Errorf("session: %w", storage.NotFound(err))
	}
	return s.endDevices(ctx, session.UserID, Device{}, EndedByOperator, justThis(sessionID))
}

// EndAllByOperator does it to all sessions of a person. What SignOutEverywhere does besides, it does not.
func (s Sessions) EndAllByOperator(ctx context.Context, userID uuid.UUID) (int, error) {
	return s.endDevices(ctx, userID, Device{}, EndedByOperator, func(q *bun.UpdateQuery) *bun.UpdateQuery { return q })
}

func (s Sessions) endDevices(
	ctx context.Context, userID uuid.UUID, here Device, reason string, which func(*bun.UpdateQuery) *bun.UpdateQuery,
) (int, error) {
	now := s.Now()
	ended, err := storage.Write(ctx, s.Database, func(ctx context.Context, tx bun.Tx) (Ended, error) {
		if err := distrustDevices(ctx, tx, userID, here); err != nil {
			return Ended{}, err
		}
		return s.EndThose(ctx, tx, now, userID, reason, which)
	})
	if err != nil {
		return 0, fmt.Errorf("end devices: %w", err)
	}
	return ended.Sessions, nil
}

// SignOutEverywhere is the global logout: it raises the person's session version, which voids every session, refresh
// token and access token at once, ends the sessions, and forgets every known device. It returns the new version, or
// storage.ErrNotFound.
func (s Sessions) SignOutEverywhere(ctx context.Context, userID uuid.UUID, reason string) (version int64, err error) {
	now := s.Now()
	version, err = storage.Write(ctx, s.Database, func(ctx context.Context, tx bun.Tx) (int64, error) {
		return s.RaiseVersion(ctx, tx, now, userID, reason)
	})
	if err != nil {
		return 0, fmt.Errorf("sign out everywhere: %w", err)
	}
	return version, nil
}

// RaiseVersion is SignOutEverywhere as part of tx.
func (s Sessions) RaiseVersion(
	ctx context.Context, tx bun.Tx, now time.Time, userID uuid.UUID, reason string,
) (version int64, err error) {
	err = tx.NewUpdate().Model((*User)(nil)).
		Set("session_version = session_version + 1").
		Set("modified_by = ?", audit.ActorOf(ctx).Name).
		Where("id = ?", userID).Returning("session_version").Scan(ctx, &version)
	if err != nil {
		return 0, storage.NotFound(err)
	}
	err = audit.Record(ctx, tx, now, audit.Change{
		Entity: "user", EntityID: userID.String(), Action: "signed_out_everywhere", UserID: userID,
		Old: audit.Values{"session_version": version - 1}, New: audit.Values{"session_version": version, "reason": reason},
	})
	if err != nil {
		return 0, err
	}
	if err := ForgetDevices(ctx, tx, now, userID, func(q *bun.DeleteQuery) *bun.DeleteQuery { return q }); err != nil {
		return 0, err
	}
	_, err = s.EndThose(ctx, tx, now, userID, reason, func(q *bun.UpdateQuery) *bun.UpdateQuery { return q })
	return version, err
}

// BySecret returns the live session whose cookie holds that secret, with its user, or storage.ErrNotFound. Live
// means: neither ended nor expired nor idle for too long, of the user's present version, and the account is active.
func (s Sessions) BySecret(ctx context.Context, secret string) (*Session, error) {
	session := new(Session)
	if err := s.Scan(ctx, s.Select(session, secret), secret); err != nil {
		return nil, fmt.Errorf("session: %w", err)
	}
	return session, nil
}

// Select is the query of BySecret, for Scan, and for a layer above that wants to know more in the same read: model is a
// *Session, or a struct that extends it. Every request of a browser asks this, so only what such a request may need is
// read: who it is, and how and when they signed in.
func (s Sessions) Select(model any, secret string) *bun.SelectQuery {
	query := s.Database.Reader().NewSelect().Model(model).
		Column(
			"id", "user_id", "session_version", "amr", "acr", "auth_time", "last_seen_at", "last_seen_ip", "expires_at",
			"created_at",
		).
		Relation("User", func(q *bun.SelectQuery) *bun.SelectQuery {
			return q.Column("id", "username", "two_factor", "has_webauthn")
		})
	return s.live(s.TwoFactors.Select(secretIs(query, secret, s.Now()), "session.user_id"))
}

// List lists a person's live sessions, the one last seen first.
func (s Sessions) List(ctx context.Context, userID uuid.UUID) ([]Session, error) {
	var sessions []Session
	query := s.Database.Reader().NewSelect().Model(&sessions).
		Relation("User").
		Where("session.user_id = ?", userID).
		Order("session.last_seen_at DESC")
	if err := s.live(query).Scan(ctx); err != nil {
		return nil, fmt.Errorf("sessions: %w", err)
	}
	return sessions, nil
}

// live is the one definition of a session that still counts, for queries that joined its user: a device may be off.
func (s Sessions) live(query *bun.SelectQuery) *bun.SelectQuery {
	now := s.Now()
	return query.Where("session.ended_at IS NULL").
		Where("session.expires_at > ?", now).
		Where("(session.last_seen_at > ? OR session.device_client_id IS NOT NULL)", now.Add(-s.SessionIdle)).
		Where(`session.session_version = "user".session_version`).
		Where(`"user".is_active`)
}

func justThis(sessionID uuid.UUID) func(*bun.UpdateQuery) *bun.UpdateQuery {
	return func(q *bun.UpdateQuery) *bun.UpdateQuery { return q.Where("id = ?", sessionID) }
}

// EndThose ends the live sessions of a person that which selects, each with a line in the audit trail, and tells the
// listener of them.
func (s Sessions) EndThose(
	ctx context.Context, tx bun.Tx, now time.Time, userID uuid.UUID, reason string,
	which func(*bun.UpdateQuery) *bun.UpdateQuery,
) (Ended, error) {
	if s.Listener != nil {
		if err := s.Listener.Ending(ctx, tx, userID, reason); err != nil {
			return Ended{}, err
		}
	}
	var ended []endedSession
	query := tx.NewUpdate().Model((*Session)(nil)).Set("ended_at = ?", now).Set("end_reason = ?", reason).
		Where("user_id = ? AND ended_at IS NULL", userID).Returning("id")
	if s.Listener != nil { // in the same statement, for most sessions concern nobody
		query.Returning("? AS concerns", bun.Safe(s.Listener.Concerns))
	}
	if err := which(query).Scan(ctx, &ended); err != nil && storage.NotFound(err) != storage.ErrNotFound {
		return Ended{}, err
	}
	changes := make([]audit.Change, len(ended))
	var heard []uuid.UUID
	for i, session := range ended {
		changes[i] = audit.Change{
			Entity: "session", EntityID: session.ID.String(), Action: "ended", UserID: userID,
			New: audit.Values{"reason": reason},
		}
		if session.Concerns {
			heard = append(heard, session.ID)
		}
	}
	if len(heard) > 0 {
		if err := s.Listener.Ended(ctx, tx, heard); err != nil {
			return Ended{}, err
		}
	}
	return Ended{Sessions: len(ended), Heard: len(heard)}, audit.RecordAll(ctx, tx, now, changes)
}

// Ended is how many sessions were ended, and of how many of them the listener was told.
type Ended struct{ Sessions, Heard int }

// endedSession is what the statement that ends a session tells of it.
type endedSession struct {
	ID       uuid.UUID `bun:"id,type:uuid"`
	Concerns bool      `bun:"concerns"` // the listener wants to know
}

// SessionListener is a layer above that must do something in the transaction in which a session ends, whatever ends it:
// but for the one that lapses by time, of which nobody is told.
type SessionListener struct {
	// Concerns is a condition in SQL on a row of sessions: Ended is not called with others. It names columns without the
	// table, whose alias SQLite does not know there.
	Concerns string
	// Ending is told whose sessions tx is about to end and why, even if none is left.
	Ending func(ctx context.Context, tx bun.Tx, userID uuid.UUID, reason string) error
	// Ended is told of sessions that have ended in tx.
	Ended func(ctx context.Context, tx bun.Tx, sessionIDs []uuid.UUID) error
}
