package oidc

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

// Declared is what declaring has done: the ids of what was created, and of what was changed.
type Declared struct{ Created, Changed []string }

// Declare makes n things, such as "clients", as an operator has declared them. one makes the i-th as part of the
// transaction and returns the change for the audit trail, without an action where there was nothing to do. All of it is
// one transaction behind one lock, so that replicas that start together do it once.
func (p *Provider) Declare(
	ctx context.Context, things string, n int, one func(ctx context.Context, tx bun.Tx, i int) (audit.Change, error),
) (Declared, error) {
	now := p.Now()
	declared, err := storage.Write(ctx, p.Database, func(ctx context.Context, tx bun.Tx) (declared Declared, err error) {
		if err := p.Database.Lock(ctx, tx, "declare "+things); err != nil {
			return declared, err
		}
		for i := range n {
			change, err := one(ctx, tx, i)
			if err != nil {
				return declared, err
			}
			switch change.Action {
			case "":
				continue
			case "created":
				declared.Created = append(declared.Created, change.EntityID)
			default:
				declared.Changed = append(declared.Changed, change.EntityID)
			}
			if err := audit.Record(ctx, tx, now, change); err != nil {
				return declared, err
			}
		}
		return declared, nil
	})
	if err != nil {
		return Declared{}, fmt.Errorf("declare %s: %w", things, err)
	}
	return declared, nil
}
