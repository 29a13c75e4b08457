package federation

import (
	"context"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// A provider of a kind that only a later version of Wicket knows is left out, and the others work.
func TestProvidersOfAnUnknownKindAreLeftOut(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.Database) {
		now := time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)
		u := &Upstreams{Database: db, Now: func() time.Time { return now }, Named: func() []Provider { return nil }}
		rows := []Provider{
			{ID: "google", Kind: KindGoogle, Name: "Google", IsActive: true, CreatedAt: now, ModifiedAt: now},
			{ID: "wallet", Kind: "wallet", Name: "Wallet", IsActive: true, CreatedAt: now, ModifiedAt: now},
		}
		for i := range rows {
			rows[i].SealedSecret = []byte("sealed")
		}
		err := db.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
			_, err := tx.NewInsert().Model(&rows).Exec(ctx)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if all, err := u.All(t.Context()); err != nil || len(all) != 2 {
			t.Errorf("kept: %+v, %v", all, err)
		}
		if active, err := u.Active(t.Context()); err != nil || len(active) != 1 || active[0].ID != "google" {
			t.Errorf("to sign in with: %+v, %v", active, err)
		}
	})
}
