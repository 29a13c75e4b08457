package authorize

import (
	"context"
	"slices"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/apis"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

// APIConsent is what a person has allowed an app at one API, and what not. It belongs to a Consent: a scope may have
// the same name at several APIs and mean something else at each.
type APIConsent struct {
	bun.BaseModel `bun:"table:api_consents,alias:api_consent"`

	UserID         uuid.UUID `bun:"user_id,pk,type:uuid"`
	ClientID       string    `bun:"client_id,pk"`
	API            string    `bun:"api,pk"`
	GrantedScopes  []string  `bun:"granted_scopes,type:jsonb"`
	DeclinedScopes []string  `bun:"declined_scopes,type:jsonb"`
}

// APIConsents are the decisions of a person about an app, by API.
type APIConsents map[string]APIDecision

// APIDecision is what was decided at one API.
type APIDecision struct {
	Granted  []string `json:"granted"`
	Declined []string `json:"declined"`
}

// AtAPI is how a scope of an API is written where it stands among others: neither part has spaces.
func AtAPI(api, scope string) string { return api + " " + scope }

// requestedAt is all that a request asks for at APIs.
func requestedAt(requested []apis.Requested) oidc.APIScopes {
	at := oidc.APIScopes{}
	for _, api := range requested {
		at[api.Identifier] = api.Scopes
	}
	return at
}

// at is what the person has allowed of that.
func (c *Consent) at(requested []apis.Requested) oidc.APIScopes {
	at := oidc.APIScopes{}
	for _, api := range requested {
		at[api.Identifier] = oidc.Intersect(api.Scopes, c.APIs[api.Identifier].Granted)
	}
	return at
}

// decideAtAPIs is what a person decides about the APIs of a request by what they have chosen. What they decided before
// about other scopes of these stays.
func decideAtAPIs(userID uuid.UUID, a *Request, before *Consent, chosen []string) []APIConsent {
	decisions := make([]APIConsent, 0, len(a.APIs))
	for _, api := range a.APIs {
		decision := APIConsent{
			UserID: userID, ClientID: a.Client.ID, API: api.Identifier, GrantedScopes: []string{}, DeclinedScopes: []string{},
		}
		if before != nil {
			earlier := before.APIs[api.Identifier]
			decision.GrantedScopes = append(decision.GrantedScopes, without(earlier.Granted, api.Scopes)...)
			decision.DeclinedScopes = append(decision.DeclinedScopes, without(earlier.Declined, api.Scopes)...)
		}
		for _, scope := range api.Scopes {
			if slices.Contains(chosen, AtAPI(api.Identifier, scope)) {
				decision.GrantedScopes = append(decision.GrantedScopes, scope)
			} else {
				decision.DeclinedScopes = append(decision.DeclinedScopes, scope)
			}
		}
		decisions = append(decisions, decision)
	}
	return decisions
}

func saveAPIConsents(ctx context.Context, tx bun.Tx, decisions []APIConsent) error {
	if len(decisions) == 0 {
		return nil
	}
	_, err := tx.NewInsert().Model(&decisions).On("CONFLICT (user_id, client_id, api) DO UPDATE").
		Set("granted_scopes = EXCLUDED.granted_scopes").
		Set("declined_scopes = EXCLUDED.declined_scopes").Exec(ctx)
	return err
}

// describe adds decisions to what the audit trail keeps of a consent.
func describe(values audit.Values, decisions []APIConsent) {
	for _, at := range decisions {
		values["at "+at.API] = audit.Values{"granted": at.GrantedScopes, "declined": at.DeclinedScopes}
	}
}

// forgetAPIConsents deletes what a person has decided about an app at APIs.
func forgetAPIConsents(ctx context.Context, tx bun.Tx, userID uuid.UUID, clientID string) error {
	_, err := tx.NewDelete().Model((*APIConsent)(nil)).Where("user_id = ? AND client_id = ?", userID, clientID).Exec(ctx)
	return err
}

// withAPIConsents adds the APIConsents to a query of consents, as the column api_consents.
func (p *Service) withAPIConsents(query *bun.SelectQuery) *bun.SelectQuery {
	object, decision := "json_group_object", "json_object('granted', json(granted_scopes), 'declined', json(declined_scopes))"
	if p.Database.Kind == storage.Postgres {
		object, decision = "jsonb_object_agg", "jsonb_build_object('granted', granted_scopes, 'declined', declined_scopes)"
	}
	return query.ColumnExpr("(?) AS api_consents", p.Database.Reader().NewSelect().Model((*APIConsent)(nil)).
		ColumnExpr(object+"(api, "+decision+")").
		Where("api_consent.user_id = consent.user_id AND api_consent.client_id = consent.client_id"))
}
