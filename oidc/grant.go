package oidc

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/storage/audit"
)

// Grant is one authorization of one app on one device: the family to which a code, its refresh tokens and its access
// tokens belong. It ends with its session, or on its own when a token of it is revoked or used twice.
type Grant struct {
	bun.BaseModel `bun:"table:grants,alias:grant"`

	ID             uuid.UUID  `bun:"id,pk,type:uuid"`
	UserID         uuid.UUID  `bun:"user_id,type:uuid"`
	ClientID       string     `bun:"client_id"`
	SessionID      uuid.UUID  `bun:"session_id,type:uuid"`
	SessionVersion int64      `bun:"session_version"`
	Scopes         []string   `bun:"scopes,type:jsonb"`
	AuthTime       time.Time  `bun:"auth_time"` // as it was when the grant was made: ID tokens of a refresh repeat it
	ACR            string     `bun:"acr"`
	AMR            []string   `bun:"amr,type:jsonb"`
	CreatedAt      time.Time  `bun:"created_at"`
	ExpiresAt      time.Time  `bun:"expires_at"` // the absolute end
	EndedAt        *time.Time `bun:"ended_at"`
	EndReason      string     `bun:"end_reason,nullzero"`
}

// Why a grant ended, besides with its session.
const (
	EndedByReuse      = "token_reused"
	EndedByRevocation = "revoked_by_app"
)

// Standing is whether what a grant hangs on still stands, as columns of a query that joined them.
type Standing struct {
	UserIsActive       bool       `bun:"user_is_active"`
	UserSessionVersion int64      `bun:"user_session_version"`
	SessionEndedAt     *time.Time `bun:"session_ended_at"`
	SessionExpiresAt   time.Time  `bun:"session_expires_at"`
	IsRuled            bool       `bun:"is_ruled"` // two factors are demanded of the person
}

// JoinStanding adds what a grant hangs on to a query that has the grant under the alias "grant".
func (p *Provider) JoinStanding(query *bun.SelectQuery) *bun.SelectQuery {
	joined := query.
		ColumnExpr(`"user".is_active AS user_is_active, "user".session_version AS user_session_version`).
		ColumnExpr(`"session".ended_at AS session_ended_at, "session".expires_at AS session_expires_at`).
		Join(`JOIN users AS "user" ON "user".id = "grant".user_id`).
		Join(`JOIN sessions AS "session" ON "session".id = "grant".session_id`)
	return p.TwoFactors.Select(joined, "grant.user_id")
}

// Stands tells whether tokens of the grant are good at that time: neither it nor its session has ended, the account is
// active, nobody signed out everywhere since, and the person had shown two factors where the operator demands that now.
func (g *Grant) Stands(on Standing, at time.Time) bool {
	return g.EndedAt == nil && at.Before(g.ExpiresAt) &&
		on.SessionEndedAt == nil && at.Before(on.SessionExpiresAt) &&
		on.UserIsActive && on.UserSessionVersion == g.SessionVersion &&
		(!on.IsRuled || identity.Assures(g.ACR, identity.ACRMultiFactor))
}

// EndGrant ends a grant with all its tokens. Ending one that has ended changes nothing.
func (p *Provider) EndGrant(ctx context.Context, grant *Grant, reason string) error {
	now := p.Now()
	err := p.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		result, err := tx.NewUpdate().Model((*Grant)(nil)).Set("ended_at = ?", now).Set("end_reason = ?", reason).
			Where("id = ? AND ended_at IS NULL", grant.ID).Exec(ctx)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return err
		}
		return audit.Record(ctx, tx, now, audit.Change{
			Entity: "grant", EntityID: grant.ID.String(), Action: "ended", UserID: grant.UserID,
			New: audit.Values{"reason": reason, "client_id": grant.ClientID},
		})
	})
	if err != nil {
		return fmt.Errorf("end grant: %w", err)
	}
	return nil
}
