package bench

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/password"
	"github.com/wicket-id/wicket/identity/signin"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// fill inserts rows number from to until of a table: into is the table with its columns, and values an expression for
// each column, in which i is the number of the row, ID(prefix, expression) makes an id and AGO(seconds) a time.
func fill(t testing.TB, h *harness.Server, from, until int, into, values string) {
	t.Helper()
	numbers := fmt.Sprintf(
		"WITH RECURSIVE numbers (i) AS (VALUES (%d) UNION ALL SELECT i + 1 FROM numbers WHERE i < %d) SELECT %%s FROM numbers",
		from, until,
	)
	macros := map[string]string{
		"ID":   "(printf('%s0000000-0000-7000-8000-%%012x', %s))",
		"AGO":  "strftime('%%Y-%%m-%%d %%H:%%M:%%f+00:00', 'now', (-(%s)) || ' seconds')",
		"HASH": "CAST(printf('%s%%031d', %s) AS BLOB)",
	}
	if h.Database.Kind == storage.Postgres {
		numbers = fmt.Sprintf("SELECT %%s FROM generate_series(%d::bigint, %d) AS i", from, until)
		macros = map[string]string{
			"ID":   "('%s0000000-0000-7000-8000-' || lpad(to_hex(%s), 12, '0'))::uuid",
			"AGO":  "now() - (%s) * interval '1 second'",
			"HASH": "convert_to('%s' || lpad((%s)::text, 31, '0'), 'UTF8')",
		}
	}
	for name, macro := range macros {
		for {
			begin := strings.Index(values, name+"(")
			if begin < 0 {
				break
			}
			end := begin + len(name)
			for depth := 0; ; end++ {
				if values[end] == '(' {
					depth++
				} else if values[end] == ')' {
					if depth--; depth == 0 {
						break
					}
				}
			}
			inside := values[begin+len(name)+1 : end]
			args := []any{inside}
			if name != "AGO" {
				first, rest, _ := strings.Cut(inside, ",")
				args = []any{first, strings.TrimSpace(rest)}
			}
			values = values[:begin] + fmt.Sprintf(macro, args...) + values[end+1:]
		}
	}
	h.SQL(t, "INSERT INTO "+into+" "+fmt.Sprintf(numbers, values))
}

// Filling is by these. Row i of each belongs to person i, or to one of them.
const (
	intoUsers    = "users (id, username, username_key, password_hash, created_at, created_by, modified_at, modified_by)"
	someUsers    = "ID(1, i), 'person' || i, 'person' || i, 'none', AGO(0), 'test', AGO(0), 'test'"
	intoEmails   = "emails (id, user_id, address, address_key, is_primary, verified_at, created_at, modified_at)"
	someEmails   = "ID(2, i), ID(1, i), 'person' || i || '@example.com', 'person' || i || '@example.com', TRUE, AGO(0), AGO(0), AGO(0)"
	intoSessions = "sessions (id, user_id, secret_hash, session_version, device_label, user_agent, fingerprint, ip, amr, acr, auth_time, last_seen_at, last_seen_ip, expires_at, ended_at, created_at)"
	someSessions = "ID(3, i), ID(1, i %% %d + 1), HASH(3, i), 1, 'Firefox', 'Firefox', 'f', '10.0.0.1', '[\"pwd\"]', 'urn', AGO(0), AGO(0), '10.0.0.1', AGO(%s), NULL, AGO(0)"
	intoAttempts = "login_attempts (attempt_time, username, user_id, ip_address, success, failure_reason, method, user_agent)"
	// Every %d seconds one, the last just now; one of five is a wrong password.
	someAttempts = "AGO((%d - i) * %d), 'person' || (i * 7919 %% %d + 1), ID(1, i * 7919 %% %d + 1), '10.0.' || (i %% 50) || '.' || (i %% 250), " +
		"i %% 5 <> 0, CASE WHEN i %% 5 <> 0 THEN '' ELSE 'wrong_password' END, 'pwd', 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'"
)

const (
	grownPeople   = 10_000
	grownAttempts = 1_000_000
	grownSessions = 40_000 // half of them expired long ago
	attemptEvery  = 43     // seconds: a million take 498 days, of which 400 are kept
)

// BenchmarkGrowth measures what ten thousand people and a million attempts to sign in do to an almost empty server. The
// password hash is as cheap as it can be, so that the database's part shows. ns/op is a sign-in afterwards; CPU time
// and memory are this process's, in which SQLite is and PostgreSQL is not.
func BenchmarkGrowth(b *testing.B) {
	for _, kind := range []storage.Kind{storage.SQLite, storage.Postgres} {
		b.Run(string(kind), func(b *testing.B) {
			h := harness.Start(b, storagetest.URL(b, kind))
			if err := h.Jobs.Stop(b.Context()); err != nil { // the upkeep would delete what is to be measured
				b.Fatal(err)
			}
			h.Identity.Hasher = password.NewHasher(8, 1, runtime.NumCPU(), 10*time.Second)
			const people = 50
			for _, when := range []string{"warm", "early", "late"} { // others each time, for the sessions of one are compared
				for i := range people {
					h.Register(b, identity.NewUser{Username: when + strconv.Itoa(i), Password: harness.Password})
				}
			}
			turn := 0
			signIn := func(when string) float64 {
				turn++
				began := time.Now()
				_, err := h.SignIns.WithPassword(b.Context(), signin.Attempt{
					Login: when + strconv.Itoa(turn%people), Password: harness.Password,
					Device: identity.Device{IP: "192.0.2.7", UserAgent: "Mozilla/5.0"},
				})
				if err != nil {
					b.Fatal(err)
				}
				return float64(time.Since(began).Microseconds())
			}
			for range 200 {
				signIn("warm")
			}
			const measured = 500
			var before, after []float64
			cpu := ownCPU()
			for range measured {
				before = append(before, signIn("early"))
			}
			cpuBefore := float64((ownCPU() - cpu).Microseconds()) / measured

			began := time.Now()
			grow(h, b)
			filling := time.Since(began)

			cpu = ownCPU()
			b.ResetTimer()
			for b.Loop() {
				after = append(after, signIn("late"))
			}
			b.StopTimer()
			cpuAfter := float64((ownCPU() - cpu).Microseconds()) / float64(len(after))
			after = after[:min(len(after), measured)] // as many of a person as before
			b.ReportMetric(filling.Seconds(), "s-fill")
			b.ReportMetric(harness.Median(before), "µs-signin-before")
			b.ReportMetric(harness.Median(after), "µs-signin-after")
			b.ReportMetric(harness.Median(after)/harness.Median(before), "signin-ratio")
			b.ReportMetric(cpuAfter/cpuBefore, "signin-cpu-ratio")

			milliseconds := func(unit string, n int, do func(i int) error) {
				var took []float64
				for i := range n {
					began := time.Now()
					if err := do(i); err != nil {
						b.Fatal(err)
					}
					took = append(took, float64(time.Since(began).Microseconds())/1000)
				}
				b.ReportMetric(harness.Median(took), unit)
			}
			ctx := b.Context()
			report := func(days time.Duration) func(int) error {
				return func(int) error {
					_, err := h.SignIns.Attempts().Report(ctx, identity.Clock().Add(-days*24*time.Hour), 10)
					return err
				}
			}
			milliseconds("ms-report-week", 3, report(7))
			milliseconds("ms-report-all", 1, report(400))
			milliseconds("ms-history", 50, func(i int) error {
				person, err := h.Identity.Users().Find(ctx, "person"+strconv.Itoa(i*100+1))
				if err != nil {
					return err
				}
				attempts, err := h.SignIns.Attempts().List(ctx, person.ID, 20)
				if err == nil && len(attempts) != 20 {
					err = fmt.Errorf("%d attempts", len(attempts))
				}
				return err
			})

			runtime.GC()
			memory := watchMemory(b)
			began = time.Now()
			deleted, err := h.SignIns.Expire(ctx)
			if err != nil {
				b.Fatal(err)
			}
			took := time.Since(began)
			b.ReportMetric(float64(memory())/(1<<20), "MB-expire")
			b.ReportMetric(took.Seconds(), "s-expire")
			// on PostgreSQL: sessions, and a few partitions
			b.ReportMetric(float64(deleted["sessions"]+deleted["login_attempts"])/took.Seconds(), "expired/s")
			if deleted["sessions"] != grownSessions/2 || deleted["login_attempts"] == 0 {
				b.Errorf("deleted %v", deleted)
			}
		})
	}
}

// grow fills the server with people, sessions and attempts to sign in.
func grow(h *harness.Server, b *testing.B) {
	b.Helper()
	for month := -17; month <= 0; month += 3 {
		if err := h.Database.PreparePartitions(b.Context(), identity.Clock().AddDate(0, month, 0)); err != nil {
			b.Fatal(err)
		}
	}
	fill(b, h, 1, grownPeople, intoUsers, someUsers)
	fill(b, h, 1, grownPeople, intoEmails, someEmails)
	fill(b, h, 1, grownSessions, intoSessions, fmt.Sprintf(someSessions, grownPeople, "(i % 2 * 2 - 1) * 20000000"))
	const chunk = 50_000 // a transaction may not take long
	for from := 1; from < grownAttempts; from += chunk {
		fill(
			b, h, from, from+chunk-1, intoAttempts,
			fmt.Sprintf(someAttempts, grownAttempts, attemptEvery, grownPeople, grownPeople),
		)
	}
	h.SQL(b, "ANALYZE") // as PostgreSQL's autovacuum would after a minute
}

// watchMemory notes how much resident memory this process has; the function that it returns tells by how much it grew
// at most.
func watchMemory(b *testing.B) func() int64 {
	b.Helper()
	resident := func() int64 {
		statm, err := os.ReadFile("/proc/self/statm")
		if err != nil {
			return 0
		}
		pages, _ := strconv.ParseInt(strings.Fields(string(statm))[1], 10, 64)
		return pages * int64(os.Getpagesize())
	}
	before := resident()
	most := before
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			most = max(most, resident())
			select {
			case <-done:
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	}()
	return func() int64 {
		close(done)
		<-ended
		return most - before
	}
}

// planNode is a node of what EXPLAIN (FORMAT JSON) says.
type planNode struct {
	Type     string     `json:"Node Type"`
	Relation string     `json:"Relation Name"`
	Index    string     `json:"Index Name"`
	Filter   string     `json:"Filter"`
	Plans    []planNode `json:"Plans"`
}

func (n planNode) each(do func(planNode)) {
	do(n)
	for _, below := range n.Plans {
		below.each(do)
	}
}

// In a table of thousands every hot query finds its rows by an index: what is explained are the very statements that
// each way sends.
func TestHotQueriesUseIndexes(t *testing.T) {
	const rows = 20_000
	h := harness.Start(t, storagetest.URL(t, storage.Postgres))
	client, b := h.AddClient(t, nil), h.NewBrowser(t)
	b.Code(t, client, nil)
	future := "-(1000000 + i)"
	fill(t, h, 1, rows, intoUsers, someUsers)
	fill(t, h, 1, rows, intoEmails, someEmails)
	fill(
		t, h, 1, rows, "phones (id, user_id, number, is_primary, verified_at, created_at, modified_at)",
		"ID(9, i), ID(1, i), '+49301' || (100000 + i), TRUE, AGO(0), AGO(0), AGO(0)",
	)
	fill(t, h, 1, rows, "profiles (user_id, created_at, modified_at)", "ID(1, i), AGO(0), AGO(0)")
	fill(t, h, 1, rows, intoSessions, fmt.Sprintf(someSessions, rows, future))
	fill(t, h, 1, rows, "grants (id, user_id, client_id, session_id, session_version, scopes, auth_time, acr, amr, created_at, expires_at)",
		"ID(4, i), ID(1, i), '"+client.ID+"', ID(3, i), 1, '[\"openid\"]', AGO(0), 'urn', '[\"pwd\"]', AGO(0), AGO("+future+")")
	fill(
		t, h, 1, rows, "codes (hash, grant_id, redirect_uri, code_challenge, nonce, created_at, expires_at)",
		"HASH(5, i), ID(4, i), '', '', '', AGO(0), AGO("+future+")",
	)
	fill(
		t, h, 1, rows, "refresh_tokens (hash, grant_id, created_at, expires_at)",
		"HASH(6, i), ID(4, i), AGO(0), AGO("+future+")",
	)
	fill(t, h, 1, rows, "revoked_tokens (jti, expires_at)", "'token' || i, AGO("+future+")")
	fill(
		t, h, 1, rows, "proofs (id, user_id, purpose, secret_hash, expires_at, created_at)",
		"ID(7, i), ID(1, i), 'unlock', HASH(7, i), AGO("+future+"), AGO(0)",
	)
	fill(
		t, h, 1, rows, "password_reset_tokens (id, user_id, token_hash, expires_at, reset_ip, created_at, created_by)",
		"ID(8, i), ID(1, i), HASH(8, i), AGO("+future+"), '', AGO(0), 'test'",
	)
	fill(t, h, 1, rows, "external_accounts (id, user_id, provider, issuer, subject, label, profile, last_used_at, created_at, modified_at)",
		"ID(a, i), ID(1, i), 'p', 'i', 's' || i, 'l', '{}', AGO(0), AGO(0), AGO(0)")
	fill(t, h, 1, rows, intoAttempts, fmt.Sprintf(someAttempts, rows, 1, rows, rows))
	h.SQL(t, "ANALYZE")

	filled := map[string]bool{}
	var names []string
	if err := h.Database.Reader().NewRaw("SELECT relname FROM pg_class WHERE relkind = 'r' AND reltuples >= 5000").
		Scan(t.Context(), &names); err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		filled[name] = true
	}
	if len(filled) < 12 {
		t.Fatalf("only %v are full", names)
	}
	counter := &queryCounter{}
	h.Database.Observe(counter)
	ctx := t.Context()
	var code string
	var tokens harness.Answer
	for _, way := range []struct {
		name  string
		index string // one that must be used
		once  func() error
	}{
		{"user by username", "users_username", func() error { _, err := h.Identity.Users().Find(ctx, "person500"); return err }},
		{"user by e-mail", "address", func() error { _, err := h.Identity.Users().Find(ctx, "person500@example.com"); return err }},
		{"user by phone", "phones_verified_number", func() error { _, err := h.Identity.Users().Find(ctx, "+4930123456"); return ignoreNotFound(err) }},
		{"session by secret", "sessions_secret_hash_key", func() error {
			_, err := h.Identity.Sessions().BySecret(ctx, "nobody's")
			return ignoreNotFound(err)
		}},
		{"external account", "external_accounts", func() error {
			_, err := h.SignIns.External().SignIn(
				ctx, identity.External{Provider: "p", Issuer: "i", Subject: "nobody"}, identity.Device{}, nil,
			)
			if !errors.Is(err, signin.ErrNotLinked) {
				return err
			}
			return nil
		}},
		{"sessions of a person", "sessions_user", func() error { _, err := h.Identity.Sessions().List(ctx, h.User.ID); return err }},
		{"attempts of a person", "user_id_attempt_time", func() error { _, err := h.SignIns.Attempts().List(ctx, h.User.ID, 20); return err }},
		{"sign-in", "", func() error { h.NewBrowser(t).SignIn(t, harness.Page{}); return nil }},
		{"authorize", "sessions_secret_hash_key", func() error { code = b.Code(t, client, nil); return nil }},
		{"code by hash", "codes_pkey", func() error { tokens = h.Redeem(t, client, code); return nil }},
		{"refresh token by hash", "refresh_tokens_pkey", func() error {
			tokens = h.Refresh(t, client, tokens.Text("refresh_token"))
			return nil
		}},
		{"grant by id", "grants_pkey", func() error {
			h.Call(t, oidc.PathIntrospect, client, url.Values{"token": {tokens.Text("access_token")}})
			return nil
		}},
		{"userinfo", "profiles_pkey", func() error { h.Userinfo(t, tokens.Text("access_token")); return nil }},
		{"reset link", "password_reset_tokens_token_hash_key", func() error {
			if _, err := h.SignIns.Resets().Check(ctx, "nobody's", ""); !errors.Is(err, identity.ErrProof) {
				return err
			}
			return nil
		}},
		{"expiry in identity", "proofs_expires_at", func() error { _, err := h.SignIns.Expire(ctx); return err }},
		{"expiry in oidc", "codes_expires_at", func() error { _, err := h.Provider.Expire(ctx); return err }},
	} {
		t.Run(way.name, func(t *testing.T) {
			counter.reset()
			if err := way.once(); err != nil {
				t.Fatal(err)
			}
			counter.mu.Lock()
			queries := slices.Clone(counter.queries)
			counter.mu.Unlock()
			var used []string
			for _, script := range queries {
				for query := range strings.SplitSeq(script, ";\n") {
					verb, _, _ := strings.Cut(query, " ")
					if !slices.Contains([]string{"SELECT", "UPDATE", "DELETE", "WITH"}, verb) || strings.Contains(query, "pg_") ||
						strings.Contains(query, "river") {
						continue
					}
					explain(t, h, query).each(func(node planNode) {
						used = append(used, node.Index)
						if node.Type != "Seq Scan" || !filled[node.Relation] {
							return
						}
						t.Errorf("%s is read from end to end (%s) by\n%s", node.Relation, node.Filter, query)
					})
				}
			}
			if !slices.ContainsFunc(used, func(index string) bool { return strings.Contains(index, way.index) }) {
				t.Errorf("the index %s is not used, but %q, by\n%s", way.index, used, strings.Join(queries, "\n"))
			}
		})
	}
}

func ignoreNotFound(err error) error {
	if errors.Is(err, storage.ErrNotFound) {
		return nil
	}
	return err
}

func explain(t *testing.T, h *harness.Server, query string) planNode {
	t.Helper()
	var text string
	if err := h.Database.Reader().NewRaw("EXPLAIN (FORMAT JSON) "+query).Scan(t.Context(), &text); err != nil {
		t.Fatalf("explain %s: %v", query, err)
	}
	var plans []struct{ Plan planNode }
	if err := json.Unmarshal([]byte(text), &plans); err != nil || len(plans) != 1 {
		t.Fatalf("%v: %s", err, text)
	}
	return plans[0].Plan
}
