package operation

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// scraped is what a scrape found, by name.
type scraped map[string]*dto.MetricFamily

// scrape reads the metrics as Prometheus does.
func scrape(t testing.TB, address string) scraped {
	t.Helper()
	response, err := http.Get("http://" + address + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %v", response.Status, err)
	}
	return families
}

// value is that of a metric with these labels, given as name and value in turn; of a histogram, how often it was told
// something. There is none: -1.
func (s scraped) value(name string, labels ...string) float64 {
	for _, metric := range s[name].GetMetric() {
		held := map[string]string{}
		for _, label := range metric.GetLabel() {
			held[label.GetName()] = label.GetValue()
		}
		fits := true
		for i := 0; i < len(labels); i += 2 {
			fits = fits && held[labels[i]] == labels[i+1]
		}
		switch {
		case !fits:
		case metric.Histogram != nil:
			return float64(metric.Histogram.GetSampleCount())
		case metric.Counter != nil:
			return metric.Counter.GetValue()
		default:
			return metric.Gauge.GetValue()
		}
	}
	return -1
}

// What happens is counted, and how things are is told, on a listener of its own.
func TestMetrics(t *testing.T) {
	t.Parallel()
	storagetest.EachURL(t, func(t *testing.T, databaseURL string) {
		redis := storagetest.Redis(t)
		line, issuer := harness.NewCommandLine(t, databaseURL)
		address := fmt.Sprintf("127.0.0.1:%d", harness.FreePort(t))
		// under a thousand each request asks Redis
		line = append(
			line, "WICKET_METRICS_LISTEN="+address, "WICKET_REDIS_URL="+redis.URL(),
			"WICKET_LIMITS=introspect.client=2/h,userinfo.ip=900/m",
		)
		line.JSON(
			t, &harness.PrintedUser{}, harness.Password, "user", "create", "--username", harness.Username, "--email",
			harness.Email, "--email-verified", "--password-stdin",
		)
		var app struct {
			ID     string `json:"client_id"`
			Secret string `json:"client_secret"`
		}
		line.JSON(
			t, &app, "", "client", "create", "--name", "Test app", "--redirect-uri", harness.RedirectURI, "--auth-method",
			clients.AuthPost,
		)
		server := line.Serve(t, issuer)
		h, client := &harness.Server{Issuer: issuer}, harness.Client{Client: &clients.Client{ID: app.ID}, Secret: app.Secret}

		b := h.NewBrowser(t)
		for range 3 {
			h.NewBrowser(t).Post(t, "/sign-in", url.Values{"username": {harness.Username}, "password": {"wrong"}})
		}
		h.NewBrowser(t).Post(t, "/sign-in", url.Values{"username": {"nobody"}, "password": {"wrong"}})
		tokens := h.Redeem(t, client, b.Code(t, client, nil))
		h.Refresh(t, client, tokens.Text("refresh_token"))
		h.Refresh(t, client, "unknown")
		h.Call(t, oidc.PathToken, client, url.Values{"grant_type": {"made-up"}})
		h.Call(t, oidc.PathToken, harness.Client{Client: client.Client, Secret: "wrong"}, url.Values{
			"grant_type": {"made-up-too"},
		})
		for range 4 {
			h.Userinfo(t, tokens.Text("access_token"))
			h.Call(t, oidc.PathIntrospect, client, url.Values{"token": {tokens.Text("access_token")}})
		}
		b.Get(t, "/no/such/page")

		found := scrape(t, address)
		for _, want := range []struct {
			name   string
			labels []string
			is     func(float64) bool
		}{
			{"wicket_sign_ins_total", []string{"method", "pwd", "outcome", "success"}, exactly(1)},
			{"wicket_sign_ins_total", []string{"method", "pwd", "outcome", "wrong_password"}, exactly(3)},
			{"wicket_sign_ins_total", []string{"method", "pwd", "outcome", "unknown_name"}, exactly(1)},
			{"wicket_tokens_total", []string{"grant_type", oidc.GrantCode, "outcome", "issued"}, exactly(1)},
			{"wicket_tokens_total", []string{"grant_type", oidc.GrantRefreshToken, "outcome", "issued"}, exactly(1)},
			{"wicket_tokens_total", []string{"grant_type", oidc.GrantRefreshToken, "outcome", "invalid_grant"}, exactly(1)},
			{"wicket_tokens_total", []string{"grant_type", "unknown", "outcome", "unsupported_grant_type"}, exactly(1)},
			{"wicket_tokens_total", []string{"grant_type", "made-up"}, exactly(-1)},
			{"wicket_code_requests_total", []string{"protection", "both"}, atLeast(1)},
			{"wicket_code_requests_total", []string{"protection", "neither"}, exactly(-1)},
			{"wicket_limited_total", []string{"limit", "introspect.client"}, exactly(2)},
			{"wicket_refusals_total", []string{"where", "token", "outcome", "noted"}, exactly(3)},
			{"wicket_refusals_total", []string{"where", "introspection"}, exactly(-1)},
			{"wicket_http_request_seconds", []string{"route", "/token", "method", "POST", "status", "200"}, exactly(2)},
			{"wicket_http_request_seconds", []string{"route", "/introspect", "status", "429"}, exactly(2)},
			{"wicket_http_request_seconds", []string{"route", "", "status", "404"}, exactly(1)},
			{"wicket_password_checks_running", nil, exactly(0)},
			{"wicket_password_checks_waiting", nil, exactly(0)},
			{"wicket_cache_requests_total", []string{"cache", "access_tokens", "result", "hit"}, atLeast(4)},
			{"wicket_cache_requests_total", []string{"cache", "clients", "result", "hit"}, atLeast(4)},
			{"wicket_cache_requests_total", []string{"cache", "clients", "result", "miss"}, atLeast(1)},
			{"wicket_redis_questions_total", nil, atLeast(10)},
			{"wicket_redis_unanswered_total", nil, atLeast(0)},
			{"go_sql_open_connections", nil, atLeast(1)},
			{"wicket_jobs", []string{"state", "completed"}, atLeast(0)},
			{"wicket_jobs", []string{"state", "discarded"}, exactly(0)},
			{"wicket_rows", []string{"table", "audit_trail"}, atLeast(0)},
			{"go_goroutines", nil, atLeast(1)},
			{"process_cpu_seconds_total", nil, atLeast(0)},
		} {
			if got := found.value(want.name, want.labels...); !want.is(got) {
				t.Errorf("%s %v is %v", want.name, want.labels, got)
			}
		}
		storagetest.Eventually(t, 10*time.Second, "upkeep has been counted", func() bool {
			return scrape(t, address).value("wicket_upkeep_last_success_timestamp_seconds") > 1e9
		})
		if got := scrape(t, address).value("wicket_upkeep_deleted_total", "table", "codes"); got != 0 {
			t.Errorf("upkeep deleted %v codes", got)
		}
		for _, path := range []string{issuer + "/metrics", "http://" + address + "/", "http://" + address + "/sign-in"} {
			response, err := http.Get(path)
			if shown := harness.ReadPage(t, response, err); shown.StatusCode != http.StatusNotFound {
				t.Errorf("%s: %s", path, shown.Status)
			}
		}

		storagetest.Eventually(t, 10*time.Second, "the metric says that Redis is there", func() bool {
			return scrape(t, address).value("wicket_redis_up") == 1
		})
		redis.Kill()
		storagetest.Eventually(t, 10*time.Second, "the metric says that Redis is away", func() bool {
			h.Userinfo(t, tokens.Text("access_token"))
			return scrape(t, address).value("wicket_redis_up") == 0
		})
		redis.Start(t)
		storagetest.Eventually(t, 10*time.Second, "the metric says that Redis is back", func() bool {
			return scrape(t, address).value("wicket_redis_up") == 1
		})
		server.Interrupt(t)
		log := server.ErrOut.String()
		if gone, back := strings.Count(log, "Redis does not answer"), strings.Count(log, "Redis answers again"); gone == 0 ||
			gone != back || gone > 5 {
			t.Errorf("the log says %d times that Redis does not answer and %d times that it does again", gone, back)
		}
	})
}

func exactly(want float64) func(float64) bool { return func(got float64) bool { return got == want } }
func atLeast(want float64) func(float64) bool { return func(got float64) bool { return got >= want } }

// Rows and jobs are counted on both databases.
func TestCensus(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		storagetest.Eventually(t, 30*time.Second, "alice and the audit trail are counted", func() bool {
			// PostgreSQL's statistics follow within a second or so of the connections' rest.
			rows, err := h.Database.Census(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if _, partition := rows["audit_trail_default"]; partition || rows["audit_trail"] < 0 {
				t.Fatalf("partitions are counted apart: %v", rows)
			}
			return rows["users"] == 1 && rows["emails"] == 1 && rows["audit_trail"] >= 1
		})
		storagetest.Eventually(t, 30*time.Second, "the upkeep of the start is done", func() bool {
			jobs, err := h.Database.JobCounts(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return jobs["completed"] >= 1
		})
	})
}

// A process that is told to stop says so on /readyz, answers for a while longer, finishes what is under way, and ends.
func TestDraining(t *testing.T) {
	storagetest.EachURL(t, func(t *testing.T, databaseURL string) {
		line, issuer := harness.NewCommandLine(t, databaseURL)
		server := append(line, "WICKET_DRAIN=1s").Serve(t, issuer)
		h := &harness.Server{Issuer: issuer}
		for range 6 {
			// the next ones take two seconds and four
			h.NewBrowser(t).Post(t, "/sign-in", url.Values{"username": {"nobody"}, "password": {"wrong"}})
		}
		under := make(chan int)
		go func() {
			under <- h.NewBrowser(t).Post(t, "/sign-in", url.Values{"username": {"nobody"}, "password": {"wrong"}}).StatusCode
		}()
		began := time.Now()
		ended := make(chan struct{})
		storagetest.Eventually(t, 10*time.Second, "the sign-in is under way", func() bool {
			return time.Since(began) > 100*time.Millisecond
		})
		go func() { server.Interrupt(t); close(ended) }()
		ready := func() int {
			response, err := http.Get(issuer + "/readyz")
			if err != nil {
				return 0
			}
			_ = response.Body.Close()
			return response.StatusCode
		}
		storagetest.Eventually(t, 900*time.Millisecond, "/readyz says no", func() bool {
			return ready() == http.StatusServiceUnavailable
		})
		if a, err := http.Get(issuer + oidc.PathConfiguration); err != nil || a.StatusCode != http.StatusOK {
			t.Errorf("while draining: %v, %v", a, err)
		}
		storagetest.Eventually(t, 5*time.Second, "it listens no more", func() bool { return ready() == 0 })
		select {
		case <-ended:
			t.Error("it ended before the request that was under way")
		default:
		}
		if status := <-under; status != http.StatusUnauthorized {
			t.Errorf("what was under way ended with %d", status)
		}
		<-ended
	})
}
