package web

import (
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"go.opentelemetry.io/otel/trace"

	"github.com/wicket-id/wicket/federation"
	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/web/notify"
)

// Config is what the server leans on; set all of it.
type Config struct {
	Provider       *oidc.Provider
	Upstreams      *federation.Upstreams
	Identity       *identity.Store
	Database       *storage.Database
	Limits         *storage.Limits
	Log            *slog.Logger
	TrustedProxies []string             // addresses or networks whose X-Forwarded-For is believed; none: nobody's
	Registration   bool                 // strangers may make accounts
	Outbox         *notify.Outbox       // development alone: mail and text messages are shown, not sent; otherwise nil
	Tracer         trace.TracerProvider // nil: nothing is traced
	Tally          storage.Tallier      // counts what happens; nil: nobody does
	Answered       Answered             // nil: nobody wants to know
	Draining       func() bool          // this process is about to stop
	Now            func() time.Time
}

// Answered is told of each request that was answered: by the pattern of its route, or "" where there is none.
type Answered func(route, method string, status int, took time.Duration)

// Server is the HTTP face of Wicket.
type Server struct {
	Config

	https       bool // the issuer is https, so cookies and headers can insist on it
	crossOrigin *http.CrossOriginProtection
}

// New returns the handler of everything that Wicket serves. It fails where a trusted proxy is neither an address nor a
// network.
func New(config Config) (http.Handler, error) {
	s := &Server{Config: config, https: strings.HasPrefix(config.Provider.Issuer, "https:"), crossOrigin: http.NewCrossOriginProtection()}
	// Behind a proxy the Host header may be another; the issuer's origin is ours in any case.
	if err := s.crossOrigin.AddTrustedOrigin(config.Provider.Issuer); err != nil {
		return nil, err
	}
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	engine.HandleMethodNotAllowed = true
	engine.RedirectTrailingSlash = false
	if err := engine.SetTrustedProxies(config.TrustedProxies); err != nil {
		return nil, err
	}
	s.routes(engine)
	return engine, nil
}
