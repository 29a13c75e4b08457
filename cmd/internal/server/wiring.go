package server

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/riverqueue/river"
	"go.opentelemetry.io/otel/trace"

	"github.com/wicket-id/wicket/federation"
	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/administrators"
	"github.com/wicket-id/wicket/identity/factor"
	"github.com/wicket-id/wicket/identity/signin"
	"github.com/wicket-id/wicket/identity/transfer"
	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/manage/activity"
	"github.com/wicket-id/wicket/manage/apps"
	"github.com/wicket-id/wicket/manage/configuration"
	"github.com/wicket-id/wicket/manage/events"
	"github.com/wicket-id/wicket/manage/groups"
	"github.com/wicket-id/wicket/manage/issuer"
	"github.com/wicket-id/wicket/manage/people"
	"github.com/wicket-id/wicket/manage/providers"
	"github.com/wicket-id/wicket/manage/refusals"
	"github.com/wicket-id/wicket/manage/verbs"
	"github.com/wicket-id/wicket/manage/webhooks"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/apis"
	"github.com/wicket-id/wicket/oidc/authorize"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/oidc/discovery"
	"github.com/wicket-id/wicket/oidc/grants"
	"github.com/wicket-id/wicket/oidc/keys"
	"github.com/wicket-id/wicket/oidc/logout"
	"github.com/wicket-id/wicket/oidc/registration"
	"github.com/wicket-id/wicket/oidc/requestobject"
	"github.com/wicket-id/wicket/oidc/tokens"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/cache"
	"github.com/wicket-id/wicket/storage/clock"
	"github.com/wicket-id/wicket/web"
	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/notify"
)

// openDatabase opens the database, with the key to what is sealed there, brings its schema up to date, and takes its
// time for the time.
func (s *Server) openDatabase(ctx context.Context, config *Config) (err error) {
	if err := config.PrepareMasterKey(); err != nil {
		return err
	}
	if s.Database, err = storage.Open(ctx, config.DatabaseURL); err != nil {
		return fmt.Errorf("WICKET_DATABASE_URL: %w", err)
	}
	if config.DatabaseReadURL != "" {
		if err := s.Database.ReadFrom(config.DatabaseReadURL); err != nil {
			return fmt.Errorf("WICKET_DATABASE_READ_URL: %w", err)
		}
	}
	if err := Prepare(ctx, s.Database, config.Migrate, s.log); err != nil {
		return err
	}
	if s.Clock, err = clock.New(ctx, s.Database, config.Clock, s.log); err != nil {
		return fmt.Errorf("WICKET_DATABASE_URL: %w", err)
	}
	return nil
}

// Prepare brings the schema of a database up to date, or, where migrate is false, says that it is not.
func Prepare(ctx context.Context, database *storage.Database, migrate bool, log *slog.Logger) error {
	if migrate {
		applied, err := database.Migrate(ctx)
		for _, step := range applied {
			log.Info("migrated", "version", step.Version, "name", step.Name)
		}
		if err != nil || len(applied) == 0 {
			return err
		}
		return ReportUsernames(ctx, database, log)
	}
	pending, err := database.Pending(ctx)
	if err == nil && len(pending) > 0 {
		return fmt.Errorf("the database lacks %d migrations and WICKET_MIGRATE is off: run wicket migrate first",
			len(pending))
	}
	if err == nil {
		err = database.PreparePartitions(ctx, identity.Clock())
	}
	return err
}

// ReportUsernames tells of usernames of before that nobody could choose today: such a one may be another's phone
// number.
func ReportUsernames(ctx context.Context, database *storage.Database, log *slog.Logger) error {
	return people.EachRefused(ctx, database, func(user *identity.User, fault error) {
		log.Warn("a username that nobody could choose today; the account is as it was", "username", user.Username,
			"user_id", user.ID, "reason", fault)
	})
}

// wireCache makes what may be lost: limits and caches, shared by Redis where there is one.
func (s *Server) wireCache(ctx context.Context, config *Config) error {
	s.cache = cache.NewLocal(s.Clock.Now)
	if config.Redis != nil {
		s.Redis = cache.NewRedis(ctx, config.Redis, config.Issuer, s.Clock.Now, s.log)
		s.cache = s.Redis
	}
	s.limits = &cache.Limits{Cache: s.cache, Rates: config.Limits}
	return nil
}

func (s *Server) wireIdentity(_ context.Context, config *Config) error {
	hasher, known := newHashers()
	s.Identity = &identity.Store{
		Database:    s.Database,
		Cache:       s.cache,
		Seal:        config.Seal,
		Hasher:      hasher,
		Now:         s.Clock.Now,
		TwoFactors:  config.TwoFactors,
		Mails:       config.Mail() != nil,
		Texts:       config.texts() != nil,
		TextRule:    identity.TextRule{Countries: config.SMSCountries, Daily: config.SMSDaily},
		SessionIdle: 30 * 24 * time.Hour,
	}
	s.Factors = &factor.Store{Store: s.Identity, RelyingParty: config.RelyingParty}
	s.SignIns = &signin.Store{
		Store:           s.Identity,
		Factors:         s.Factors,
		KnownHasher:     known,
		SessionLifetime: 90 * 24 * time.Hour,
		SignInDelay:     250 * time.Millisecond,
		RefusalTakes:    400 * time.Millisecond,
		MaxFailures:     10,
		LockDuration:    15 * time.Minute,
		AttemptsKept:    config.KeepLoginAttempts,
	}
	s.Transfer = &transfer.Store{Store: s.Identity, Factors: s.Factors, SignIn: s.SignIns}
	return nil
}

// wireProtocol makes what speaks to apps and to providers upstream.
func (s *Server) wireProtocol(_ context.Context, config *Config) (err error) {
	s.Upstreams = &federation.Upstreams{
		Issuer:   config.Issuer,
		Database: s.Database,
		Cache:    s.cache,
		Seal:     config.Seal,
		Identity: s.Identity,
		Named:    func() []federation.Provider { return s.Config().Providers },
		Now:      s.Clock.Now,
	}
	if err := oidc.CheckIssuer(config.Issuer); err != nil {
		return fmt.Errorf("WICKET_ISSUER: %w", err)
	}
	s.Keys = &keys.Keys{Database: s.Database, Seal: config.Seal, Now: s.Clock.Now, Log: s.log}
	s.Provider = &oidc.Provider{
		Issuer: config.Issuer, Database: s.Database, Cache: s.cache, Limits: s.limits, Seal: config.Seal,
		Lifetimes: oidc.DefaultLifetimes, TwoFactors: config.TwoFactors, RequirePKCE: config.RequirePKCE,
		RequirePAR: config.RequirePAR, AllResponseTypes: config.AllResponseTypes, RedirectSchemes: config.RedirectSchemes,
		FrontchannelLogout: config.FrontchannelLogout, SessionManagement: config.SessionManagement,
		Now: s.Clock.Now,
	}
	s.Clients = clients.New(s.Provider, s.Keys, config.AllowPrivate, s.log)
	s.APIs = apis.New(s.Provider)
	s.APIs.Own = manage.APIOf(config.Issuer)
	s.Tokens = tokens.New(s.Provider, s.Clients, s.APIs, s.Keys, s.Identity)
	s.Grants = grants.New(s.Provider, s.Clients, s.Tokens)
	s.Registration = registration.New(s.Provider, s.Clients, s.APIs)
	s.Registration.Mode, s.Registration.Documents = config.ClientRegistration, config.ClientDocuments
	s.Registration.AllowPrivate = config.AllowPrivate
	s.Authorize = &authorize.Service{
		Provider: s.Provider, Clients: s.Clients, Registration: s.Registration, APIs: s.APIs, Tokens: s.Tokens, Grants: s.Grants,
		RequestObjects: requestobject.New(s.Clients),
		Identity:       s.Identity,
	}
	s.Logout = &logout.Service{
		Provider: s.Provider, Clients: s.Clients, Tokens: s.Tokens, Identity: s.Identity, Log: s.log,
		AllowPrivate: config.AllowPrivate,
	}
	s.Identity.Listener, s.Clients.Leaving = s.Logout.Listener(), s.Logout.ClientLeaves
	s.discovery, err = discovery.Document(s.Provider, discovery.Choices{
		Registration: config.ClientRegistration, Documents: config.ClientDocuments,
	})
	if err != nil {
		return err
	}
	s.resource, err = discovery.Resource(config.Issuer)
	return err
}

// wireManagement makes what says who may change what.
func (s *Server) wireManagement(_ context.Context, config *Config) error {
	s.Manage = &manage.Store{
		Database: s.Database, Seal: config.Seal, Tokens: s.Tokens, Now: s.Clock.Now,
		Administrators: &administrators.Store{Database: s.Database, Now: s.Clock.Now},
	}
	s.Providers = &providers.Store{Store: s.Manage, Upstreams: s.Upstreams}
	s.People = &people.Store{
		Store: s.Manage, SignIns: s.SignIns, Factors: s.Factors, Transfer: s.Transfer, Provider: s.Provider,
	}
	s.Groups = &groups.Store{Store: s.Manage, Identity: s.Identity}
	s.Apps = &apps.Store{
		Store: s.Manage, Provider: s.Provider, Clients: s.Clients, APIs: s.APIs, Tokens: s.Tokens, Logout: s.Logout,
		Authorize: s.Authorize,
	}
	s.Activity = &activity.Store{Store: s.Manage}
	s.Refused = refusals.NewRecorder(s.Database, s.Clock.Now, s.log)
	s.Refusals = &refusals.Store{Store: s.Manage, Apps: s.Apps}
	s.Signing = &issuer.Store{Store: s.Manage, Signing: s.Keys}
	s.Events = &events.Store{
		Store: s.Manage, FeedIsOn: config.EventFeed, Kept: config.eventsKept(), Every: time.Second, Log: s.log,
	}
	s.Webhooks = &webhooks.Store{
		Store: s.Manage, Identity: s.Identity, Events: s.Events, Log: s.log, AllowPrivate: config.AllowPrivate,
	}
	s.Events.Hear = s.Webhooks.Hear
	s.Configuration = &configuration.Store{
		Store: s.Manage, Provider: s.Provider, Clients: s.Clients, APIs: s.APIs, Upstreams: s.Upstreams,
		IsOurs: isLogin,
	}
	return nil
}

func (s *Server) wireJobs(_ context.Context, config *Config) (err error) {
	workers := river.NewWorkers()
	river.AddWorker(workers, &notify.Worker{
		Issuer: config.Issuer,
		Seal:   config.Seal,
		Mail:   func() notify.Sender { return s.Config().Mail() },
		Texts:  func() notify.TextSender { return s.Config().texts() },
		Log:    s.log,
	})
	river.AddWorker(workers, &notify.ResetWorker{SignIns: s.SignIns})
	river.AddWorker(workers, &notify.LockWorker{SignIns: s.SignIns})
	river.AddWorker(workers, &logout.DeliveryWorker{Logout: s.Logout, Count: s.count})
	river.AddWorker(workers, &webhooks.Worker{Webhooks: s.Webhooks, Count: s.count})
	river.AddWorker(workers, &upkeepWorker{server: s, auditTrailKept: config.KeepAuditTrail, log: s.log})
	s.Jobs, err = s.Database.NewJobs(workers, []*river.PeriodicJob{upkeepJob()}, s.log)
	s.Identity.Jobs, s.Logout.Jobs, s.Webhooks.Jobs = s.Jobs, s.Jobs, s.Jobs
	return err
}

func (s *Server) wireTraces(ctx context.Context, config *Config) (err error) {
	if config.TraceProtocol == "" {
		return nil
	}
	if s.traces, err = newTraces(ctx, config.TraceProtocol, s.log); err != nil {
		return fmt.Errorf("OTEL_EXPORTER_OTLP_ENDPOINT: %w", err)
	}
	s.Database.Trace()
	return nil
}

// wireWeb makes the handler of everything that is served, and counts what it does where metrics are wanted.
func (s *Server) wireWeb(_ context.Context, config *Config) (err error) {
	var tracer trace.TracerProvider
	if s.traces != nil {
		tracer = s.traces
	}
	var tally storage.EventCounter
	var answered web.Answered
	if config.MetricsListen != "" {
		s.metrics = newMetrics()
		s.metrics.watch(s, s.log)
		tally, answered = s.metrics.tally, s.metrics.answered
	}
	s.Handler, err = web.New(web.Config{
		Config: frame.Config{
			Provider: s.Provider, Keys: s.Keys, Clients: s.Clients, APIs: s.APIs, Tokens: s.Tokens, Grants: s.Grants,
			Registration: s.Registration, Authorize: s.Authorize, Logout: s.Logout,
			Discovery: s.discovery, ResourceMetadata: s.resource, Upstreams: s.Upstreams,
			Identity: s.Identity, Factors: s.Factors, SignIns: s.SignIns, Transfer: s.Transfer, Administrators: s.Manage.Administrators,
			Refusals: s.Refused, Limits: s.limits, Log: s.log, Tally: tally, Answered: answered, Now: s.Clock.Now,
		},
		Database:          s.Database,
		TrustedProxies:    config.TrustedProxies,
		Registration:      config.Registration,
		SecurityContacts:  config.SecurityContacts,
		SecurityLanguages: config.SecurityLanguages,
		Outbox:            config.Outbox,
		Tracer:            tracer,
		Draining:          s.draining.Load,
		Management: verbs.Set{
			Manage: s.Manage, People: s.People, Groups: s.Groups, Apps: s.Apps, Providers: s.Providers,
			Activity: s.Activity, Refusals: s.Refusals, Issuer: s.Signing, Events: s.Events, Webhooks: s.Webhooks,
			Configuration: s.Configuration,
		},
	})
	return err
}
