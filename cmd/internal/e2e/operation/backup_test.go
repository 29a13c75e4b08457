package operation

import (
	"database/sql"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/cmd/internal/server"
	"github.com/wicket-id/wicket/storage/seal"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// A backup that docs/upgrading.md describes, made beside a running server, is a Wicket with the same people and keys.
func TestBackup(t *testing.T) {
	t.Parallel()
	storagetest.EachURL(t, func(t *testing.T, databaseURL string) {
		line, issuer := harness.NewCommandLine(t, databaseURL)
		server := line.Serve(t, issuer)
		var ada, keys, restoredKeys any
		line.JSON(
			t, &ada, "", "user", "create", "--username", "ada", "--email", "ada@example.com", "--email-verified", "--role",
			"admin",
		)
		line.JSON(t, &keys, "", "key", "list")
		restored := restore(t, databaseURL)
		line.JSON(t, new(any), "", "user", "create", "--username", "later")
		server.Interrupt(t)

		copied := append(line[:len(line):len(line)], "WICKET_DATABASE_URL="+restored)
		var people []map[string]any
		if copied.JSON(t, &people, "", "user", "list"); len(people) != 1 || !reflect.DeepEqual(any(people[0]), ada) {
			t.Errorf("in the backup there are %v, want %v", people, ada)
		}
		if copied.JSON(t, &restoredKeys, "", "key", "list"); !reflect.DeepEqual(restoredKeys, keys) {
			t.Errorf("in the backup there are the keys %v, want %v", restoredKeys, keys)
		}
		again := copied.Serve(t, issuer)
		again.Interrupt(t)
		again.NoFaults(t)
		other := append(copied[:len(copied):len(copied)], "WICKET_SECRET="+seal.NewMasterKey()).Run(t, "", "serve")
		if other.ProcessState.Success() || !strings.Contains(other.ErrOut.String(), "WICKET_SECRET") {
			t.Errorf("with another master key: %s\n%s", other.ProcessState, &other.ErrOut)
		}
	})
}

// restore makes a backup of a database, restores it elsewhere and returns where.
func restore(t *testing.T, databaseURL string) string {
	t.Helper()
	folder := t.TempDir()
	if path := server.EmbeddedPath(databaseURL); path != "" {
		database, err := sql.Open("sqlite", path)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = database.Close() }()
		target := filepath.Join(folder, "backup.db")
		if _, err := database.ExecContext(t.Context(), "VACUUM INTO ?", target); err != nil {
			t.Fatal(err)
		}
		return "sqlite:" + target
	}
	target, dump := storagetest.EmptyPostgres(t), filepath.Join(folder, "wicket.dump")
	for _, command := range []*exec.Cmd{
		exec.CommandContext(t.Context(), "pg_dump", "--format=custom", "--file="+dump, databaseURL),
		exec.CommandContext(t.Context(), "pg_restore", "--dbname="+target, "--no-owner", "--exit-on-error", dump),
	} {
		if output, err := command.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", command.Args[0], err, output)
		}
	}
	return target
}
