package storage

import (
	"context"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/schema"
)

// Batch runs several statements in one round trip, in their order; it stops at the first that fails. It is for writes
// whose number of rows nobody asks about: a statement whose outcome decides something is run alone.
func Batch(ctx context.Context, tx bun.Tx, statements ...schema.QueryAppender) error {
	gen := schema.NewQueryGen(tx.Dialect())
	var script []byte
	for i, statement := range statements {
		if i > 0 {
			script = append(script, ";\n"...)
		}
		var err error
		if script, err = statement.AppendQuery(gen, script); err != nil {
			return err
		}
	}
	_, err := tx.ExecContext(ctx, string(script))
	return err
}
