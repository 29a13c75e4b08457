package bench

import (
	"database/sql"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/administrators"
	"github.com/wicket-id/wicket/identity/password"
	"github.com/wicket-id/wicket/identity/signin"
	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/storagetest"
)

const (
	smallCrowd = 10_000
	chain      = 10 // refresh tokens of each grant: nine tombstones and the one that is good
	tokensHeld = 2000
)

// largeCrowd is how many people the large server holds: a million, or WICKET_BENCH_PEOPLE.
func largeCrowd(b *testing.B) int {
	b.Helper()
	said := os.Getenv("WICKET_BENCH_PEOPLE")
	if said == "" {
		return 1_000_000
	}
	people, err := strconv.Atoi(said)
	if err != nil || people < smallCrowd {
		b.Fatalf("WICKET_BENCH_PEOPLE must be a number of people, %d at least", smallCrowd)
	}
	return people
}

// BenchmarkCrowd compares a server of ten thousand people on PostgreSQL with one of a million, who have ten refresh
// tokens each: what people and apps do in both by turns, each time another person, so that noise hits both alike.
// "ratio" is the median of the large server divided by that of the small one; 1 means that growth costs nothing. The
// password hash is as cheap as it can be, so that the database's part shows.
func BenchmarkCrowd(b *testing.B) {
	large := largeCrowd(b)
	servers := []*crowd{gather(b, smallCrowd), gather(b, large)}
	for _, c := range servers {
		for range tokensHeld {
			c.refresh(b)
		}
		for range 200 {
			c.signIn(b)
			c.code(b)
		}
	}
	for _, way := range []struct {
		name string
		once func(*crowd, *testing.B)
	}{
		{"sign-in", (*crowd).signIn},
		{"code", (*crowd).code},
		{"refresh", (*crowd).refresh},
		{"introspection", (*crowd).introspection},
		{"userinfo", (*crowd).userinfo},
		{"people", func(c *crowd, b *testing.B) { c.read(b, "/api/v1/users?limit=100") }},
		{"people by name", func(c *crowd, b *testing.B) { c.read(b, "/api/v1/users?limit=100&sort=username") }},
		{"search", func(c *crowd, b *testing.B) { c.read(b, fmt.Sprintf("/api/v1/users?q=person%d", c.next())) }},
		{"search of many", func(c *crowd, b *testing.B) { c.read(b, "/api/v1/users?q=person1") }},
		{"audit trail", func(c *crowd, b *testing.B) { c.read(b, "/api/v1/audit?limit=100") }},
		{"console", func(c *crowd, b *testing.B) { c.read(b, "/console") }},
		{"console people", func(c *crowd, b *testing.B) { c.read(b, "/console/people?q=person1") }},
	} {
		b.Run(way.name, func(b *testing.B) {
			took := make([][]float64, len(servers))
			for turn := 0; b.Loop(); turn++ {
				for i := range servers {
					i = (i + turn) % len(servers)
					began := time.Now()
					way.once(servers[i], b)
					took[i] = append(took[i], float64(time.Since(began).Nanoseconds())/1000)
				}
			}
			small, large := harness.Median(took[0]), harness.Median(took[1])
			b.ReportMetric(small, "µs-small")
			b.ReportMetric(large, "µs-large")
			b.ReportMetric(large/small, "ratio")
		})
	}
}

// crowd is a server full of people, of whom person i has session i, grant i and the refresh tokens i, people+i and so
// on.
type crowd struct {
	*harness.Server
	app      harness.Client
	people   int
	browser  *http.Client // without a memory: who asks is said each time
	turns    int
	unspent  int      // people whose refresh token has not been used
	accesses []string // access tokens of some of them
	key      string   // of an owner, for the management API
	owner    string   // the secret of an owner's session
}

// gather opens a server and fills it.
func gather(b *testing.B, people int) *crowd {
	b.Helper()
	h := harness.Start(b, storagetest.URL(b, storage.Postgres))
	if err := h.Jobs.Stop(b.Context()); err != nil { // the upkeep comes by the clock, in the midst of one way or another
		b.Fatal(err)
	}
	h.Identity.Hasher = password.NewHasher(8, 1, runtime.NumCPU(), 10*time.Second)
	for month := -2; month <= 0; month++ {
		if err := h.Database.PreparePartitions(b.Context(), identity.Clock().AddDate(0, month, 0)); err != nil {
			b.Fatal(err)
		}
	}
	c := &crowd{Server: h, app: h.AddClient(b, nil), people: people, unspent: people}
	c.browser = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	b.Cleanup(c.browser.CloseIdleConnections)
	began := time.Now()
	c.fill(b)
	c.administer(b)
	var size string
	if err := h.Database.Reader().NewRaw("SELECT pg_size_pretty(pg_database_size(current_database()))").
		Scan(b.Context(), &size); err != nil {
		b.Fatal(err)
	}
	b.Logf("%d people and %d refresh tokens, %s, in %s", people, people*chain, size, time.Since(began).Round(time.Second))
	return c
}

// fill writes the rows that months of use leave behind, in the order of their time and with digests in no order, as
// they are then. What a row refers to is known to be there, so nothing is checked; the indexes of the largest table are
// made afterwards.
func (c *crowd) fill(b *testing.B) {
	b.Helper()
	ctx := b.Context()
	pool, err := sql.Open("pgx", c.Config().DatabaseURL)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = pool.Close() }()
	db, err := pool.Conn(ctx) // one, for its settings and its functions
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	hash, err := c.Identity.Hasher.Hash(ctx, harness.Password)
	if err != nil {
		b.Fatal(err)
	}
	device := identity.Device{IP: "127.0.0.1", UserAgent: crowdAgent}
	if _, err := c.SignIns.WithPassword(
		ctx, signin.Attempt{Login: harness.Username, Password: harness.Password, Device: device},
	); err != nil {
		b.Fatal(err)
	}
	for _, statement := range []string{
		"SET session_replication_role = replica",
		"SET synchronous_commit = off",
		"SET maintenance_work_mem = '512MB'",
		"CREATE FUNCTION pg_temp.id(kind text, i bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$ SELECT (kind || '0000000-0000-7000-8000-' || lpad(to_hex(i), 12, '0'))::uuid $$",
		"CREATE FUNCTION pg_temp.digest(kind text, i bigint) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$ SELECT sha256(convert_to(kind || i, 'UTF8')) $$",
		// PEOPLE came evenly over twenty days.
		"CREATE FUNCTION pg_temp.came(i bigint, age interval) RETURNS timestamptz LANGUAGE sql STABLE AS $$ SELECT now() - age + interval '20 days' * i / PEOPLE $$",
		`INSERT INTO users (id, username, username_key, password_hash, password_changed_at, last_login_at, last_login_ip, created_at, created_by, modified_at, modified_by)
			SELECT pg_temp.id('1', i), 'person' || i, 'person' || i, HASH, t, t, '127.0.0.1', t, 'cli', t, 'cli' FROM generate_series(1, PEOPLE) i, pg_temp.came(i, '60 days') t`,
		`INSERT INTO profiles (user_id, name, given_name, family_name, created_at, modified_at)
			SELECT pg_temp.id('1', i), 'Person ' || i, 'Person', i::text, t, t FROM generate_series(1, PEOPLE) i, pg_temp.came(i, '60 days') t`,
		`INSERT INTO emails (id, user_id, address, address_key, is_primary, verified_at, created_at, modified_at)
			SELECT pg_temp.id('2', i), pg_temp.id('1', i), a, a, TRUE, t, t, t FROM generate_series(1, PEOPLE) i, pg_temp.came(i, '60 days') t, concat('person', i, '@example.com') a`,
		`INSERT INTO sessions (id, user_id, secret_hash, session_version, device_label, user_agent, fingerprint, ip, amr, acr, auth_time, last_seen_at, last_seen_ip, expires_at, created_at)
			SELECT pg_temp.id('3', i), pg_temp.id('1', i), pg_temp.digest('session-', i), 1, s.device_label, s.user_agent, s.fingerprint, '127.0.0.1', s.amr, s.acr,
				t, now() - interval '1 hour', '127.0.0.1', now() + interval '8 days' + interval '1 day' * i / PEOPLE, t
			FROM generate_series(1, PEOPLE) i, pg_temp.came(i, '22 days') t, (SELECT * FROM sessions LIMIT 1) s`,
		`INSERT INTO known_devices (id, user_id, secret_hash, fingerprint, last_used_at, created_at)
			SELECT pg_temp.id('4', i), pg_temp.id('1', i), pg_temp.digest('device ', i), d.fingerprint, t, t
			FROM generate_series(1, PEOPLE) i, pg_temp.came(i, '22 days') t, (SELECT * FROM known_devices LIMIT 1) d`,
		`INSERT INTO login_attempts (attempt_time, username, user_id, ip_address, success, failure_reason, method, user_agent)
			SELECT t, 'person' || i, pg_temp.id('1', i), '127.0.0.1', TRUE, '', 'pwd', AGENT FROM generate_series(1, PEOPLE) i, pg_temp.came(i, '22 days') t`,
		`INSERT INTO consents (user_id, client_id, granted_scopes, declined_scopes, granted_at)
			SELECT pg_temp.id('1', i), APP, '["openid","profile","email","offline_access"]', '[]', t FROM generate_series(1, PEOPLE) i, pg_temp.came(i, '22 days') t`,
		`INSERT INTO participations (session_id, client_id, created_at) SELECT pg_temp.id('3', i), APP, t FROM generate_series(1, PEOPLE) i, pg_temp.came(i, '22 days') t`,
		`INSERT INTO grants (id, user_id, client_id, session_id, session_version, scopes, auth_time, acr, amr, created_at, expires_at)
			SELECT pg_temp.id('5', i), pg_temp.id('1', i), APP, pg_temp.id('3', i), 1, '["openid","profile","email","offline_access"]', t, s.acr, s.amr, t, t + interval '180 days'
			FROM generate_series(1, PEOPLE) i, pg_temp.came(i, '22 days') t, (SELECT * FROM sessions LIMIT 1) s`,
		`INSERT INTO audit_trail (at, entity, entity_id, action, new_values, user_id, actor, ip, user_agent, session_id, request_id)
			SELECT t, e.entity, pg_temp.id(e.kind, i), e.action, '{"client_id":"app","scopes":["openid","profile","email","offline_access"]}', pg_temp.id('1', i),
				'person' || i, '127.0.0.1', AGENT, pg_temp.id('3', i), md5(i::text)
			FROM generate_series(1, PEOPLE) i, pg_temp.came(i, '22 days') t, (VALUES ('3', 'session', 'started'), ('5', 'grant', 'created')) e (kind, entity, action)`,
		// Indexes are put aside as the migrations made them.
		`CREATE TEMP TABLE aside AS SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS index, pg_get_constraintdef(c.oid) AS key
			FROM pg_index LEFT JOIN pg_constraint c ON conindid = indexrelid WHERE indrelid = 'refresh_tokens'::regclass`,
		`DO $$ DECLARE i record; BEGIN FOR i IN SELECT * FROM aside LOOP
			IF i.key IS NULL THEN EXECUTE format('DROP INDEX %s', i.name); ELSE EXECUTE format('ALTER TABLE refresh_tokens DROP CONSTRAINT %s', i.name); END IF;
		END LOOP; END $$`,
		`INSERT INTO refresh_tokens (hash, grant_id, created_at, expires_at, used_at, successor_hash)
			SELECT pg_temp.digest('refresh ', round * PEOPLE + i), pg_temp.id('5', i), t, t + interval '30 days',
				CASE WHEN round < CHAIN - 1 THEN t + interval '1 hour' END, CASE WHEN round < CHAIN - 1 THEN pg_temp.digest('refresh ', (round + 1) * PEOPLE + i) END
			FROM generate_series(0, CHAIN - 1) round, generate_series(1, PEOPLE) i, LATERAL (SELECT now() - interval '1 hour' * (CHAIN - round) + interval '1 hour' * i / PEOPLE AS t) at`,
		`DO $$ DECLARE i record; BEGIN FOR i IN SELECT * FROM aside LOOP
			IF i.key IS NULL THEN EXECUTE i.index; ELSE EXECUTE format('ALTER TABLE refresh_tokens ADD CONSTRAINT %s %s', i.name, i.key); END IF;
		END LOOP; END $$`,
		"VACUUM ANALYZE", // as autovacuum would after a minute
		"CHECKPOINT",
	} {
		statement = strings.NewReplacer("PEOPLE", fmt.Sprintf("%d::bigint", c.people), "CHAIN", strconv.Itoa(chain),
			"AGENT", "'"+crowdAgent+"'", "APP", "'"+c.app.ID+"'", "HASH", "'"+hash+"'").Replace(statement)
		if _, err := db.ExecContext(ctx, statement); err != nil {
			b.Fatalf("%s: %v", statement, err)
		}
	}
}

// administer makes alice an owner who is signed in, and a key for the management API.
func (c *crowd) administer(b *testing.B) {
	b.Helper()
	alice := administrators.Person(c.User.ID)
	if _, err := c.Manage.Administrators.Grant(b.Context(), alice, administrators.Owner, nil); err != nil {
		b.Fatal(err)
	}
	made, err := c.Manage.CreateKey(b.Context(), manage.Operator("operator:bench"), manage.NewAPIKey{
		Name: "bench", Role: administrators.Owner, ExpiresAt: time.Now().Add(24 * time.Hour),
	})
	if err != nil {
		b.Fatal(err)
	}
	admission, err := c.SignIns.WithPassword(b.Context(), signin.Attempt{
		Login: harness.Username, Password: harness.Password, Device: identity.Device{IP: "127.0.0.1", UserAgent: crowdAgent},
	})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := c.Activity.CountHours(b.Context()); err != nil { // as upkeep does
		b.Fatal(err)
	}
	c.key, c.owner = made.Key, admission.Secret
}

const crowdAgent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"

// next chooses somebody: another person each time, far from the last one, until it was everybody's turn.
func (c *crowd) next() int {
	c.turns++
	return c.turns*7919%c.people + 1
}

func (c *crowd) signIn(b *testing.B) {
	form := url.Values{"username": {fmt.Sprintf("person%d", c.next())}, "password": {harness.Password}}
	request, err := http.NewRequest(http.MethodPost, c.Issuer+"/sign-in", strings.NewReader(form.Encode()))
	if err != nil {
		b.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("User-Agent", crowdAgent)
	response, err := c.browser.Do(request)
	if shown := harness.ReadPage(b, response, err); shown.StatusCode != http.StatusSeeOther {
		b.Fatalf("signed in: %s\n%s", shown.Status, shown.Text)
	}
}

func (c *crowd) code(b *testing.B) {
	request, err := http.NewRequest(http.MethodGet, c.AuthorizeURL(c.app, nil), nil)
	if err != nil {
		b.Fatal(err)
	}
	request.AddCookie(&http.Cookie{Name: "wicket_session", Value: fmt.Sprintf("session-%d", c.next())})
	response, err := c.browser.Do(request)
	shown := harness.ReadPage(b, response, err)
	location, err := shown.Location()
	if err != nil {
		b.Fatalf("no redirect to the app but %s\n%s", shown.Status, shown.Text)
	}
	if tokens := c.Redeem(b, c.app, location.Query().Get("code")); tokens.Text("access_token") == "" {
		b.Fatalf("no tokens but %d %v", tokens.Status, tokens.JSON)
	}
}

// refresh uses a refresh token that nobody has used, from the end of somebody's chain.
func (c *crowd) refresh(b *testing.B) {
	if c.unspent == 0 {
		b.Fatal("everybody's refresh token is spent; choose a shorter -benchtime")
	}
	c.unspent--
	person := c.unspent*7919%c.people + 1
	tokens := c.Server.Refresh(b, c.app, fmt.Sprintf("refresh %d", (chain-1)*c.people+person))
	if tokens.Text("access_token") == "" {
		b.Fatalf("no tokens but %d %v", tokens.Status, tokens.JSON)
	}
	if len(c.accesses) < tokensHeld {
		c.accesses = append(c.accesses, tokens.Text("access_token"))
	}
}

func (c *crowd) access() string {
	c.turns++
	return c.accesses[c.turns%len(c.accesses)]
}

func (c *crowd) introspection(b *testing.B) {
	if told := c.Call(b, oidc.PathIntrospect, c.app, url.Values{"token": {c.access()}}); told.JSON["active"] != true {
		b.Fatalf("the token is not active: %d %v", told.Status, told.JSON)
	}
}

func (c *crowd) userinfo(b *testing.B) {
	if told := c.Server.Userinfo(b, c.access()); told.Text("sub") == "" {
		b.Fatalf("no userinfo but %d %v", told.Status, told.JSON)
	}
}
