package seal

import (
	"context"
	"errors"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/storage"
)

// SealedColumn is where something sealed is kept: the column of a table, the column that names its rows, and the
// purpose.
type SealedColumn struct {
	Table, Key, Column, Purpose string
}

const resealedAtOnce = 500

// Reseal seals anew, with the first master key, what another one has sealed in a column, beside running servers; and
// returns how many values that were. What none of the keys opens stays as it is, and is an ErrSealed that names the
// row.
func Reseal(ctx context.Context, d *storage.Database, seal *Seal, at SealedColumn) (renewed int64, err error) {
	var faults []error
	for last, more := "", true; more; {
		var rows []struct {
			Key   string
			Value []byte
		}
		query := d.Reader().NewSelect().
			Table(at.Table).
			ColumnExpr("CAST(? AS TEXT) AS key, ? AS value", bun.Ident(at.Key), bun.Ident(at.Column)).
			Where("? IS NOT NULL", bun.Ident(at.Column)).OrderExpr("?", bun.Ident(at.Key)).Limit(resealedAtOnce)
		if last != "" {
			query.Where("? > ?", bun.Ident(at.Key), last)
		}
		if err := query.Scan(ctx, &rows); err != nil {
			return renewed, fmt.Errorf("reseal %s: %w", at.Table, err)
		}
		for _, row := range rows {
			last = row.Key
			plaintext, current, err := seal.open(at.Purpose, row.Value)
			if err != nil {
				faults = append(faults, fmt.Errorf("%s %s: %w", at.Table, row.Key, err))
			}
			if err != nil || current {
				continue
			}
			changed, err := storage.Write(ctx, d, func(ctx context.Context, tx bun.Tx) (int64, error) {
				result, err := tx.NewUpdate().Table(at.Table).Set("? = ?", bun.Ident(at.Column), seal.Close(at.Purpose, plaintext)).
					Where("? = ? AND ? = ?", bun.Ident(at.Key), row.Key, bun.Ident(at.Column), row.Value).Exec(ctx)
				if err != nil {
					return 0, err
				}
				return result.RowsAffected() // none where somebody has just sealed another value there
			})
			if err != nil {
				return renewed, fmt.Errorf("reseal %s: %w", at.Table, err)
			}
			renewed += changed
		}
		more = len(rows) == resealedAtOnce
	}
	return renewed, errors.Join(faults...)
}
