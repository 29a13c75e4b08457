package authorize

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage"
)

// Access is what an app may do with somebody's account: what the person has allowed it, and the grants that it holds.
// An app that is trusted has grants alone.
type Access struct {
	Client     *clients.Client
	Scopes     []string
	Consented  bool      // the person was asked
	Since      time.Time // when they allowed it; of an app that did not ask, when its oldest grant was made
	LastUsedAt time.Time // when it last got something by a grant; zero where none is kept
}

// Accesses lists the apps that may do something with a person's account, those that were used last first.
func (p *Service) Accesses(ctx context.Context, userID uuid.UUID) ([]Access, error) {
	consents, err := p.Consents(ctx, userID)
	if err != nil {
		return nil, err
	}
	grants, err := p.GrantsInUse(ctx, userID, "", 0)
	if err != nil {
		return nil, err
	}
	lastUses, err := p.LastUses(ctx, userID)
	if err != nil {
		return nil, err
	}
	accesses := make(map[string]*Access)
	for _, consent := range consents {
		accesses[consent.ClientID] = &Access{Scopes: consent.GrantedScopes, Consented: true, Since: consent.GrantedAt}
	}
	for _, grant := range grants {
		access := accesses[grant.ClientID]
		if access == nil {
			access = &Access{Since: grant.CreatedAt}
			accesses[grant.ClientID] = access
		}
		if !access.Consented && grant.CreatedAt.Before(access.Since) {
			access.Since = grant.CreatedAt
		}
		access.Scopes = append(access.Scopes, without(grant.Scopes, access.Scopes)...)
	}
	list := make([]Access, 0, len(accesses))
	for clientID, access := range accesses {
		access.LastUsedAt = lastUses[clientID]
		access.Client, err = p.Clients.ByID(ctx, clientID)
		if errors.Is(err, storage.ErrNotFound) {
			continue // it was deleted just now, and all that it may do with it
		} else if err != nil {
			return nil, err
		}
		list = append(list, *access)
	}
	slices.SortFunc(list, func(a, b Access) int {
		return cmp.Or(b.LastUsedAt.Compare(a.LastUsedAt), cmp.Compare(a.Client.Name, b.Client.Name))
	})
	return list, nil
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
	ended, err := oidc.EndGrants(ctx, tx, now, reason, func(q *bun.UpdateQuery) *bun.UpdateQuery {
		return q.Where("user_id = ? AND client_id = ?", userID, clientID)
	})
	if err != nil {
		return err
	}
	if !withdrawn && ended == 0 {
		return storage.ErrNotFound
	}
	return nil
}
