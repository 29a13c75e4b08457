package authorize

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

// Consent is what a person has allowed an app, and what not; both are remembered.
type Consent struct {
	bun.BaseModel `bun:"table:consents,alias:consent"`

	UserID         uuid.UUID `bun:"user_id,pk,type:uuid"`
	ClientID       string    `bun:"client_id,pk"`
	GrantedScopes  []string  `bun:"granted_scopes,type:jsonb"`
	DeclinedScopes []string  `bun:"declined_scopes,type:jsonb"`
	GrantedAt      time.Time `bun:"granted_at"` // anew with each change, of what is allowed at APIs too

	APIs APIConsents `bun:"-"` // at the APIs that were looked for
}

// covers tells whether the person was asked for all that a request asks for before.
func (c *Consent) covers(a *Request) bool {
	if c == nil || !decided(a.Scopes, c.GrantedScopes, c.DeclinedScopes) {
		return false
	}
	for _, api := range a.APIs {
		at, asked := c.APIs[api.Identifier]
		if !asked || !decided(api.Scopes, at.Granted, at.Declined) {
			return false
		}
	}
	return true
}

func decided(scopes, granted, declined []string) bool {
	return len(without(without(scopes, granted), declined)) == 0
}

// GrantConsent remembers that a person allows the client of a request what is chosen among that which it asks for:
// scopes, and scopes of APIs as AtAPI writes them. openid is always allowed: without it there is nothing to sign in
// to. What was decided earlier about other scopes and APIs stays.
func (p *Service) GrantConsent(ctx context.Context, userID uuid.UUID, a *Request, chosen []string) error {
	now := p.Now()
	before, err := p.Consent(ctx, userID, a.Client.ID)
	if err != nil {
		return err
	}
	atAPIs := decideAtAPIs(userID, a, before, chosen)
	consent := &Consent{
		UserID: userID, ClientID: a.Client.ID, GrantedScopes: []string{}, DeclinedScopes: []string{}, GrantedAt: now,
	}
	if before != nil {
		consent.GrantedScopes = without(before.GrantedScopes, a.Scopes)
		consent.DeclinedScopes = without(before.DeclinedScopes, a.Scopes)
	}
	for _, scope := range a.Scopes {
		if scope == "openid" || slices.Contains(chosen, scope) {
			consent.GrantedScopes = append(consent.GrantedScopes, scope)
		} else {
			consent.DeclinedScopes = append(consent.DeclinedScopes, scope)
		}
	}
	err = p.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewInsert().Model(consent).On("CONFLICT (user_id, client_id) DO UPDATE").
			Set("granted_scopes = EXCLUDED.granted_scopes").
			Set("declined_scopes = EXCLUDED.declined_scopes").
			Set("granted_at = EXCLUDED.granted_at").Exec(ctx)
		if err != nil {
			return err
		}
		if err := saveAPIConsents(ctx, tx, atAPIs); err != nil {
			return err
		}
		change := audit.Change{Entity: "consent", EntityID: a.Client.ID, Action: "granted", UserID: userID,
			New: audit.Values{"granted": consent.GrantedScopes, "declined": consent.DeclinedScopes}}
		if before != nil {
			change.Old = audit.Values{"granted": before.GrantedScopes, "declined": before.DeclinedScopes}
		}
		describe(change.New, atAPIs)
		return audit.Record(ctx, tx, now, change)
	})
	if err != nil {
		return fmt.Errorf("grant consent: %w", err)
	}
	return nil
}

// withdrawConsent forgets what a person has allowed a client, and tells whether there was anything to forget.
func withdrawConsent(
	ctx context.Context, tx bun.Tx, now time.Time, userID uuid.UUID, clientID string,
) (bool, error) {
	var atAPIs []APIConsent // which go with it
	if err := tx.NewSelect().Model(&atAPIs).
		Where("user_id = ? AND client_id = ?", userID, clientID).Scan(ctx); err != nil {
		return false, err
	}
	consent := new(Consent)
	err := tx.NewDelete().Model(consent).
		Where("user_id = ? AND client_id = ?", userID, clientID).Returning("*").Scan(ctx)
	if errors.Is(storage.NotFound(err), storage.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	old := audit.Values{"granted": consent.GrantedScopes, "declined": consent.DeclinedScopes}
	describe(old, atAPIs)
	return true, audit.Record(ctx, tx, now, audit.Change{
		Entity: "consent", EntityID: clientID, Action: "withdrawn", UserID: userID, Old: old,
	})
}

// hold is an update that finds its row only while the consent stands as it was read. Who withdraws it waits then until
// what is granted by it is there, and ends that too.
func (c *Consent) hold(draft bun.IDB) *bun.UpdateQuery {
	return draft.NewUpdate().Model((*Consent)(nil)).
		Set("granted_at = granted_at").
		Where("user_id = ? AND client_id = ? AND granted_at = ?", c.UserID, c.ClientID, c.GrantedAt)
}

func without(scopes, others []string) []string {
	return slices.DeleteFunc(slices.Clone(scopes), func(scope string) bool { return slices.Contains(others, scope) })
}

// Visitor returns whose live session a cookie with that secret holds, and what they have allowed the client; in one
// read, for every authorization request asks both. It returns storage.ErrNotFound where there is no session.
func (p *Service) Visitor(ctx context.Context, secret string, a *Request) (Visitor, error) {
	var found struct {
		identity.Session `bun:",extend"`

		GrantedScopes  []string   `bun:"granted_scopes,type:jsonb"`
		DeclinedScopes []string   `bun:"declined_scopes,type:jsonb"`
		GrantedAt      *time.Time `bun:"granted_at"`

		APIs APIConsents `bun:"api_consents,type:jsonb"`
	}
	query := p.Identity.Sessions().Select(&found, secret).
		ColumnExpr("consent.granted_scopes, consent.declined_scopes, consent.granted_at").
		Where("session.next_secret_hash IS NULL"). // an old secret lets no app in: see identity.RenewSecret
		Join("LEFT JOIN consents AS consent ON consent.user_id = session.user_id AND consent.client_id = ?", a.Client.ID)
	if len(a.APIs) > 0 {
		query = p.withAPIConsents(query)
	}
	if err := p.Identity.Sessions().Scan(ctx, query, secret); err != nil {
		return Visitor{}, fmt.Errorf("visitor: %w", err)
	}
	visitor := Visitor{Session: &found.Session}
	if found.IsRuled {
		visitor.RequiredACR = identity.ACRMultiFactor
	}
	if found.GrantedAt != nil {
		visitor.Consent = &Consent{
			UserID: found.UserID, ClientID: a.Client.ID,
			GrantedScopes: found.GrantedScopes, DeclinedScopes: found.DeclinedScopes,
			GrantedAt: *found.GrantedAt, APIs: found.APIs,
		}
	}
	return visitor, nil
}

// Consent returns what a person has allowed a client, at every API too, or nil.
func (p *Service) Consent(ctx context.Context, userID uuid.UUID, clientID string) (*Consent, error) {
	found, err := p.consents(ctx, 1, func(query *bun.SelectQuery) *bun.SelectQuery {
		return query.Where("consent.user_id = ? AND consent.client_id = ?", userID, clientID)
	})
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return &found[0], nil
}

// Consents lists what a person has allowed which clients, the newest first. limit is how many at the most.
func (p *Service) Consents(ctx context.Context, userID uuid.UUID, limit int) ([]Consent, error) {
	return p.consents(ctx, limit, func(query *bun.SelectQuery) *bun.SelectQuery {
		return query.Where("consent.user_id = ?", userID).Order("consent.granted_at DESC")
	})
}

func (p *Service) consents(
	ctx context.Context, limit int, which func(*bun.SelectQuery) *bun.SelectQuery,
) ([]Consent, error) {
	var found []struct {
		Consent `bun:",extend"`

		AtAPIs APIConsents `bun:"api_consents,type:jsonb"`
	}
	query := p.withAPIConsents(p.Database.Reader().NewSelect().Model(&found).ColumnExpr("consent.*"))
	if err := which(query).Limit(int64(limit)).Scan(ctx); err != nil {
		return nil, fmt.Errorf("consents: %w", err)
	}
	consents := make([]Consent, len(found))
	for i, row := range found {
		consents[i] = row.Consent
		consents[i].APIs = row.AtAPIs
	}
	return consents, nil
}
