package federation

import (
	"context"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity"
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

// Nobody comes in by a provider that was removed or disabled while they were on their way back from it.
func TestRemovedProvidersLetNobodyIn(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.Database) {
		now := time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)
		named := []Provider{{ID: "named", Kind: KindGoogle, IsActive: true}}
		clock := func() time.Time { return now }
		u := &Upstreams{
			Database: db, Now: clock, Named: func() []Provider { return named },
			Identity: &identity.Store{Database: db, Now: clock},
		}
		row := &Provider{
			ID: "acme", Kind: KindGoogle, Name: "Acme", IsActive: true, SealedSecret: []byte("sealed"),
			CreatedAt: now, ModifiedAt: now,
		}
		err := db.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
			_, err := tx.NewInsert().Model(row).Exec(ctx)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		trusted := func(id string) bool {
			t.Helper()
			trusted, err := storage.Write(t.Context(), db, u.trustOf(id))
			if err != nil {
				t.Fatal(err)
			}
			return trusted
		}
		if !trusted("acme") || !trusted("named") || trusted("another") {
			t.Error("those that are there are not trusted, or one that is not")
		}
		for _, step := range []struct {
			what string
			do   func() error
			want bool
		}{
			{"disabled", func() error { return u.SetActive(t.Context(), "acme", false) }, false},
			{"enabled", func() error { return u.SetActive(t.Context(), "acme", true) }, true},
			{"removed", func() error { _, err := u.Remove(t.Context(), "acme"); return err }, false},
		} {
			if err := step.do(); err != nil || trusted("acme") != step.want {
				t.Errorf("%s: %v, trusted %v", step.what, err, !step.want)
			}
		}
	})
}

// To remove a provider waits for who is coming in by it, and takes along what they have brought: nothing is left.
func TestRemovalWaitsForWhoIsComingIn(t *testing.T) {
	storagetest.EachURL(t, func(t *testing.T, url string) {
		storagetest.Unrehearsed(t, url) // once, for a goroutine begins in the transaction
		db, err := storage.Open(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = db.Close() }()
		clock := func() time.Time { return time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC) }
		u := &Upstreams{
			Database: db, Now: clock, Named: func() []Provider { return nil },
			Identity: &identity.Store{Database: db, Now: clock},
		}
		user, err := u.Identity.Users().Create(t.Context(), identity.NewUser{Username: "alice"})
		if err != nil {
			t.Fatal(err)
		}
		row := &Provider{
			ID: "acme", Kind: KindGoogle, Name: "Acme", IsActive: true, SealedSecret: []byte("sealed"),
			CreatedAt: clock(), ModifiedAt: clock(),
		}
		err = db.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
			_, err := tx.NewInsert().Model(row).Exec(ctx)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		removed := make(chan error, 1)
		external := identity.External{
			Provider: "acme", Subject: "1", Claims: []byte("{}"), IsTrusted: u.trustOf("acme"),
		}
		err = db.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
			if err := external.DemandTrust(ctx, tx); err != nil {
				return err
			}
			go func() { _, err := u.Remove(t.Context(), "acme"); removed <- err }()
			if db.Kind == storage.Postgres { // on SQLite it waits as all who write do
				storagetest.Eventually(t, 10*time.Second, "the removal waits", func() bool {
					waiting, err := db.Reader().NewSelect().Table("pg_locks").Where("NOT granted").Exists(ctx)
					return err == nil && waiting
				})
			}
			_, err := u.Identity.ExternalAccounts().Attach(ctx, tx, clock(), user, external, nil)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := <-removed; err != nil {
			t.Fatal(err)
		}
		if left, err := u.Identity.ExternalAccounts().List(t.Context(), user.ID); err != nil || len(left) != 0 {
			t.Errorf("left: %+v, %v", left, err)
		}
	})
}
