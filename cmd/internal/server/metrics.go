package server

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/riverqueue/river/rivertype"

	"github.com/wicket-id/wicket/manage/configuration"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/cache"
)

// metrics is what Prometheus may scrape: all names and labels are in this file. What happens is told to tally and
// answered as it happens; the state of the server is read at each scrape.
type metrics struct {
	registry *prometheus.Registry
	events   map[string]*prometheus.CounterVec // by the names that storage.Tally knows
	requests *prometheus.HistogramVec
	deleted  *prometheus.CounterVec
	upkeep   prometheus.Gauge
}

func newMetrics() *metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	m := &metrics{
		registry: prometheus.NewRegistry(),
		events: map[string]*prometheus.CounterVec{
			"sign_ins": counter("wicket_sign_ins_total",
				"Attempts to sign in. The outcome is success, or why not.", "method", "outcome"),
			"tokens": counter("wicket_tokens_total",
				"Answers of the token endpoint to clients that showed who they are. The outcome is issued, or the error.",
				"grant_type", "outcome"),
			"code_requests": counter("wicket_code_requests_total",
				"Authorization requests of apps with a secret, by what protects the code: pkce, nonce, both or neither.",
				"protection"),
			"texts": counter("wicket_text_messages_total",
				"Text messages that people asked for, by the country. The outcome is sent, or the limit that refused it.",
				"country", "outcome"),
			"logout_deliveries": counter("wicket_logout_deliveries_total",
				"Attempts to tell an app of a logout. The outcome is delivered, retried (it is tried again) or given_up.",
				"outcome"),
			"webhook_deliveries": counter("wicket_webhook_deliveries_total",
				"Attempts to tell a webhook of an event. The outcome is delivered, retried (it is tried again) or given_up.",
				"outcome"),
			"refusals": counter("wicket_refusals_total",
				"What apps and people were refused. The outcome is noted, skipped (there were many) or dropped (the database was slow).",
				"where", "outcome"),
			"limited": counter("wicket_limited_total",
				"Requests refused because there were too many, by the limit of WICKET_LIMITS.", "limit"),
		},
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "wicket_http_request_seconds", Help: "How long requests took.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"route", "method", "status"}),
		deleted: counter("wicket_upkeep_deleted_total",
			"Rows that upkeep has deleted; of logs on PostgreSQL, whole months.", "table"),
		upkeep: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "wicket_upkeep_last_success_timestamp_seconds",
			Help: "When this process last finished upkeep; of several replicas one does it.",
		}),
	}
	m.registry.MustRegister(m.requests, m.deleted, m.upkeep, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), collectors.NewBuildInfoCollector())
	for _, event := range m.events {
		m.registry.MustRegister(event)
	}
	return m
}

// tally counts an event: it is a storage.Tallier.
func (m *metrics) tally(event string, labels ...string) {
	m.events[event].WithLabelValues(labels...).Inc()
}

// count counts what happens in jobs, where metrics are wanted: it is a storage.EventCounter.
func (s *Server) count(event string, labels ...string) {
	if s.metrics != nil {
		s.metrics.tally(event, labels...)
	}
}

// answered notes an answered request: it is a web.Answered. Methods that we do not know are one, for clients may send
// any number of them.
func (m *metrics) answered(route, method string, status int, took time.Duration) {
	if !slices.Contains([]string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodOptions}, method) {
		method = "other"
	}
	m.requests.WithLabelValues(route, method, strconv.Itoa(status)).Observe(took.Seconds())
}

// keptUp notes what a finished upkeep has deleted.
func (m *metrics) keptUp(deleted map[string]int64) {
	if m == nil {
		return
	}
	for table, n := range deleted {
		m.deleted.WithLabelValues(table).Add(float64(n))
	}
	m.upkeep.SetToCurrentTime()
}

// watch adds the state of the server.
func (m *metrics) watch(s *Server, log *slog.Logger) {
	hasher := s.Identity.Hasher
	m.gauge("wicket_password_checks_running", "Passwords that are being hashed.",
		func() float64 { running, _ := hasher.Load(); return float64(running) })
	m.gauge("wicket_password_checks_waiting", "Passwords that wait to be hashed.",
		func() float64 { _, waiting := hasher.Load(); return float64(waiting) })
	for cache, read := range map[string]func() (hits, misses int64){
		"clients": s.Clients.CacheHits, "access_tokens": s.Tokens.CacheHits,
	} {
		const name, help = "wicket_cache_requests_total", "Questions to the caches of this process."
		m.counter(name, help, prometheus.Labels{"cache": cache, "result": "hit"},
			func() float64 { hits, _ := read(); return float64(hits) })
		m.counter(name, help, prometheus.Labels{"cache": cache, "result": "miss"},
			func() float64 { _, misses := read(); return float64(misses) })
	}
	if s.Redis != nil {
		m.watchRedis(s.Redis)
	}
	if s.Database.Kind == storage.SQLite {
		m.gauge("wicket_sqlite_wal_bytes", "The write-ahead log of the embedded database. It grows while somebody reads for long.",
			func() float64 { return float64(s.Database.LogSize()) })
	}
	if s.Config().Configuration != nil {
		m.registry.MustRegister(&census{
			count: s.drift, log: log, known: configuration.Kinds,
			desc: prometheus.NewDesc("wicket_configuration_drift",
				"What the configuration file would change, by kind, counted at most once a minute.", []string{"kind"}, nil),
		})
	}
	for name, pool := range s.Database.Pools() {
		m.registry.MustRegister(collectors.NewDBStatsCollector(pool, name))
	}
	m.registry.MustRegister(&census{
		count: s.Database.Census, log: log,
		desc: prometheus.NewDesc("wicket_rows",
			"Rows of each table, counted at most once a minute; on PostgreSQL as its statistics say.", []string{"table"}, nil),
	}, &census{
		count: s.Database.JobCounts, log: log, known: jobStates(),
		desc: prometheus.NewDesc("wicket_jobs",
			"Jobs by state, counted at most once a minute; retryable and discarded ones have failed.", []string{"state"}, nil),
	})
}

func (m *metrics) watchRedis(redis *cache.Redis) {
	m.gauge("wicket_redis_up", "1 while Redis answers, 0 while this process counts for itself.", func() float64 {
		if redis.State().Away {
			return 0
		}
		return 1
	})
	m.counter("wicket_redis_questions_total", "Questions that were put to Redis.", nil,
		func() float64 { return float64(redis.State().Asked) })
	m.counter("wicket_redis_unanswered_total", "Questions that Redis left unanswered.", nil,
		func() float64 { return float64(redis.State().Failed) })
}

// gauge adds a number that is read at each scrape.
func (m *metrics) gauge(name, help string, read func() float64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, read))
}

// counter adds a number that only grows and is read at each scrape.
func (m *metrics) counter(name, help string, labels prometheus.Labels, read func() float64) {
	options := prometheus.CounterOpts{Name: name, Help: help, ConstLabels: labels}
	m.registry.MustRegister(prometheus.NewCounterFunc(options, read))
}

// census is a count by label that is too dear to take at every scrape.
type census struct {
	count func(ctx context.Context) (map[string]int64, error)
	known []string // labels that are told even where there is nothing to count
	desc  *prometheus.Desc
	log   *slog.Logger

	mu     sync.Mutex
	last   map[string]int64
	lastAt time.Time
}

func jobStates() (states []string) {
	for _, state := range rivertype.JobStates() {
		states = append(states, string(state))
	}
	return states
}

const (
	censusEvery    = time.Minute
	censusPatience = 5 * time.Second
)

// Describe says what is counted.
func (c *census) Describe(to chan<- *prometheus.Desc) { to <- c.desc }

// Collect tells the count. Where there is none there is no metric: an old one would mislead.
func (c *census) Collect(to chan<- prometheus.Metric) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.lastAt) >= censusEvery {
		ctx, cancel := context.WithTimeout(context.Background(), censusPatience)
		defer cancel()
		var err error
		if c.last, err = c.count(ctx); err != nil {
			c.log.Warn("count for the metrics", "error", err)
			return
		}
		for _, label := range c.known {
			c.last[label] += 0
		}
		c.lastAt = time.Now()
	}
	for label, n := range c.last {
		to <- prometheus.MustNewConstMetric(c.desc, prometheus.GaugeValue, float64(n), label)
	}
}

// handler serves /metrics.
func (m *metrics) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}))
	return mux
}
