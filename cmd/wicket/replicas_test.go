package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/cache"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// openReplicas opens n houses as replicas of one Wicket: one PostgreSQL, one Redis.
func openReplicas(t *testing.T, n int, change ...func(*configuration)) ([]*openHouse, *storagetest.RedisServer) {
	t.Helper()
	server := storagetest.Redis(t)
	options, err := cache.ParseRedis(server.URL())
	if err != nil {
		t.Fatal(err)
	}
	change = append(change, func(c *configuration) { c.Redis = options })
	houses := []*openHouse{openTestHouse(t, storagetest.URL(t, storage.Postgres), change...)}
	for len(houses) < n {
		houses = append(houses, houses[0].replica(t))
	}
	for _, h := range houses {
		h.Redis.Patience = 5 * time.Second // this machine may be busy, which is not what is tested
	}
	return houses, server
}

// at is the same browser, sent to another replica.
func at(t testing.TB, b *browser, h *openHouse) *browser {
	t.Helper()
	there := h.browser(t)
	there.Jar, there.agent = b.Jar, b.agent
	return there
}

// isSignedIn tells whether a browser sees the account page.
func isSignedIn(t testing.TB, b *browser) bool {
	t.Helper()
	return b.get(t, "/account").Request.URL.Path == "/account"
}

// What ends on one replica has ended on the other, well within a second.
func TestReplicasSeeEndsAtOnce(t *testing.T) {
	houses, _ := openReplicas(t, 2)
	one, two := houses[0], houses[1]
	client := one.client(t, nil)
	for name, end := range map[string]func(t *testing.T, session *identity.Session) error{
		"an ended session": func(t *testing.T, session *identity.Session) error {
			return one.Identity.Sessions().End(t.Context(), one.user.ID, session.ID, identity.EndedByOwner)
		},
		"a global logout": func(t *testing.T, _ *identity.Session) error {
			_, err := one.Identity.Sessions().SignOutEverywhere(t.Context(), one.user.ID, identity.EndedByGlobal)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			here := one.browser(t)
			tokens := one.redeem(t, client, here.code(t, client, nil))
			there := at(t, here, two)
			introspect := func() bool {
				active, _ := two.call(t, oidc.PathIntrospect, client, url.Values{"token": {tokens.text("access_token")}}).json["active"].(bool)
				return active
			}
			if !isSignedIn(t, there) || two.userinfo(t, tokens.text("access_token")).status != http.StatusOK || !introspect() {
				t.Fatal("the other replica does not know the session")
			}
			sessions, err := one.Identity.Sessions().List(t.Context(), one.user.ID)
			if err != nil || len(sessions) != 1 {
				t.Fatalf("the sessions are %v, %v", sessions, err)
			}
			if err := end(t, &sessions[0]); err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			storagetest.Eventually(t, time.Second, "the other replica sees it", func() bool {
				return !isSignedIn(t, there) && two.userinfo(t, tokens.text("access_token")).status == http.StatusUnauthorized && !introspect()
			})
			if a := two.refresh(t, client, tokens.text("refresh_token")); a.text("error") != "invalid_grant" {
				t.Errorf("refreshed: %d %v", a.status, a.json)
			}
			t.Logf("seen by the other replica within %s", time.Since(began).Round(time.Millisecond))
		})
	}
}

// An assertion that authenticated a client on one replica is used up on all of them: of twenty at once, one works.
func TestReplicasShareOneTimeMarks(t *testing.T) {
	houses, server := openReplicas(t, 3)
	private, keys := newClientKey(t)
	var key jose.JSONWebKey
	if err := key.UnmarshalJSON([]byte(private)); err != nil {
		t.Fatal(err)
	}
	client := houses[0].client(t, func(c *clients.Client) { c.AuthMethod, c.JWKS = clients.AuthPrivateKeyJWT, keys })
	ask := func(h *openHouse, assertion string) answer {
		return h.call(t, oidc.PathToken, testClient{Client: client.Client}, url.Values{
			"grant_type": {oidc.GrantClientCredentials}, "client_assertion": {assertion}, "client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
		})
	}
	sign := func(jti string) string {
		signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, nil)
		if err != nil {
			t.Fatal(err)
		}
		claims, _ := json.Marshal(map[string]any{"iss": client.ID, "sub": client.ID, "aud": houses[0].Config().Issuer, "jti": jti, "exp": time.Now().Add(time.Minute).Unix()})
		signed, err := signer.Sign(claims)
		if err != nil {
			t.Fatal(err)
		}
		compact, err := signed.CompactSerialize()
		if err != nil {
			t.Fatal(err)
		}
		return compact
	}
	first := sign("1")
	if a := ask(houses[0], first); a.status != http.StatusOK {
		t.Fatalf("the first use: %d %v", a.status, a.json)
	}
	if a := ask(houses[1], first); a.text("error") != "invalid_client" || !strings.Contains(a.text("error_description"), "used before") {
		t.Errorf("used again on another replica: %d %v", a.status, a.json)
	}
	parallel, worked := sign("2"), atomic.Int64{}
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			if ask(houses[i%len(houses)], parallel).status == http.StatusOK {
				worked.Add(1)
			}
		})
	}
	wg.Wait()
	if worked.Load() != 1 {
		t.Errorf("of 20 uses at once on three replicas %d worked", worked.Load())
	}

	// Without Redis each replica remembers for itself, and tells Redis when it is back.
	server.Kill()
	alone := sign("3")
	if a := ask(houses[0], alone); a.status != http.StatusOK {
		t.Errorf("without Redis: %d %v", a.status, a.json)
	}
	for _, used := range []string{first, alone} {
		if a := ask(houses[0], used); a.text("error") != "invalid_client" {
			t.Errorf("without Redis an assertion is used again: %d %v", a.status, a.json)
		}
	}
	server.Start(t)
	for _, h := range houses {
		h.Redis.Peek(t.Context(), "wake up") // notices, if it has not
		storagetest.Eventually(t, 10*time.Second, "Redis is asked again", func() bool { return !h.Redis.State().Away })
	}
	if a := ask(houses[2], alone); a.text("error") != "invalid_client" {
		t.Errorf("with Redis back another replica takes it: %d %v", a.status, a.json)
	}
}

// load is people who sign in, get tokens, refresh them and sign out, as fast as they can, on several replicas. Every answer
// must be right.
type load struct {
	houses         []*openHouse
	done           atomic.Bool
	flows, slowest atomic.Int64
	people         sync.WaitGroup
}

// startLoad sets six people to work until the end of the test, or until stop.
func startLoad(t *testing.T, houses []*openHouse) *load {
	t.Helper()
	l := &load{houses: houses}
	client := houses[0].client(t, nil)
	for i := range 6 {
		h := houses[i%len(houses)]
		b := h.browser(t)
		b.code(t, client, nil) // signed in, and consent is remembered
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

func (l *load) flow(t *testing.T, h *openHouse, b *browser, client testClient) {
	began := time.Now()
	tokens := h.redeem(t, client, b.code(t, client, nil))
	refreshed := h.refresh(t, client, tokens.text("refresh_token"))
	if tokens.status != http.StatusOK || refreshed.status != http.StatusOK || h.userinfo(t, refreshed.text("access_token")).status != http.StatusOK {
		t.Errorf("under load: %d %v, %d %v", tokens.status, tokens.json, refreshed.status, refreshed.json)
	}
	if b.post(t, "/account/sign-out", nil).StatusCode >= http.StatusInternalServerError || isSignedIn(t, b) {
		t.Error("under load: signed out, and signed in still")
	}
	if shown := b.signIn(t, page{}); shown.StatusCode != http.StatusOK || !isSignedIn(t, b) {
		t.Errorf("under load: %s\n%s", shown.Status, shown.body)
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
	t.Logf("%-18s 20 flows in %s, the slowest in %s", what, time.Since(began).Round(time.Millisecond), time.Duration(l.slowest.Load()).Round(time.Millisecond))
}

// Redis freezes, thaws, is killed, comes back empty and is emptied, under load: every answer is right all the time.
func TestRedisFailsUnderLoad(t *testing.T) {
	houses, server := openReplicas(t, 2)
	for _, h := range houses {
		h.Redis.Patience = 100 * time.Millisecond // as outside tests
	}
	load := startLoad(t, houses)
	away := func(want bool) {
		t.Helper()
		for _, h := range houses {
			storagetest.Eventually(t, 20*time.Second, fmt.Sprintf("Redis is away: %t", want), func() bool { return h.Redis.State().Away == want })
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
	for _, h := range houses {
		t.Logf("%+v", h.Redis.State())
	}
}

// PostgreSQL ends connections and is restarted, under load: every request is answered, and rightly.
func TestPostgresFailsUnderLoad(t *testing.T) {
	houses, _ := openReplicas(t, 2)
	load := startLoad(t, houses)
	load.progress(t, "at rest")
	for range 5 {
		storagetest.TerminateConnections(t, houses[0].Config().DatabaseURL)
		load.progress(t, "connections ended")
	}
	start := storagetest.StopPostgres(t)
	stopped := time.Now()
	storagetest.Eventually(t, 5*time.Second, "the outage lasts", func() bool { return time.Since(stopped) > time.Second })
	start()
	load.progress(t, "restarted")
	load.stop()
}

// PgBouncer in transaction mode stands between: no query counts on the connection of the one before, nor does a migration.
func TestBehindPgBouncer(t *testing.T) {
	url := storagetest.PgBouncer(t, storagetest.EmptyPostgres(t), 3)
	h := openTestHouse(t, url)
	client := h.client(t, func(c *clients.Client) { c.IsTrusted = true })
	var people sync.WaitGroup
	for range 20 {
		people.Go(func() {
			tokens := h.redeem(t, client, h.browser(t).code(t, client, nil))
			for range 3 {
				if tokens = h.refresh(t, client, tokens.text("refresh_token")); tokens.status != http.StatusOK {
					t.Errorf("refresh: %d %v", tokens.status, tokens.json)
				}
			}
			if a := h.userinfo(t, tokens.text("access_token")); a.status != http.StatusOK {
				t.Errorf("userinfo: %d %v", a.status, a.json)
			}
		})
	}
	people.Wait()
	if _, err := h.Keys.Rotate(t.Context(), false); err != nil {
		t.Error(err)
	}
	h.browser(t).post(t, "/forgot-password", map[string][]string{"login": {testEmail}})
	h.mail(t, "Choose a new password") // by a job
	if err := h.Database.PreparePartitions(t.Context(), time.Now().AddDate(0, 6, 0)); err != nil {
		t.Error(err)
	}
}
