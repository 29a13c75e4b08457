package registration

import (
	"context"
	"errors"
	"time"

	"github.com/wicket-id/wicket/oidc/clients"
)

// unusedKept is how long an app that anybody may have registered is kept without a grant that stands.
const unusedKept = 30 * 24 * time.Hour

// Expire deletes apps that made themselves known without a token and that nobody uses, and initial access tokens that
// are over, in bounded batches. It returns how many rows of each table went.
func (s *Service) Expire(ctx context.Context) (map[string]int64, error) {
	now := s.Now()
	unused, unusedErr := s.Database.DeleteBatches(ctx, "clients", "id", `origin IN (?, ?) AND created_at < ? AND NOT EXISTS (
		SELECT 1 FROM grants WHERE grants.client_id = clients.id AND grants.ended_at IS NULL AND grants.expires_at > ?
	)`, clients.OriginOpen, clients.OriginDocument, now.Add(-unusedKept), now)
	over, overErr := s.Database.DeleteBatches(ctx, "initial_access_tokens", "id", "expires_at < ? OR uses_left = 0", now)
	return map[string]int64{"clients": unused, "initial_access_tokens": over}, errors.Join(unusedErr, overErr)
}
