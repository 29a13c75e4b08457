package logout

import (
	"context"
	"slices"

	"github.com/google/uuid"
	"github.com/riverqueue/river"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/oidc/grants"
	"github.com/wicket-id/wicket/storage"
)

// Listener takes part in the transactions that end sessions, whatever ends them: it writes down which apps are to be
// told, and takes back what was approved for devices. A session in which no app took part that wants to know costs no
// statement more.
func (p *Service) Listener() *identity.SessionListener {
	return &identity.SessionListener{
		Ending: grants.SessionsEnding,
		Concerns: `EXISTS (
			SELECT 1 FROM participations
			WHERE session_id = id AND client_id IN (SELECT clients.id FROM clients WHERE backchannel_logout_uri <> '')
		)`,
		Ended: func(ctx context.Context, tx bun.Tx, sessionIDs []uuid.UUID) error {
			return p.prepare(ctx, tx, func(q *bun.SelectQuery) *bun.SelectQuery {
				return q.Where("participation.session_id IN (?)", bun.List(sessionIDs))
			})
		},
	}
}

// ClientLeaves takes part in the transaction that deletes a client: what it was granted is void then, so it is told to
// end the sessions that stand. It is a clients.Store.Leaving.
func (p *Service) ClientLeaves(ctx context.Context, tx bun.Tx, clientID string) error {
	now := p.Now()
	return p.prepare(ctx, tx, func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where(`participation.client_id = ? AND "session".ended_at IS NULL AND "session".expires_at > ?`,
			clientID, now)
	})
}

// deliveriesAtOnce is how many one statement writes.
const deliveriesAtOnce = 500

// prepare writes the deliveries to the apps that took part in sessions, as which selects them, each with its job.
func (p *Service) prepare(ctx context.Context, tx bun.Tx, which func(*bun.SelectQuery) *bun.SelectQuery) error {
	now := p.Now()
	var deliveries []*Delivery
	// An app with pairwise subjects is told whom it knows by what it got in this session; if that is nothing, or is
	// forgotten since, of the session alone. Others of its sector may know the person. A grant whose code was deleted is
	// so old that nobody can say whether it was redeemed, unless it was by a refresh token.
	knows := tx.NewSelect().Model((*oidc.Grant)(nil)).ColumnExpr("1").
		Where(`"grant".client_id = client.id AND "grant".session_id = "session".id`).
		Where(`"grant".user_id = "session".user_id`).
		Where(`COALESCE("grant".end_reason, '') <> ?`, oidc.EndedByNewSector).
		Where(`EXISTS (SELECT 1 FROM codes WHERE grant_id = "grant".id AND used_at IS NOT NULL)
			OR EXISTS (SELECT 1 FROM refresh_tokens WHERE grant_id = "grant".id)
			OR "grant".created_at > ? AND NOT EXISTS (SELECT 1 FROM codes WHERE grant_id = "grant".id)`,
			now.Add(-oidc.TombstonesKept))
	query := tx.NewSelect().TableExpr("participations AS participation").
		Join(`JOIN sessions AS "session" ON "session".id = participation.session_id`).
		Join("JOIN clients AS client ON client.id = participation.client_id").
		ColumnExpr("participation.session_id, participation.client_id").
		Join(`LEFT JOIN pairwise_subjects AS pairwise
			ON pairwise.user_id = "session".user_id AND pairwise.sector = client.sector`).
		ColumnExpr(`"session".user_id AS user_id`).
		ColumnExpr(`CASE WHEN client.sector = '' THEN CAST("session".user_id AS TEXT)
			WHEN EXISTS (?) THEN COALESCE(pairwise.sub, '') ELSE '' END AS sub`, knows).
		ColumnExpr("client.backchannel_logout_uri AS uri, client.id_token_alg AS alg").
		ColumnExpr("client.id_token_encryption_alg <> '' AS is_encrypted").
		ColumnExpr("client.origin = ? AS by_operator", clients.OriginOperator).
		Where("client.backchannel_logout_uri <> ''")
	if err := which(query).Scan(ctx, &deliveries); err != nil {
		return err
	}
	var jobs []river.JobArgs
	for _, d := range deliveries {
		d.ID, d.State, d.CreatedAt, d.NextAt = storage.NewID(), DeliveryPending, now, now
		jobs = append(jobs, DeliveryJob{ID: d.ID, ClientID: d.ClientID, Stranger: !d.ByOperator})
	}
	for batch := range slices.Chunk(deliveries, deliveriesAtOnce) {
		if _, err := tx.NewInsert().Model(&batch).Returning("NULL").Exec(ctx); err != nil {
			return err
		}
	}
	return storage.Enqueue(ctx, p.Jobs, tx, jobs...)
}
