package registration

import (
	"context"
	"errors"
	"time"

	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage"
)

const (
	// unusedKept is how long an app that anybody may have registered is kept without a grant that stands.
	unusedKept = 30 * 24 * time.Hour
	// mostAtOnce is how many of them go at a time: each is deleted as an operator would do it.
	mostAtOnce = 1000
)

// Expire deletes apps that made themselves known without a token and that nobody uses, and initial access tokens that
// are over. It returns how many rows of each table went.
func (s *Service) Expire(ctx context.Context) (map[string]int64, error) {
	now := s.Now()
	unused, unusedErr := s.expireUnused(ctx, now)
	over, overErr := s.Database.DeleteBatches(ctx, "initial_access_tokens", "id", "expires_at < ? OR uses_left = 0", now)
	return map[string]int64{"clients": unused, "initial_access_tokens": over}, errors.Join(unusedErr, overErr)
}

func (s *Service) expireUnused(ctx context.Context, now time.Time) (deleted int64, err error) {
	var ids []string
	err = s.Database.Reader().NewSelect().Model((*clients.Client)(nil)).Column("id").
		Where("origin IN (?, ?) AND created_at < ?", clients.OriginOpen, clients.OriginDocument, now.Add(-unusedKept)).
		Where("declared_by = ''"). // a file keeps it
		Where(`NOT EXISTS (
			SELECT 1 FROM grants WHERE grants.client_id = client.id AND grants.ended_at IS NULL AND grants.expires_at > ?
		)`, now).
		Limit(mostAtOnce).Scan(ctx, &ids)
	for _, id := range ids {
		if err == nil {
			err = s.Clients.Delete(ctx, id)
		}
		if err == nil {
			deleted++
		} else if errors.Is(err, storage.ErrNotFound) { // another replica, or the app itself
			err = nil
		}
	}
	return deleted, err
}
