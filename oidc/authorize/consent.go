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
	GrantedAt      time.Time `bun:"granted_at"`
}

// GrantConsent remembers that a person allows the client of a request the scopes chosen among those it asks for. openid
// is always allowed: without it there is nothing to sign in to. What was decided earlier about other scopes stays.
func (p *Service) GrantConsent(ctx context.Context, userID uuid.UUID, a *Request, chosen []string) error {
	now := p.Now()
	before, err := p.Consent(ctx, userID, a.Client.ID)
	if err != nil {
		return err
	}
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
		change := audit.Change{Entity: "consent", EntityID: a.Client.ID, Action: "granted", UserID: userID,
			New: audit.Values{"granted": consent.GrantedScopes, "declined": consent.DeclinedScopes}}
		if before != nil {
			change.Old = audit.Values{"granted": before.GrantedScopes, "declined": before.DeclinedScopes}
		}
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
	consent := new(Consent)
	err := tx.NewDelete().Model(consent).
		Where("user_id = ? AND client_id = ?", userID, clientID).Returning("*").Scan(ctx)
	if errors.Is(storage.NotFound(err), storage.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, audit.Record(ctx, tx, now, audit.Change{
		Entity: "consent", EntityID: clientID, Action: "withdrawn", UserID: userID,
		Old: audit.Values{"granted": consent.GrantedScopes, "declined": consent.DeclinedScopes},
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
func (p *Service) Visitor(ctx context.Context, secret, clientID string) (Visitor, error) {
	var found struct {
		identity.Session `bun:",extend"`

		GrantedScopes  []string   `bun:"granted_scopes,type:jsonb"`
		DeclinedScopes []string   `bun:"declined_scopes,type:jsonb"`
		GrantedAt      *time.Time `bun:"granted_at"`
	}
	query := p.Identity.Sessions().Select(&found, secret).
		ColumnExpr("consent.granted_scopes, consent.declined_scopes, consent.granted_at").
		Where("session.next_secret_hash IS NULL"). // an old secret lets no app in: see identity.RenewSecret
		Join("LEFT JOIN consents AS consent ON consent.user_id = session.user_id AND consent.client_id = ?", clientID)
	if err := p.Identity.Sessions().Scan(ctx, query, secret); err != nil {
		return Visitor{}, fmt.Errorf("visitor: %w", err)
	}
	visitor := Visitor{Session: &found.Session}
	if found.IsRuled {
		visitor.RequiredACR = identity.ACRMultiFactor
	}
	if found.GrantedAt != nil {
		visitor.Consent = &Consent{
			UserID: found.UserID, ClientID: clientID, GrantedScopes: found.GrantedScopes, DeclinedScopes: found.DeclinedScopes,
			GrantedAt: *found.GrantedAt,
		}
	}
	return visitor, nil
}

// Consent returns what a person has allowed a client, or nil.
func (p *Service) Consent(ctx context.Context, userID uuid.UUID, clientID string) (*Consent, error) {
	consent := new(Consent)
	err := p.Database.Reader().NewSelect().Model(consent).
		Where("user_id = ? AND client_id = ?", userID, clientID).Scan(ctx)
	if errors.Is(storage.NotFound(err), storage.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("consent: %w", err)
	}
	return consent, nil
}

// Consents lists what a person has allowed which clients, the newest first. limit is how many at the most.
func (p *Service) Consents(ctx context.Context, userID uuid.UUID, limit int) ([]Consent, error) {
	var consents []Consent
	if err := p.Database.Reader().NewSelect().Model(&consents).
		Where("user_id = ?", userID).
		Order("granted_at DESC").Limit(int64(limit)).Scan(ctx); err != nil {
		return nil, fmt.Errorf("consents: %w", err)
	}
	return consents, nil
}
