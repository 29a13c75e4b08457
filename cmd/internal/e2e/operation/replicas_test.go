package operation

import (
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// at is the same browser, sent to another replica.
func at(t testing.TB, b *harness.Browser, h *harness.Server) *harness.Browser {
	t.Helper()
	there := h.NewBrowser(t)
	there.Jar, there.UserAgent = b.Jar, b.UserAgent
	return there
}

// isSignedIn tells whether a browser sees the account page.
func isSignedIn(t testing.TB, b *harness.Browser) bool {
	t.Helper()
	return b.Get(t, "/account").Request.URL.Path == "/account"
}

// What ends on one replica has ended on the other, well within a second.
func TestReplicasSeeEndsAtOnce(t *testing.T) {
	servers, _ := harness.StartReplicas(t, 2)
	one, two := servers[0], servers[1]
	client := one.AddClient(t, nil)
	for name, end := range map[string]func(t *testing.T, session *identity.Session) error{
		"an ended session": func(t *testing.T, session *identity.Session) error {
			return one.Identity.Sessions().End(t.Context(), one.User.ID, session.ID, identity.EndedByOwner)
		},
		"a global logout": func(t *testing.T, _ *identity.Session) error {
			_, err := one.Identity.Sessions().SignOutEverywhere(t.Context(), one.User.ID, identity.EndedByGlobal)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			here := one.NewBrowser(t)
			tokens := one.Redeem(t, client, here.Code(t, client, nil))
			there := at(t, here, two)
			introspect := func() bool {
				active, _ := two.Call(
					t, oidc.PathIntrospect, client, url.Values{"token": {tokens.Text("access_token")}},
				).JSON["active"].(bool)
				return active
			}
			if !isSignedIn(t, there) || two.Userinfo(t, tokens.Text("access_token")).Status != http.StatusOK || !introspect() {
				t.Fatal("the other replica does not know the session")
			}
			sessions, err := one.Identity.Sessions().List(t.Context(), one.User.ID)
			if err != nil || len(sessions) != 1 {
				t.Fatalf("the sessions are %v, %v", sessions, err)
			}
			if err := end(t, &sessions[0]); err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			storagetest.Eventually(t, time.Second, "the other replica sees it", func() bool {
				return !isSignedIn(t, there) && two.Userinfo(t, tokens.Text("access_token")).Status == http.StatusUnauthorized &&
					!introspect()
			})
			if a := two.Refresh(t, client, tokens.Text("refresh_token")); a.Text("error") != "invalid_grant" {
				t.Errorf("refreshed: %d %v", a.Status, a.JSON)
			}
			t.Logf("seen by the other replica within %s", time.Since(began).Round(time.Millisecond))
		})
	}
}

// load is people who sign in, get tokens, refresh them and sign out, as fast as they can, on several replicas. Every
// answer must be right.
type load struct {
	servers        []*harness.Server
	done           atomic.Bool
	flows, slowest atomic.Int64
	people         sync.WaitGroup
}

// startLoad sets six people to work until the end of the test, or until stop.
func startLoad(t *testing.T, servers []*harness.Server) *load {
	t.Helper()
	l := &load{servers: servers}
	client := servers[0].AddClient(t, nil)
	for i := range 6 {
		h := servers[i%len(servers)]
		b := h.NewBrowser(t)
		b.Code(t, client, nil) // signed in, and consent is remembered
		l.people.Go(func() {
			for !l.done.Load() {
				l.flow(t, h, b, client)
			}
		})
	}
	t.Cleanup(l.stop)
	return l
}

func (l *load) stop() {
	l.done.Store(true)
	l.people.Wait()
}

func (l *load) flow(t *testing.T, h *harness.Server, b *harness.Browser, client harness.Client) {
	began := time.Now()
	tokens := h.Redeem(t, client, b.Code(t, client, nil))
	refreshed := h.Refresh(t, client, tokens.Text("refresh_token"))
	if tokens.Status != http.StatusOK || refreshed.Status != http.StatusOK ||
		h.Userinfo(t, refreshed.Text("access_token")).Status != http.StatusOK {
		t.Errorf("under load: %d %v, %d %v", tokens.Status, tokens.JSON, refreshed.Status, refreshed.JSON)
	}
	if b.Post(t, "/account/sign-out", nil).StatusCode >= http.StatusInternalServerError || isSignedIn(t, b) {
		t.Error("under load: signed out, and signed in still")
	}
	if shown := b.SignIn(t, harness.Page{}); shown.StatusCode != http.StatusOK || !isSignedIn(t, b) {
		t.Errorf("under load: %s\n%s", shown.Status, shown.Text)
	}
	l.flows.Add(1)
	for took := int64(time.Since(began)); ; {
		if old := l.slowest.Load(); took <= old || l.slowest.CompareAndSwap(old, took) {
			return
		}
	}
}

// progress waits until the load has got on, and logs how fast.
func (l *load) progress(t *testing.T, what string) {
	t.Helper()
	before, began := l.flows.Load(), time.Now()
	l.slowest.Store(0)
	storagetest.Eventually(t, time.Minute, "there is load", func() bool { return l.flows.Load() > before+20 })
	t.Logf(
		"%-18s 20 flows in %s, the slowest in %s", what, time.Since(began).Round(time.Millisecond),
		time.Duration(l.slowest.Load()).Round(time.Millisecond),
	)
}

// Redis freezes, thaws, is killed, comes back empty and is emptied, under load: every answer is right all the time.
func TestRedisFailsUnderLoad(t *testing.T) {
	servers, server := harness.StartReplicas(t, 2)
	for _, h := range servers {
		h.Redis.Patience = 100 * time.Millisecond // as outside tests
	}
	load := startLoad(t, servers)
	away := func(want bool) {
		t.Helper()
		for _, h := range servers {
			storagetest.Eventually(t, 20*time.Second, fmt.Sprintf("Redis is away: %t", want), func() bool {
				return h.Redis.State().Away == want
			})
		}
	}
	load.progress(t, "with Redis")
	server.Freeze()
	away(true)
	load.progress(t, "frozen")
	server.Thaw()
	away(false)
	load.progress(t, "thawed")
	server.Kill()
	away(true)
	load.progress(t, "killed")
	server.Start(t)
	away(false)
	load.progress(t, "restarted")
	if err := server.Client(t).FlushAll(t.Context()).Err(); err != nil {
		t.Error(err)
	}
	load.progress(t, "emptied")
	away(false)
	load.stop()
	for _, h := range servers {
		t.Logf("%+v", h.Redis.State())
	}
}

// PostgreSQL ends connections and is restarted, under load: every request is answered, and rightly.
func TestPostgresFailsUnderLoad(t *testing.T) {
	servers, _ := harness.StartReplicas(t, 2)
	load := startLoad(t, servers)
	load.progress(t, "at rest")
	for range 5 {
		storagetest.TerminateConnections(t, servers[0].Config().DatabaseURL)
		load.progress(t, "connections ended")
	}
	start := storagetest.StopPostgres(t)
	stopped := time.Now()
	storagetest.Eventually(t, 5*time.Second, "the outage lasts", func() bool { return time.Since(stopped) > time.Second })
	start()
	load.progress(t, "restarted")
	load.stop()
}

// PgBouncer in transaction mode stands between: no query counts on the connection of the one before, nor does a
// migration.
func TestBehindPgBouncer(t *testing.T) {
	url := storagetest.PgBouncer(t, storagetest.EmptyPostgres(t), 3)
	h := harness.Start(t, url)
	client := h.AddClient(t, func(c *clients.Client) { c.IsTrusted = true })
	var people sync.WaitGroup
	for range 20 {
		people.Go(func() {
			tokens := h.Redeem(t, client, h.NewBrowser(t).Code(t, client, nil))
			for range 3 {
				if tokens = h.Refresh(t, client, tokens.Text("refresh_token")); tokens.Status != http.StatusOK {
					t.Errorf("refresh: %d %v", tokens.Status, tokens.JSON)
				}
			}
			if a := h.Userinfo(t, tokens.Text("access_token")); a.Status != http.StatusOK {
				t.Errorf("userinfo: %d %v", a.Status, a.JSON)
			}
		})
	}
	people.Wait()
	if _, err := h.Keys.Rotate(t.Context(), false); err != nil {
		t.Error(err)
	}
	h.NewBrowser(t).Post(t, "/forgot-password", map[string][]string{"login": {harness.Email}})
	h.Mail(t, "Choose a new password") // by a job
	if err := h.Database.PreparePartitions(t.Context(), time.Now().AddDate(0, 6, 0)); err != nil {
		t.Error(err)
	}
}
