package storage

import (
	"database/sql"
	"errors"
)

// OneRow is the error of a change that must have found its row.
func OneRow(result sql.Result, err error) error {
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, ErrNotFound)
	}
	return nil
}
