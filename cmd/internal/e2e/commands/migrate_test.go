package commands

import (
	"context"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// During a rollout, and after a rollback, a program meets a database that a newer one has migrated. It serves all the
// same, whoever migrates, and leaves the schema as it is.
func TestDatabaseOfANewerVersion(t *testing.T) {
	t.Parallel()
	storagetest.EachURL(t, func(t *testing.T, databaseURL string) {
		database, err := storage.Open(t.Context(), databaseURL)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = database.Close() }()
		newer := &storage.Migration{Version: 9999, Name: "from_the_future", AppliedAt: time.Now().UTC()}
		err = database.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
			_, err := tx.NewInsert().Model(newer).Exec(ctx)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		line, issuer := harness.NewCommandLine(t, databaseURL)
		for _, mode := range []string{"auto", "off"} {
			server := append(line[:len(line):len(line)], "WICKET_MIGRATE="+mode).Serve(t, issuer)
			server.Interrupt(t)
			server.NoFaults(t)
		}
		var applied []map[string]any
		if line.JSON(t, &applied, "", "migrate"); len(applied) != 0 {
			t.Errorf("migrate applied %v", applied)
		}
		var versions []int64
		if err := database.Reader().NewSelect().Model((*storage.Migration)(nil)).
			Column("version").
			Where("version > 9000").Scan(t.Context(), &versions); err != nil || len(versions) != 1 {
			t.Errorf("of the newer version there is %v left, %v", versions, err)
		}
	})
}
