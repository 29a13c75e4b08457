package configuration

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/federation"
	"github.com/wicket-id/wicket/identity/declared"
	"github.com/wicket-id/wicket/identity/groups"
	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/oidc/apis"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage"
)

// Detach takes something out of the hands of the file that declares it. A file that names it takes it again when it is
// applied. It returns a *manage.ForbiddenError, a *manage.StepUpError, or storage.ErrNotFound where there is none or no
// file declares it.
func (s *Store) Detach(ctx context.Context, by manage.Caller, kind, id string) error {
	if err := by.Demand(manage.ApplyConfiguration); err != nil {
		return err
	}
	if err := s.demandToDetach(ctx, by, kind, id); err != nil {
		return fmt.Errorf("detach %s %q: %w", kind, id, err)
	}
	now := s.Now()
	err := s.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		row, err := rowOf(ctx, tx, kind, id)
		if err != nil {
			return err
		}
		return row.Release(ctx, tx, now)
	})
	clients.Within{Store: s.Clients}.Forget(id)
	s.APIs.Forget()
	if err != nil {
		return fmt.Errorf("detach %s %q: %w", kind, id, err)
	}
	return nil
}

// demandToDetach returns an error where a caller may not change something by a file either.
func (s *Store) demandToDetach(ctx context.Context, by manage.Caller, kind, id string) error {
	switch kind {
	case KindProvider:
		return by.Demand(manage.WriteProviders)
	case KindClient:
		client, err := s.Clients.ByID(ctx, id)
		if err != nil {
			return err
		}
		return s.demandOver(ctx, by, client)
	}
	return nil
}

func rowOf(ctx context.Context, db bun.IDB, kind, id string) (declared.Row, error) {
	switch kind {
	case KindGroup:
		return groups.Row(ctx, db, id)
	case KindClient:
		return clients.Row(id), nil
	case KindAPI:
		return apis.Row(id), nil
	case KindProvider:
		return federation.Row(id), nil
	}
	return declared.Row{}, storage.ErrNotFound
}
