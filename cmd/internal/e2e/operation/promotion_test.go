package operation

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// PostgreSQL dies under load and its standby is promoted: requests wait for it. What broke in the middle of a commit
// may be answered with an error, at the most one request of each app; everything else succeeds, and what was answered
// with success holds.
func TestPostgresStandbyPromotedUnderLoad(t *testing.T) {
	pair := storagetest.NewPostgresPair(t)
	first := harness.Start(t, pair.URL())
	servers := []*harness.Server{first, first.Replica(t)}
	client := first.AddClient(t, nil)
	const apps = 8
	var families [apps][]*family
	var over atomic.Bool
	var settled, unsure atomic.Int32
	var people sync.WaitGroup
	watch := watch{breaking: true, interrupted: func(what string) {
		unsure.Add(1)
		t.Logf("unsure: %s", what)
	}}
	for i := range families {
		b := servers[i%len(servers)].NewBrowser(t)
		b.Code(t, client, nil) // signed in, and consent is remembered
		people.Go(func() { families[i] = work(t, b, client, &over, &settled, watch) })
	}
	progress := func() {
		t.Helper()
		before := settled.Load()
		storagetest.Eventually(t, 30*time.Second, "there is load", func() bool { return settled.Load() >= before+20 })
	}
	defer people.Wait()
	defer over.Store(true)
	progress()
	died := time.Now()
	pair.Crash()
	down := time.Now()
	storagetest.Eventually(t, 5*time.Second, "the outage lasts", func() bool {
		return time.Since(down) > time.Second
	}) // until somebody notices
	pair.Promote(t)
	promoted, before := time.Now(), settled.Load()
	storagetest.Eventually(t, 10*time.Second, "work goes on", func() bool { return settled.Load() > before })
	t.Logf(
		"promoted %s after the death, work went on %s later", promoted.Sub(died).Round(time.Millisecond),
		time.Since(promoted).Round(time.Millisecond),
	)
	progress()
	over.Store(true)
	people.Wait()
	if n := unsure.Load(); n > apps {
		t.Errorf("%d apps had %d errors", apps, n)
	}
	total := checkAll(t, families[:], client, servers...)
	t.Logf("%d sign-ins with all their answers, %d errors; checked afterwards: %+v", settled.Load(), unsure.Load(), total)
	if total.Kept < 20 || total.CodesKept == 0 {
		t.Error("there was hardly any load")
	}
	nothingHalfWritten(t, pair.URL())
}

// Reports are read from the standby, and who asks whether they are let in is answered by the primary.
func TestReportsAreReadFromTheStandby(t *testing.T) {
	t.Parallel()
	primary, standby := storagetest.NewPostgresPair(t).URLs()
	line, _ := harness.NewCommandLine(t, primary)
	line.JSON(
		t, &harness.PrintedUser{}, harness.Password, "user", "create", "--username", harness.Username, "--password-stdin",
	)
	read := append(line, "WICKET_DATABASE_READ_URL="+standby)
	var entries []harness.PrintedEntry
	if read.JSON(t, &entries, "", "audit", "list", "--entity", "user"); len(entries) != 1 {
		t.Errorf("the audit trail: %+v", entries)
	}
	away := append(line, "WICKET_DATABASE_READ_URL=postgres://postgres@127.0.0.1:1/wicket")
	if p := away.Run(t, "", "audit", "list"); p.ProcessState.ExitCode() != 1 {
		t.Errorf("with the standby away: %s\n%s", p.ProcessState, &p.Out)
	}
	if p := away.Run(t, "", "user", "list"); p.ProcessState.ExitCode() != 0 ||
		!strings.Contains(p.Out.String(), harness.Username) {
		t.Errorf("what must not be late: %s\n%s%s", p.ProcessState, &p.Out, &p.ErrOut)
	}
	for want, url := range map[string]string{"must be a PostgreSQL server": "sqlite:" + t.TempDir() +
		"/w.db", "not a valid PostgreSQL URL": "postgres://h:no/x"} {
		if p := append(line, "WICKET_DATABASE_READ_URL="+url).Run(t, "", "audit", "list"); !strings.Contains(
			p.ErrOut.String(), "WICKET_DATABASE_READ_URL: ",
		) || !strings.Contains(p.ErrOut.String(), want) {
			t.Errorf("%s: %s", url, &p.ErrOut)
		}
	}
}
