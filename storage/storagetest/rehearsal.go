package storagetest

import (
	"context"
	"database/sql/driver"
	"errors"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"path"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/storage/internal/rehearsal"
)

// In a test program every transaction is rehearsed: the first attempt is rolled back after all of its work was done,
// and the second one counts. On PostgreSQL it is the server that fails the first attempt now and then. So a closure
// that leaves something behind fails its test. Benchmarks are spared, and what asked for it by Unrehearsed.

func init() { rehearsal.For = rehearsalFor }

// Of so many first attempts PostgreSQL fails one: by a serialization failure, or by the end of the connection.
const (
	oneInFailsToSerialize = 10
	oneInIsCutOff         = 40
)

var (
	unrehearsed sync.Map // databases by their name

	// seed decides which transactions fail in which way. Each test that uses PostgreSQL logs it.
	seed = sync.OnceValue(func() uint64 {
		if given, err := strconv.ParseUint(os.Getenv("WICKET_TEST_SEED"), 10, 64); err == nil {
			return given
		}
		return rand.Uint64()
	})
)

// Unrehearsed spares a database the rehearsals, for a test that counts or times what transactions do. It must be called
// before that database is opened.
func Unrehearsed(t testing.TB, url string) {
	t.Helper()
	unrehearsed.Store(databaseName(url), true)
}

// databaseName is the last part of a database's URL, which is another one for each test.
func databaseName(url string) string {
	url, _, _ = strings.Cut(url, "?")
	if scheme, file, _ := strings.Cut(url, ":"); scheme == "sqlite" {
		return strings.TrimPrefix(file, "//")
	}
	return path.Base(url)
}

func rehearsalFor(url string) rehearsal.Hook {
	name := databaseName(url)
	if _, spared := unrehearsed.Load(name); spared {
		return nil
	}
	if strings.HasPrefix(url, "sqlite:") {
		return func(_ context.Context, _ bun.Tx, attempt int) error { return again(attempt) }
	}
	digest := fnv.New64a()
	_, _ = digest.Write([]byte(name))
	var mu sync.Mutex
	random := rand.New(rand.NewPCG(seed(), digest.Sum64()))
	draw := func(oneIn int) bool {
		mu.Lock()
		defer mu.Unlock()
		return random.IntN(oneIn) == 0
	}
	return func(ctx context.Context, tx bun.Tx, attempt int) error {
		failure := ""
		switch {
		case attempt > 1:
			return nil
		case draw(oneInIsCutOff):
			failure = "SELECT pg_terminate_backend(pg_backend_pid())"
		case draw(oneInFailsToSerialize):
			failure = "DO $$ BEGIN RAISE serialization_failure; END $$"
		}
		if failure != "" {
			_, err := tx.Tx.ExecContext(ctx, failure)
			var said *pgconn.PgError
			if errors.As(err, &said) && (said.Code == "40001" || said.Code == "57P01") { // not where its own work has failed
				return err
			}
		}
		return again(attempt)
	}
}

// again fails the first attempt with an error that passes.
func again(attempt int) error {
	if attempt == 1 {
		return driver.ErrBadConn
	}
	return nil
}
