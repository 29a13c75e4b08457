package storage

import (
	"context"

	"github.com/uptrace/bun"
)

// Alter is a migration of that script by itself.
func (d *Database) Alter(ctx context.Context, script string) error {
	_, err := alter(ctx, d, "migrate", func(ctx context.Context, tx bun.Tx) (none struct{}, err error) {
		_, err = tx.Tx.ExecContext(ctx, script)
		return none, err
	})
	return err
}
