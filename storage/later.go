package storage

import (
	"context"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/schema"
)

// laterKey is the context key of the statements that a transaction runs at its end.
type laterKey struct{}

// Later runs a statement that asks nothing, such as a line of a log, at the end of the transaction that Write gave ctx
// and tx to. Those of one transaction run in their order and in one round trip; if one fails, so does the transaction.
// In another transaction the statement runs at once.
func Later(ctx context.Context, tx bun.Tx, statement schema.QueryAppender) error {
	if statements, ok := ctx.Value(laterKey{}).(*[]schema.QueryAppender); ok {
		*statements = append(*statements, statement)
		return nil
	}
	return script(ctx, tx, statement)
}

// toItsEnd runs do, and then what it has left for later.
func toItsEnd(ctx context.Context, tx bun.Tx, do func(ctx context.Context, tx bun.Tx) error) error {
	var statements []schema.QueryAppender
	err := do(context.WithValue(ctx, laterKey{}, &statements), tx)
	if err != nil || len(statements) == 0 {
		return err
	}
	return script(context.WithValue(ctx, inOneTrip{}, true), tx, statements...)
}
