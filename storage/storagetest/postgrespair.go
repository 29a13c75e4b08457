package storagetest

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// PostgresPair is two PostgreSQL servers of a test's own. What is committed on the first is on the second before it is
// answered (synchronous streaming replication).
type PostgresPair struct {
	primary, standby *postgresServer
}

// NewPostgresPair starts both, until the test ends, with a migrated database on them.
func NewPostgresPair(t testing.TB) *PostgresPair {
	t.Helper()
	postgres(t) // skips the test where there is none
	bin, err := postgresBin()
	if err != nil {
		t.Fatal(err)
	}
	folder := func(name string) *postgresFolder {
		f, err := newPostgresFolder(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.RemoveAll(f.path) })
		return f
	}
	serve := func(f *postgresFolder) *postgresServer {
		// Without fsync only a crash of the machine loses what was written, and that is not tested.
		s, err := f.serve(bin, "-c", "fsync=off", "-c", "hot_standby=on")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			_ = s.admin.Close()
			_ = s.process.Process.Signal(syscall.SIGQUIT)
			_ = s.process.Wait()
		})
		return s
	}
	first, second := folder("wicket-postgres-primary"), folder("wicket-postgres-standby")
	if err := first.initdb(bin); err != nil {
		t.Fatal(err)
	}
	p := &PostgresPair{primary: serve(first)}
	p.primary.create(t, "wicket", "template1")
	migrate(t, p.primary.url("wicket"))
	err = second.run(
		filepath.Join(bin, "pg_basebackup"), "-D", second.data(), "-h", "127.0.0.1", "-p", strconv.Itoa(p.primary.port), "-U",
		"postgres", "-R", "-c", "fast", "--no-sync",
	)
	if err != nil {
		t.Fatal(err)
	}
	p.standby = serve(second)
	for _, statement := range []string{"ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()"} {
		if _, err := p.primary.admin.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	Eventually(t, 10*time.Second, "the standby follows", func() bool {
		var n int
		return p.primary.admin.QueryRow(
			"SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'",
		).Scan(&n) == nil && n == 1
	})
	return p
}

// URL names both servers and wants the one that may be written to.
func (p *PostgresPair) URL() string {
	return fmt.Sprintf(
		"postgres://postgres@127.0.0.1:%d,127.0.0.1:%d/wicket?target_session_attrs=read-write", p.primary.port,
		p.standby.port,
	)
}

// URLs names each of them by itself.
func (p *PostgresPair) URLs() (primary, standby string) {
	return p.primary.url("wicket"), p.standby.url("wicket")
}

// Crash ends the first server at once (immediate shutdown): it finishes nothing.
func (p *PostgresPair) Crash() {
	_ = p.primary.process.Process.Signal(syscall.SIGQUIT)
	_ = p.primary.process.Wait()
}

// Promote makes the second server the one that may be written to.
func (p *PostgresPair) Promote(t testing.TB) {
	t.Helper()
	var promoted bool
	if err := p.standby.admin.QueryRow("SELECT pg_promote()").Scan(&promoted); err != nil || !promoted {
		t.Fatalf("promote: %t, %v", promoted, err)
	}
}

// LoseStandby ends the second server: the first commits what it is told, and answers only once the standby is back.
func (p *PostgresPair) LoseStandby(t testing.TB) {
	t.Helper()
	if err := p.standby.process.Process.Signal(syscall.SIGQUIT); err != nil {
		t.Fatal(err)
	}
	_ = p.standby.process.Wait()
}

// EndCommits ends the connections whose commits wait for the standby, as pg_terminate_backend does, once there are
// some. It returns how many there were.
func (p *PostgresPair) EndCommits(t testing.TB) (n int) {
	t.Helper()
	Eventually(t, 30*time.Second, "a commit waits for the standby", func() bool {
		return p.primary.admin.QueryRow(
			"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE wait_event = 'SyncRep'",
		).Scan(&n) == nil && n > 0
	})
	return n
}
