package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os/user"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/riverqueue/river"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/wicket-id/wicket/federation"
	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
	"github.com/wicket-id/wicket/web"
	"github.com/wicket-id/wicket/web/notify"
)

// house is Wicket put together.
type house struct {
	config   atomic.Pointer[configuration] // what may change while the house stands is read from it when it is needed
	database *storage.Database
	clock    *storage.Clock
	redis    *storage.RedisMemory // nil where there is none
	identity *identity.Store
	upstream *federation.Upstreams
	keys     *oidc.Keys
	provider *oidc.Provider
	jobs     *storage.Jobs
	metrics  *metrics                 // nil where nobody scrapes them
	traces   *sdktrace.TracerProvider // nil where nobody wants them
	draining atomic.Bool
	handler  http.Handler
}

// build puts the house together, from the ground up: this function is all the wiring there is.
func build(ctx context.Context, config *configuration, log *slog.Logger) (*house, error) {
	database, err := storage.Open(ctx, config.databaseURL)
	if err != nil {
		return nil, fmt.Errorf("WICKET_DATABASE_URL: %w", err)
	}
	if config.readURL != "" {
		if err := database.ReadFrom(config.readURL); err != nil {
			_ = database.Close()
			return nil, fmt.Errorf("WICKET_DATABASE_READ_URL: %w", err)
		}
	}
	if err := prepare(ctx, database, config.migrate, log); err != nil {
		_ = database.Close()
		return nil, err
	}
	h := &house{database: database}
	h.config.Store(config)
	if h.clock, err = database.NewClock(ctx, config.clock, log); err != nil {
		_ = h.close()
		return nil, fmt.Errorf("WICKET_DATABASE_URL: %w", err)
	}
	var memory storage.Memory = storage.NewLocalMemory(h.clock.Now)
	if config.redis != nil {
		h.redis = storage.NewRedisMemory(ctx, config.redis, config.issuer, h.clock.Now, log)
		memory = h.redis
	}
	limits := &storage.Limits{Memory: memory, Rates: config.limits}
	h.identity = &identity.Store{
		Database:        database,
		Memory:          memory,
		Seal:            config.seal,
		Hasher:          identity.NewHasher(19*1024, 2, runtime.NumCPU(), 10*time.Second),
		RelyingParty:    config.relyingParty,
		Now:             h.clock.Now,
		Texts:           config.texts() != nil,
		SessionLifetime: 90 * 24 * time.Hour,
		SessionIdle:     30 * 24 * time.Hour,
		SignInDelay:     250 * time.Millisecond,
		RefusalTakes:    400 * time.Millisecond,
		MaxFailures:     10,
		LockDuration:    15 * time.Minute,
		AttemptsKept:    config.attemptsKept,
	}
	h.upstream = &federation.Upstreams{
		Issuer:   config.issuer,
		Database: database,
		Memory:   memory,
		Seal:     config.seal,
		Identity: h.identity,
		Named:    func() []federation.Provider { return h.config.Load().providers },
		Now:      h.clock.Now,
	}
	h.keys = &oidc.Keys{
		Database: database,
		Seal:     config.seal,
		Now:      h.clock.Now,
		Log:      log,
	}
	h.provider, err = oidc.New(oidc.Config{
		Issuer:     config.issuer,
		Database:   database,
		Memory:     memory,
		Limits:     limits,
		Seal:       config.seal,
		Identity:   h.identity,
		Keys:       h.keys,
		Lifetimes:  oidc.DefaultLifetimes,
		TwoFactors: config.twoFactors,
		Now:        h.clock.Now,
	})
	if err != nil {
		_ = h.close()
		return nil, fmt.Errorf("WICKET_ISSUER: %w", err)
	}
	workers := river.NewWorkers()
	river.AddWorker(workers, &notify.Worker{
		Issuer: config.issuer,
		Seal:   config.seal,
		Mail:   func() notify.Sender { return h.config.Load().mail() },
		Texts:  func() notify.TextSender { return h.config.Load().texts() },
		Log:    log,
	})
	river.AddWorker(workers, &notify.ResetWorker{Identity: h.identity})
	river.AddWorker(workers, &notify.LockWorker{Identity: h.identity})
	river.AddWorker(workers, &upkeepWorker{house: h, ledgerKept: config.ledgerKept, log: log})
	if h.jobs, err = database.NewJobs(workers, []*river.PeriodicJob{upkeepJob()}, log); err != nil {
		_ = h.close()
		return nil, err
	}
	h.identity.Jobs = h.jobs
	var tracer trace.TracerProvider
	if config.traces != "" {
		if h.traces, err = newTraces(ctx, config.traces, log); err != nil {
			_ = h.close()
			return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_ENDPOINT: %w", err)
		}
		database.Trace()
		tracer = h.traces
	}
	var tally storage.Tallier
	var answered web.Answered
	if config.metricsListen != "" {
		h.metrics = newMetrics()
		h.metrics.watch(h, log)
		tally, answered = h.metrics.tally, h.metrics.answered
	}
	h.handler, err = web.New(web.Config{
		Provider:       h.provider,
		Upstreams:      h.upstream,
		Identity:       h.identity,
		Database:       database,
		Limits:         limits,
		Log:            log,
		TrustedProxies: config.trustedProxies,
		Registration:   config.registration,
		Outbox:         config.outbox,
		Tracer:         tracer,
		Tally:          tally,
		Answered:       answered,
		Draining:       h.draining.Load,
		Now:            h.clock.Now,
	})
	if err != nil {
		_ = h.close()
		return nil, err
	}
	return h, nil
}

// mail is what hands letters on; nil where there is no way to.
func (c *configuration) mail() notify.Sender {
	switch {
	case c.outbox != nil:
		return c.outbox
	case c.smtp != nil:
		return c.smtp
	}
	return nil
}

// texts is what hands text messages on; nil where there is no way to.
func (c *configuration) texts() notify.TextSender {
	if c.outbox != nil {
		return c.outbox
	}
	return c.sms
}

// prepare brings the schema up to date, or says that it is not.
func prepare(ctx context.Context, database *storage.Database, migrate bool, log *slog.Logger) error {
	if migrate {
		applied, err := database.Migrate(ctx)
		for _, step := range applied {
			log.Info("migrated", "version", step.Version, "name", step.Name)
		}
		return err
	}
	pending, err := database.Pending(ctx)
	if err == nil && len(pending) > 0 {
		return fmt.Errorf("the database lacks %d migrations and WICKET_MIGRATE is off: run wicket migrate first", len(pending))
	}
	if err == nil {
		err = database.PreparePartitions(ctx, identity.Clock())
	}
	return err
}

func (h *house) close() error {
	var faults []error
	if h.redis != nil {
		faults = append(faults, h.redis.Close())
	}
	faults = append(faults, h.database.Close())
	if h.traces != nil {
		ctx, cancel := context.WithTimeout(context.Background(), lastTraces)
		defer cancel()
		faults = append(faults, h.traces.Shutdown(ctx))
	}
	return errors.Join(faults...)
}

// lastTraces is how long the traces that were not sent yet may take at the end.
const lastTraces = 3 * time.Second

// open builds the house for a command that works on the database beside a running server.
func (e environment) open(ctx context.Context) (*house, context.Context, error) {
	if err := e.databaseExists(); err != nil {
		return nil, ctx, err
	}
	config, err := e.configuration()
	if err != nil {
		return nil, ctx, err
	}
	config.redis, config.traces, config.metricsListen = nil, "", "" // for whoever serves
	h, err := build(ctx, config, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, ctx, err
	}
	operator := "operator"
	if account, err := user.Current(); err == nil {
		operator += ":" + account.Username
	}
	return h, audit.As(ctx, audit.Actor{Name: operator}), nil
}
