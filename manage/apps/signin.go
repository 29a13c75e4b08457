package apps

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/oidc"
)

// SignIn is that a person has signed in to an app: by each an app gets a grant.
type SignIn struct {
	UserID   uuid.UUID
	Username string
	Device   string
	At       time.Time
	EndedAt  *time.Time // when the grant was ended, if it was
}

// SignIns lists who has signed in to an app lately, the newest first, in so far as that is kept. It returns a
// *manage.ForbiddenError.
func (s *Store) SignIns(ctx context.Context, by manage.Caller, clientID string, limit int) ([]SignIn, error) {
	for _, permission := range []manage.Permission{manage.ReadClients, manage.ReadUsers} {
		if err := by.Demand(permission); err != nil {
			return nil, err
		}
	}
	var found []oidc.GrantInUse
	err := s.Database.Reader().NewSelect().Model((*oidc.Grant)(nil)).
		Column("grant.user_id", "grant.created_at", "grant.ended_at").
		ColumnExpr(`"user".username AS username, "session".device_label AS device_label`).
		Join(`JOIN users AS "user" ON "user".id = "grant".user_id`).
		Join(`JOIN sessions AS "session" ON "session".id = "grant".session_id`).
		Where(`"grant".client_id = ?`, clientID).
		Order("grant.id DESC").Limit(int64(limit)).Scan(ctx, &found)
	if err != nil {
		return nil, fmt.Errorf("sign-ins to %s: %w", clientID, err)
	}
	signIns := make([]SignIn, len(found))
	for i, g := range found {
		signIns[i] = SignIn{g.UserID, g.Username, g.DeviceLabel, g.CreatedAt, g.EndedAt}
	}
	return signIns, nil
}
