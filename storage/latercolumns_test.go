package storage_test

import (
	"testing"

	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// A version goes on beside the next one, whose migrations have added columns.
func TestColumnsOfTheNextVersionAreLeftAlone(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.Database) {
		var row struct{ Known int }
		if err := db.Reader().NewRaw("SELECT 1 AS known, 2 AS later").Scan(t.Context(), &row); err != nil || row.Known != 1 {
			t.Errorf("%+v, %v", row, err)
		}
	})
}
