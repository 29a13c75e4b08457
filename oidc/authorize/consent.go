package authorize

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/access"
	"github.com/wicket-id/wicket/oidc/clients"
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
	// asked for by name, beside scopes: see Request.NamedClaims
	GrantedClaims  []string `bun:"granted_claims,type:jsonb"`
	DeclinedClaims []string `bun:"declined_claims,type:jsonb"`
	// hosts that an app that nobody vouches for may send people to: they are all that a person can know it by
	Destinations []string  `bun:"destinations,type:jsonb"`
	GrantedAt    time.Time `bun:"granted_at"` // anew with each change, of what is allowed at APIs too

	APIs APIConsents `bun:"-"` // at the APIs that were looked for
}

// covers tells whether the person was asked for all that a request asks for before.
func (c *Consent) covers(a *Request) bool {
	if c == nil || !decided(a.Scopes, c.GrantedScopes, c.DeclinedScopes) {
		return false
	}
	if a.Client.IsStranger() && !slices.Contains(c.Destinations, clients.DestinationOf(a.RedirectURI)) {
		return false
	}
	for _, api := range a.APIs {
		at, asked := c.APIs[api.Identifier]
		if !asked || !decided(api.Scopes, at.Granted, at.Declined) {
			return false
		}
	}
	for _, name := range a.NamedClaims() {
		byScope := decided([]string{oidc.ScopeOf(name)}, c.GrantedScopes, c.DeclinedScopes)
		if !byScope && !decided([]string{name}, c.GrantedClaims, c.DeclinedClaims) {
			return false
		}
	}
	return true
}

// allows returns what the person allows of the claims that are asked for by name: those that they have allowed by
// name, and those that a scope gives which they have allowed.
func (c *Consent) allows(asked *oidc.ClaimsRequest) *oidc.ClaimsRequest {
	return asked.Only(slices.DeleteFunc(asked.Names(), func(name string) bool {
		byScope := slices.Contains(c.GrantedScopes, oidc.ScopeOf(name)) && !slices.Contains(c.DeclinedClaims, name)
		return !byScope && !slices.Contains(c.GrantedClaims, name)
	}))
}

func decided(scopes, granted, declined []string) bool {
	return len(without(without(scopes, granted), declined)) == 0
}

// GrantConsent remembers that a person allows the client of a request what is chosen among that which it asks for:
// scopes, and scopes of APIs as AtAPI writes them, and named claims. openid is always allowed: without it there is
// nothing to sign in to. What was decided earlier about other scopes, claims and APIs stays; where that changes at the
// same time, in another tab or because it is withdrawn, it is read again.
func (p *Service) GrantConsent(ctx context.Context, userID uuid.UUID, a *Request, scopes, claims []string) error {
	for {
		before, err := p.Consent(ctx, userID, a.Client.ID)
		if err != nil {
			return err
		}
		saved, err := p.grantConsent(ctx, userID, a, before, scopes, claims)
		if err != nil {
			return fmt.Errorf("grant consent: %w", err)
		}
		if saved {
			return nil
		}
	}
}

// grantConsent is GrantConsent in place of a consent that was read, or nil. It tells whether that still stood.
func (p *Service) grantConsent(
	ctx context.Context, userID uuid.UUID, a *Request, before *Consent, scopes, claims []string,
) (saved bool, err error) {
	now, earlier := p.Now(), before
	if before != nil && !now.After(before.GrantedAt) {
		now = before.GrantedAt.Add(time.Microsecond) // each has a time of its own, by which it is known
	}
	if before.isVoid(a.Client) { // what was allowed to the app as it was then is not allowed to what it is now
		earlier = nil
	}
	atAPIs := decideAtAPIs(userID, a, earlier, scopes)
	consent := earlier.decide(a, scopes, claims)
	consent.UserID, consent.ClientID, consent.GrantedAt = userID, a.Client.ID, now
	return storage.Write(ctx, p.Database, func(ctx context.Context, tx bun.Tx) (bool, error) {
		if saved, err := consent.save(ctx, tx, before); err != nil || !saved {
			return false, err
		}
		if earlier == nil {
			if err := forgetAPIConsents(ctx, tx, userID, a.Client.ID); err != nil {
				return false, err
			}
		}
		if err := saveAPIConsents(ctx, tx, atAPIs); err != nil {
			return false, err
		}
		change := audit.Change{
			Entity: "consent", EntityID: a.Client.ID, Action: "granted", UserID: userID, New: consent.values(),
		}
		if before != nil {
			change.Old = before.values()
		}
		describe(change.New, atAPIs)
		return true, audit.Record(ctx, tx, now, change)
	})
}

// save writes a consent in place of the one that was read before, or as the first, and tells whether that still stood.
func (c *Consent) save(ctx context.Context, tx bun.Tx, before *Consent) (bool, error) {
	var result sql.Result
	var err error
	if before == nil {
		result, err = tx.NewInsert().Model(c).On("CONFLICT (user_id, client_id) DO NOTHING").Returning("NULL").Exec(ctx)
	} else {
		result, err = tx.NewUpdate().Model(c).WherePK().Where("granted_at = ?", before.GrantedAt).Exec(ctx)
	}
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	return n > 0, err
}

// isVoid tells whether the consent was given to what a client was before it changed in a way that matters.
func (c *Consent) isVoid(client *clients.Client) bool {
	return c != nil && client.ConsentsFrom != nil && c.GrantedAt.Before(*client.ConsentsFrom)
}

// values is what the audit trail keeps of a consent, besides what is allowed at APIs.
func (c *Consent) values() audit.Values {
	values := audit.Values{"granted": c.GrantedScopes, "declined": c.DeclinedScopes}
	if len(c.GrantedClaims)+len(c.DeclinedClaims) > 0 {
		values["granted_claims"], values["declined_claims"] = c.GrantedClaims, c.DeclinedClaims
	}
	return values
}

// decide is what a person allows and declines once they have answered a request, of the scopes and named claims of
// which they allow those; c is what they decided before, or nil. What is decided of a scope is decided of its claims.
func (c *Consent) decide(a *Request, scopes, claims []string) *Consent {
	if c == nil {
		c = new(Consent)
	}
	named := a.NamedClaims()
	settled := slices.Clone(named)
	for _, scope := range a.Scopes {
		settled = append(settled, oidc.ClaimsOf(scope)...)
	}
	after := &Consent{
		GrantedScopes: without(c.GrantedScopes, a.Scopes), DeclinedScopes: without(c.DeclinedScopes, a.Scopes),
		GrantedClaims: without(c.GrantedClaims, settled), DeclinedClaims: without(c.DeclinedClaims, settled),
		Destinations: []string{},
	}
	if to := clients.DestinationOf(a.RedirectURI); a.Client.IsStranger() {
		after.Destinations = append(without(c.Destinations, []string{to}), to)
	}
	for _, scope := range a.Scopes {
		if scope == "openid" || slices.Contains(scopes, scope) {
			after.GrantedScopes = append(after.GrantedScopes, scope)
		} else {
			after.DeclinedScopes = append(after.DeclinedScopes, scope)
		}
	}
	for _, name := range named {
		if slices.Contains(claims, name) {
			after.GrantedClaims = append(after.GrantedClaims, name)
		} else {
			after.DeclinedClaims = append(after.DeclinedClaims, name)
		}
	}
	return after
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
	old := consent.values()
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

// without returns those of names that are not among others; never nil.
func without(names, others []string) []string {
	kept := []string{}
	for _, name := range names {
		if !slices.Contains(others, name) {
			kept = append(kept, name)
		}
	}
	return kept
}

// Visitor returns whose live session a cookie with that secret holds, whether they may use the client, and what they
// have allowed it; in one read, for every authorization request asks all of it. It returns storage.ErrNotFound where
// there is no session.
func (p *Service) Visitor(ctx context.Context, secret string, a *Request) (Visitor, error) {
	var found struct {
		identity.Session `bun:",extend"`

		GrantedScopes  []string   `bun:"granted_scopes,type:jsonb"`
		DeclinedScopes []string   `bun:"declined_scopes,type:jsonb"`
		GrantedClaims  []string   `bun:"granted_claims,type:jsonb"`
		DeclinedClaims []string   `bun:"declined_claims,type:jsonb"`
		Destinations   []string   `bun:"destinations,type:jsonb"`
		GrantedAt      *time.Time `bun:"granted_at"`

		APIs     APIConsents `bun:"api_consents,type:jsonb"`
		Pairwise string      `bun:"pairwise,nullzero"`
		MayUse   bool        `bun:"may_use"`
	}
	query := p.Identity.Sessions().Select(&found, secret).
		ColumnExpr("consent.granted_scopes, consent.declined_scopes, consent.granted_claims, consent.declined_claims").
		ColumnExpr("consent.destinations, consent.granted_at").
		Where("session.next_secret_hash IS NULL"). // an old secret lets no app in: see identity.RenewSecret
		Join("LEFT JOIN consents AS consent ON consent.user_id = session.user_id AND consent.client_id = ?", a.Client.ID).
		Join("LEFT JOIN clients AS client ON client.id = ?", a.Client.ID) // which may be remembered as it was
	query = access.Select(query, "session.user_id")
	if len(a.APIs) > 0 {
		query = p.withAPIConsents(query)
	}
	if a.HintSubject != "" && a.Client.Sector != "" {
		query = query.ColumnExpr(
			"(SELECT sub FROM pairwise_subjects WHERE user_id = session.user_id AND sector = ?) AS pairwise", a.Client.Sector,
		)
	}
	if err := p.Identity.Sessions().Scan(ctx, query, secret); err != nil {
		return Visitor{}, fmt.Errorf("visitor: %w", err)
	}
	visitor := Visitor{Session: &found.Session, Pairwise: found.Pairwise, Excluded: !found.MayUse}
	if found.IsRuled {
		visitor.RequiredACR = identity.ACRMultiFactor
	}
	if found.GrantedAt != nil {
		visitor.Consent = &Consent{
			UserID: found.UserID, ClientID: a.Client.ID,
			GrantedScopes: found.GrantedScopes, DeclinedScopes: found.DeclinedScopes,
			GrantedClaims: found.GrantedClaims, DeclinedClaims: found.DeclinedClaims,
			Destinations: found.Destinations, GrantedAt: *found.GrantedAt, APIs: found.APIs,
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
