package authorize

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/oidc/grants"
	"github.com/wicket-id/wicket/storage"
)

// Access is what an app may do with somebody's account: what the person has allowed it, and the grants that it holds.
// An app that is trusted has grants alone.
type Access struct {
	Client     *clients.Client
	Scopes     []string
	Claims     []string // by name, besides what the scopes give
	APIs       oidc.APIScopes
	Consented  bool      // the person was asked
	Since      time.Time // when they allowed it; of an app that did not ask, when its oldest grant was made
	LastUsedAt time.Time // when it last got something by a grant; zero where none is kept
}

// maxAccesses is how many apps are listed at the most.
const maxAccesses = 100

// Accesses lists the apps that may do something with a person's account, those that were used last first, and tells
// whether there are more than are listed.
func (p *Service) Accesses(ctx context.Context, userID uuid.UUID) (list []Access, more bool, err error) {
	list, err = p.accesses(ctx, userID, func(query *bun.SelectQuery) *bun.SelectQuery { return query })
	if len(list) > maxAccesses {
		return list[:maxAccesses], true, nil
	}
	return list, false, err
}

// Access returns what one app may do with a person's account, or storage.ErrNotFound where that is nothing.
func (p *Service) Access(ctx context.Context, userID uuid.UUID, clientID string) (*Access, error) {
	list, err := p.accesses(ctx, userID, func(query *bun.SelectQuery) *bun.SelectQuery {
		return query.Where("client.id = ?", clientID)
	})
	if err == nil && len(list) == 0 {
		err = storage.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	return &list[0], nil
}

// accesses reads what apps may do in one query, one app more than are listed at the most. A person may have thousands
// of grants, so the database puts those of an app together.
func (p *Service) accesses(
	ctx context.Context, userID uuid.UUID, which func(*bun.SelectQuery) *bun.SelectQuery,
) ([]Access, error) {
	var found []struct {
		clients.Client `bun:",extend"`

		GrantedScopes []string   `bun:"granted_scopes,type:jsonb"`
		GrantedClaims []string   `bun:"granted_claims,type:jsonb"`
		GrantedAt     *time.Time `bun:"granted_at"`
		HeldScopes    []string   `bun:"held_scopes,type:jsonb"`
		HeldClaims    []string   `bun:"held_claims,type:jsonb"` // requests as JSON

		AtAPIs APIConsents      `bun:"api_consents,type:jsonb"`
		HeldAt []oidc.APIScopes `bun:"held_apis,type:jsonb"`

		HeldSince  *time.Time `bun:"held_since"`
		LastUsedAt *time.Time `bun:"last_used_at"`
	}
	query := p.withAPIConsents(p.Database.Reader().NewSelect().Model(&found)).
		With("held", p.held(userID)).
		With("used", p.used(userID)).
		ColumnExpr("client.*, consent.granted_scopes, consent.granted_claims, consent.granted_at").
		ColumnExpr("held.scopes AS held_scopes, held.claims AS held_claims, held.apis AS held_apis").
		ColumnExpr("held.since AS held_since, used.last_used_at").
		Join("LEFT JOIN consents AS consent ON consent.client_id = client.id AND consent.user_id = ?", userID).
		Join("LEFT JOIN held ON held.client_id = client.id").
		Join("LEFT JOIN used ON used.client_id = client.id").
		Where("client.id IN (SELECT client_id FROM consents WHERE user_id = ? UNION SELECT client_id FROM held)", userID).
		OrderExpr("used.last_used_at DESC NULLS LAST, client.name, client.id").
		Limit(maxAccesses + 1)
	if err := which(query).Scan(ctx); err != nil {
		return nil, fmt.Errorf("accesses: %w", err)
	}
	list := make([]Access, len(found))
	for i, row := range found {
		access := Access{Client: &row.Client, Consented: row.GrantedAt != nil}
		access.Scopes = append(row.GrantedScopes, without(row.HeldScopes, row.GrantedScopes)...)
		access.APIs = atAPIs(row.AtAPIs, row.HeldAt)
		names, err := namesOf(row.HeldClaims)
		if err != nil {
			return nil, err
		}
		access.Claims = beside(access.Scopes, append(names, row.GrantedClaims...))
		switch {
		case row.GrantedAt != nil:
			access.Since = *row.GrantedAt
		case row.HeldSince != nil:
			access.Since = *row.HeldSince
		}
		if row.LastUsedAt != nil {
			access.LastUsedAt = *row.LastUsedAt
		}
		list[i] = access
	}
	return list, nil
}

// atAPIs is what was allowed at APIs, and what grants hold there besides.
func atAPIs(decided APIConsents, held []oidc.APIScopes) oidc.APIScopes {
	at := oidc.APIScopes{}
	for api, decision := range decided {
		at[api] = decision.Granted
	}
	for _, scopes := range held {
		for api := range scopes {
			at[api] = append(at[api], without(scopes[api], at[api])...)
		}
	}
	return at
}

// beside returns those of the claims that none of the scopes gives, each once.
func beside(scopes, claims []string) []string {
	slices.Sort(claims)
	return slices.DeleteFunc(slices.Compact(claims), func(name string) bool {
		return slices.Contains(scopes, oidc.ScopeOf(name))
	})
}

// namesOf returns the names of claims in requests for them, which are JSON.
func namesOf(requests []string) (names []string, err error) {
	for _, encoded := range requests {
		request := new(oidc.ClaimsRequest)
		if err := json.Unmarshal([]byte(encoded), request); err != nil {
			return nil, fmt.Errorf("claims of a grant: %w", err)
		}
		names = append(names, request.Names()...)
	}
	return names, nil
}

// held selects by client what the grants of a person that stand hold together, and since when.
func (p *Service) held(userID uuid.UUID) *bun.SelectQuery {
	array, apis := "json_group_array", `json('[' || group_concat(DISTINCT "grant".apis) || ']')`
	join := `LEFT JOIN json_each("grant".scopes) AS scope ON TRUE`
	if p.Database.Kind == storage.Postgres {
		array, apis = "jsonb_agg", `jsonb_agg(DISTINCT "grant".apis)`
		join = `LEFT JOIN LATERAL jsonb_array_elements_text("grant".scopes) AS scope(value) ON TRUE`
	}
	return p.StandingGrants().
		ColumnExpr(`"grant".client_id, MIN("grant".created_at) AS since`).
		ColumnExpr(array+"(DISTINCT scope.value) FILTER (WHERE scope.value IS NOT NULL) AS scopes").
		ColumnExpr(array+`(DISTINCT CAST("grant".claims AS TEXT)) FILTER (WHERE "grant".claims IS NOT NULL) AS claims`).
		ColumnExpr(apis+" AS apis").
		Join(join).
		Where(`"grant".user_id = ?`, userID).
		Group("grant.client_id")
}

// used selects by client when it last got something by the grants of a person that are kept, ended ones too.
func (p *Service) used(userID uuid.UUID) *bun.SelectQuery {
	return p.Database.Reader().NewSelect().Model((*oidc.Grant)(nil)).
		ColumnExpr(`"grant".client_id, MAX(COALESCE(refresh_token.created_at, "grant".created_at)) AS last_used_at`).
		Join(`LEFT JOIN refresh_tokens AS refresh_token ON refresh_token.grant_id = "grant".id`).
		Where(`"grant".user_id = ?`, userID).
		Group("grant.client_id")
}

// RemoveAccess is what the owner of an account does to an app: their consent is withdrawn, and its grants end with all
// their tokens. It returns storage.ErrNotFound where the app may do nothing with this account.
func (p *Service) RemoveAccess(ctx context.Context, by *identity.Reauthenticated, clientID string) error {
	now := p.Now()
	err := p.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		if err := by.Stands(ctx, tx); err != nil {
			return err
		}
		return removeAccess(ctx, tx, now, by.UserID, clientID, oidc.EndedByOwner)
	})
	if err != nil {
		return fmt.Errorf("remove access: %w", err)
	}
	return nil
}

// RevokeAccess is RemoveAccess as an operator does it to somebody's account.
func (p *Service) RevokeAccess(ctx context.Context, userID uuid.UUID, clientID string) error {
	now := p.Now()
	err := p.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		return removeAccess(ctx, tx, now, userID, clientID, oidc.EndedByOperator)
	})
	if err != nil {
		return fmt.Errorf("revoke access: %w", err)
	}
	return nil
}

func removeAccess(
	ctx context.Context, tx bun.Tx, now time.Time, userID uuid.UUID, clientID, reason string,
) error {
	withdrawn, err := withdrawConsent(ctx, tx, now, userID, clientID)
	if err != nil {
		return err
	}
	cancelled, err := grants.CancelDevices(ctx, tx, userID, clientID) // before grants, which they may become meanwhile
	if err != nil {
		return err
	}
	ended, err := oidc.EndGrants(ctx, tx, now, reason, func(q *bun.UpdateQuery) *bun.UpdateQuery {
		return q.Where("user_id = ? AND client_id = ?", userID, clientID)
	})
	if err != nil {
		return err
	}
	if !withdrawn && ended == 0 && cancelled == 0 {
		return storage.ErrNotFound
	}
	return nil
}
