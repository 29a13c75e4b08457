// Package server puts Wicket together and runs it: it reads the configuration, wires the packages below, serves, and
// looks after what runs beside the requests.
//
// Begin with [Load], which makes a [Config] out of the environment, and [New], which makes a [Server] out of that.
// [Server.Serve] answers requests until its context ends; a command that works on the database beside a running
// server calls [Beside] instead.
package server

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/wicket-id/wicket/federation"
	"github.com/wicket-id/wicket/identity"
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
	"github.com/wicket-id/wicket/manage/webhooks"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/apis"
	"github.com/wicket-id/wicket/oidc/authorize"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/oidc/grants"
	"github.com/wicket-id/wicket/oidc/keys"
	"github.com/wicket-id/wicket/oidc/logout"
	"github.com/wicket-id/wicket/oidc/registration"
	"github.com/wicket-id/wicket/oidc/tokens"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/cache"
	"github.com/wicket-id/wicket/storage/clock"
)

// Server is Wicket put together.
type Server struct {
	Database  *storage.Database
	Clock     *clock.Clock
	Redis     *cache.Redis // nil where there is none
	Identity  *identity.Store
	Factors   *factor.Store
	SignIns   *signin.Store
	Transfer  *transfer.Store
	Upstreams *federation.Upstreams
	Keys      *keys.Keys
	Provider  *oidc.Provider
	Clients   *clients.Store
	APIs      *apis.Store
	// where apps register themselves
	Registration *registration.Service
	Tokens       *tokens.Service
	Grants       *grants.Service
	Authorize    *authorize.Service
	Logout       *logout.Service
	Manage       *manage.Store
	People       *people.Store
	Providers    *providers.Store
	Groups       *groups.Store
	Apps         *apps.Store
	Activity     *activity.Store
	Refused      *refusals.Recorder
	Refusals     *refusals.Store
	Signing      *issuer.Store
	Events       *events.Store
	Webhooks     *webhooks.Store
	// makes the server what a file declares
	Configuration *configuration.Store
	Jobs          *storage.Jobs
	Handler       http.Handler

	config    atomic.Pointer[Config] // what may change while the server runs is read from it when it is needed
	log       *slog.Logger
	cache     cache.Cache
	limits    *cache.Limits
	metrics   *metrics                 // nil where nobody scrapes them
	traces    *sdktrace.TracerProvider // nil where nobody wants them
	discovery []byte
	resource  []byte // what the server tells of itself as an API
	draining  atomic.Bool
}

// New opens the database and puts the server together on it. Errors name the variable that has to change. The caller
// closes the server.
func New(ctx context.Context, config *Config, log *slog.Logger) (*Server, error) {
	s := &Server{log: log}
	s.config.Store(config)
	for _, wire := range []func(context.Context, *Config) error{
		s.openDatabase, s.wireCache, s.wireIdentity, s.wireProtocol, s.wireManagement, s.wireJobs, s.wireTraces, s.wireWeb,
	} {
		if err := wire(ctx, config); err != nil {
			return nil, errors.Join(err, s.Close())
		}
	}
	return s, nil
}

// Config is what the server goes by now. It must not be changed.
func (s *Server) Config() *Config { return s.config.Load() }

// lastTraces is how long the traces that were not sent yet may take at the end.
const lastTraces = 3 * time.Second

// lastRefusals is how long the refusals that were not written yet may take at the end.
const lastRefusals = 5 * time.Second

// Close writes the refusals and sends the traces that are left, and closes the database and Redis. Serve must have
// returned.
func (s *Server) Close() error {
	var faults []error
	if s.Refused != nil {
		ctx, cancel := context.WithTimeout(context.Background(), lastRefusals)
		s.Refused.Drain(ctx)
		cancel()
	}
	if s.Redis != nil {
		faults = append(faults, s.Redis.Close())
	}
	if s.Database != nil {
		faults = append(faults, s.Database.Close())
	}
	if s.traces != nil {
		ctx, cancel := context.WithTimeout(context.Background(), lastTraces)
		defer cancel()
		faults = append(faults, s.traces.Shutdown(ctx))
	}
	return errors.Join(faults...)
}
