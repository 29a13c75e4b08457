package clients

import (
	"context"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/storage/audit"
)

// asksAgain tells whether people must be asked for their consent again after these columns of a client that says itself
// what it is have changed: it receives answers elsewhere, proves in another way who it is, or knows people by another
// name.
func asksAgain(changed audit.Values) bool {
	return slices.ContainsFunc([]string{
		"redirect_uris", "auth_method", "jwks", "jwks_uri", "subject_type", "sector_identifier_uri",
	}, func(column string) bool {
		_, is := changed[column]
		return is
	})
}

// leavesSector tells whether a client that says itself what it is would know people by another name than before: what
// they have allowed it must not tell it that both are the same person, nor, where it was pairwise, who that is
// elsewhere. An operator's change is an operator's to answer for.
func leavesSector(after, before *Client) bool {
	return after.Origin != OriginOperator && after.Sector != before.Sector
}

// endWhatWasGranted ends, as part of tx, all that people have granted to a client, with all tokens, and what they have
// approved for a device that has not fetched it yet.
func endWhatWasGranted(ctx context.Context, tx bun.Tx, now time.Time, clientID string) error {
	// Before the grants, which they may become meanwhile: see grants.CancelDevices.
	if _, err := tx.NewRaw(`UPDATE device_requests SET status = 'denied'
		WHERE client_id = ? AND status = 'approved' AND used_at IS NULL`, clientID).Exec(ctx); err != nil {
		return err
	}
	_, err := oidc.EndGrants(ctx, tx, now, oidc.EndedByNewSector, func(q *bun.UpdateQuery) *bun.UpdateQuery {
		return q.Where("client_id = ?", clientID)
	})
	return err
}
