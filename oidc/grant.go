package oidc

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/oidc/access"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

// Grant is one authorization of one app on one device: the family to which a code, its refresh tokens and its access
// tokens belong. It ends with its session, or on its own when a token of it is revoked or used twice.
type Grant struct {
	bun.BaseModel `bun:"table:grants,alias:grant"`

	ID             uuid.UUID `bun:"id,pk,type:uuid"`
	UserID         uuid.UUID `bun:"user_id,type:uuid"`
	ClientID       string    `bun:"client_id"`
	SessionID      uuid.UUID `bun:"session_id,type:uuid"`
	SessionVersion int64     `bun:"session_version"`
	Scopes         []string  `bun:"scopes,type:jsonb"` // of the server's own and of none of APIs
	// asked for by name, and allowed; nil: none
	Claims    *ClaimsRequest `bun:"claims,type:jsonb"`
	APIs      APIScopes      `bun:"apis,type:jsonb"`
	AuthTime  time.Time      `bun:"auth_time"` // as it was when the grant was made: ID tokens of a refresh repeat it
	ACR       string         `bun:"acr"`
	AMR       []string       `bun:"amr,type:jsonb"`
	CreatedAt time.Time      `bun:"created_at"`
	ExpiresAt time.Time      `bun:"expires_at"` // the absolute end
	EndedAt   *time.Time     `bun:"ended_at"`
	EndReason string         `bun:"end_reason,nullzero"`
}

// APIScopes are the scopes that are granted at APIs, by the identifier of the API. An API may be granted with none.
type APIScopes map[string][]string

// Has tells whether a scope is granted at any of them.
func (s APIScopes) Has(scope string) bool {
	for _, scopes := range s {
		if slices.Contains(scopes, scope) {
			return true
		}
	}
	return false
}

// Why a grant ended, besides with its session.
const (
	EndedByReuse      = "token_reused"
	EndedByRevocation = "revoked_by_app"
	EndedByOwner      = "ended_by_owner" // who removed the app's access
	EndedByOperator   = "ended_by_operator"
	EndedByNewSector  = "app_changed_sector" // the app would know the person by another name: see clients.Store.Replace
)

// Standing is whether what a grant hangs on still stands, as columns of a query that joined them.
type Standing struct {
	UserIsActive       bool       `bun:"user_is_active"`
	UserSessionVersion int64      `bun:"user_session_version"`
	SessionEndedAt     *time.Time `bun:"session_ended_at"`
	SessionExpiresAt   time.Time  `bun:"session_expires_at"`
	SessionACR         string     `bun:"session_acr"` // what the session has reached; apps may be told of less
	IsRuled            bool       `bun:"is_ruled"`    // two factors are demanded of the person
	// the session is that of a device without a browser: RFC 8628
	SessionIsDevice bool `bun:"session_is_device"`
	MayUse          bool `bun:"may_use"` // the app is for everyone, or for people like this
}

// Columns are where the columns that JoinStanding adds go, in their order.
func (s *Standing) Columns() []any {
	return []any{
		&s.UserIsActive, &s.UserSessionVersion, &s.SessionEndedAt, &s.SessionExpiresAt, &s.SessionACR, &s.SessionIsDevice,
		&s.MayUse, &s.IsRuled,
	}
}

// JoinStanding adds what a grant hangs on to a query that has the grant under the alias "grant": it is joined as
// "user", "session" and client.
func (p *Provider) JoinStanding(query *bun.SelectQuery) *bun.SelectQuery {
	joined := joinStanding(query).
		Join(`JOIN clients AS client ON client.id = "grant".client_id`).
		ColumnExpr(`"user".is_active AS user_is_active, "user".session_version AS user_session_version`).
		ColumnExpr(`"session".ended_at AS session_ended_at, "session".expires_at AS session_expires_at`).
		ColumnExpr(`"session".acr AS session_acr, "session".device_client_id IS NOT NULL AS session_is_device`)
	return p.TwoFactors.Select(access.Select(joined, "grant.user_id"), "grant.user_id")
}

// Stands tells whether tokens of the grant are good at that time: neither it nor its session has ended, the account is
// active, nobody signed out everywhere since, the person may use the app now, and had shown two factors where the
// operator demands that now.
func (g *Grant) Stands(on Standing, at time.Time) bool {
	return g.EndedAt == nil && at.Before(g.ExpiresAt) &&
		on.SessionEndedAt == nil && at.Before(on.SessionExpiresAt) &&
		on.UserIsActive && on.UserSessionVersion == g.SessionVersion && on.MayUse &&
		(!on.IsRuled || identity.Assures(g.ACR, identity.ACRMultiFactor) ||
			identity.Assures(on.SessionACR, identity.ACRMultiFactor))
}

// EndGrant ends a grant with all its tokens, and tells whether there was one to end.
func (p *Provider) EndGrant(ctx context.Context, grantID uuid.UUID, reason string) (bool, error) {
	now := p.Now()
	ctx, cancel := storage.Outlasting(ctx) // who asks and hangs up has asked
	defer cancel()
	ended, err := storage.Write(ctx, p.Database, func(ctx context.Context, tx bun.Tx) (int, error) {
		return EndGrants(ctx, tx, now, reason, func(q *bun.UpdateQuery) *bun.UpdateQuery {
			return q.Where("id = ?", grantID)
		})
	})
	if err != nil {
		return false, fmt.Errorf("end grant: %w", err)
	}
	return ended > 0, nil
}

// EndGrants ends the grants that which selects and that have not ended, each with a line in the audit trail, and
// returns how many. Their codes, refresh tokens and access tokens are void with the commit. The session of a device
// without a browser ends with its grant, for nothing else hangs on it.
func EndGrants(
	ctx context.Context, tx bun.Tx, now time.Time, reason string, which func(*bun.UpdateQuery) *bun.UpdateQuery,
) (int, error) {
	var ended []Grant
	query := tx.NewUpdate().Model(&ended).Set("ended_at = ?", now).Set("end_reason = ?", reason).
		Where("ended_at IS NULL").Returning("id, user_id, client_id, session_id")
	if err := which(query).Scan(ctx); err != nil && storage.NotFound(err) != storage.ErrNotFound {
		return 0, err
	}
	for _, grant := range ended {
		err := audit.Record(ctx, tx, now, audit.Change{
			Entity: "grant", EntityID: grant.ID.String(), Action: "ended", UserID: grant.UserID,
			New: audit.Values{"reason": reason, "client_id": grant.ClientID},
		})
		if err != nil {
			return 0, err
		}
	}
	return len(ended), endDevices(ctx, tx, now, reason, ended)
}

// endDevices ends the sessions of devices whose grants have ended. Their app is not told of a logout: it has given the
// grant back, or lost it as one that is used in a browser does.
func endDevices(ctx context.Context, tx bun.Tx, now time.Time, reason string, grants []Grant) error {
	if len(grants) == 0 {
		return nil
	}
	ids := make([]uuid.UUID, len(grants))
	for i, grant := range grants {
		ids[i] = grant.SessionID
	}
	var ended []identity.Session
	err := tx.NewUpdate().Model(&ended).Set("ended_at = ?", now).Set("end_reason = ?", reason).
		Where("id IN (?) AND device_client_id IS NOT NULL AND ended_at IS NULL", bun.List(ids)).
		Returning("id, user_id").Scan(ctx)
	if err != nil && storage.NotFound(err) != storage.ErrNotFound {
		return err
	}
	changes := make([]audit.Change, len(ended))
	for i, session := range ended {
		changes[i] = audit.Change{
			Entity: "session", EntityID: session.ID.String(), Action: "ended", UserID: session.UserID,
			New: audit.Values{"reason": reason},
		}
	}
	return audit.RecordAll(ctx, tx, now, changes)
}

// GrantInUse is a grant that stands, with what its owner and an operator know it by.
type GrantInUse struct {
	Grant `bun:",extend"`

	Username    string    `bun:"username"`
	DeviceLabel string    `bun:"device_label"`
	LastUsedAt  time.Time `bun:"last_used_at"` // when the app last got a refresh token by it, or at first the code
}

// GrantsInUse lists the grants that stand, the newest first: of a person, of a client, or of both; uuid.Nil and ""
// leave one of them out. limit is how many at the most, or 0.
func (p *Provider) GrantsInUse(
	ctx context.Context, userID uuid.UUID, clientID string, limit int,
) ([]GrantInUse, error) {
	var grants []GrantInUse
	query := p.StandingGrants().
		ColumnExpr(`"grant".*`).
		ColumnExpr(`"user".username AS username, "session".device_label AS device_label`).
		ColumnExpr(`COALESCE(
			(SELECT MAX(created_at) FROM refresh_tokens WHERE grant_id = "grant".id), "grant".created_at
		) AS last_used_at`).
		Order("grant.id DESC").Limit(int64(limit))
	if userID != uuid.Nil {
		query = query.Where(`"grant".user_id = ?`, userID)
	}
	if clientID != "" {
		query = query.Where(`"grant".client_id = ?`, clientID)
	}
	if err := query.Scan(ctx, &grants); err != nil {
		return nil, fmt.Errorf("grants in use: %w", err)
	}
	return grants, nil
}

// StandingGrants selects from the grants that stand, under the alias "grant"; what they hang on is joined, as "user"
// and "session".
func (p *Provider) StandingGrants() *bun.SelectQuery {
	return whereStands(joinStanding(p.Database.Reader().NewSelect().Model((*Grant)(nil))), p.Now())
}

// joinStanding joins what a grant hangs on.
func joinStanding(query *bun.SelectQuery) *bun.SelectQuery {
	return query.
		Join(`JOIN users AS "user" ON "user".id = "grant".user_id`).
		Join(`JOIN sessions AS "session" ON "session".id = "grant".session_id`)
}

// whereStands is Grant.Stands for queries with joinStanding, but for the rule of two factors and for who may use the
// app: both may change again, and what they keep from use until then is to be seen and ended too.
func whereStands(query *bun.SelectQuery, at time.Time) *bun.SelectQuery {
	return query.
		Where(`"grant".ended_at IS NULL AND "grant".expires_at > ?`, at).
		Where(`"session".ended_at IS NULL AND "session".expires_at > ?`, at).
		Where(`"user".is_active AND "user".session_version = "grant".session_version`)
}
