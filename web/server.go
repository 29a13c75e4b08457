// Package web says what a browser or an app sees: routes.go is the table of everything that is served. What handlers
// share is in frame, the handlers are in protocol, signin, account and api, which do not see each other. None of them
// decides what may be told to whom, which is oidc's question, nor who somebody is, which is identity's. Begin with New.
package web

import (
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"
	"go.opentelemetry.io/otel/trace"

	"github.com/wicket-id/wicket/manage/verbs"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/web/api"
	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/notify"
)

// Config is what is served from; set all of it but what may be nil.
type Config struct {
	frame.Config

	Database          *storage.Database
	TrustedProxies    []string             // addresses or networks whose X-Forwarded-For is trusted; none: nobody's
	Registration      bool                 // people may make accounts for themselves
	SecurityContacts  []string             // whom to tell of weaknesses, as URLs; none: nothing is said
	SecurityLanguages []string             // that are read there
	Outbox            *notify.Outbox       // development alone: messages are shown, not sent; otherwise nil
	Tracer            trace.TracerProvider // nil: nothing is traced
	Draining          func() bool          // this process is about to stop
	Management        verbs.Set
}

// Answered is told of each request that was answered.
type Answered = frame.Answered

// New returns the handler of everything that Wicket serves. It fails where a trusted proxy is neither an address nor a
// network.
func New(config Config) (*Handler, error) {
	f, err := frame.New(config.Config)
	if err != nil {
		return nil, err
	}
	gin.SetMode(gin.ReleaseMode)
	pages, err := newEngine(f, config)
	if err != nil {
		return nil, err
	}
	routes(pages, f, config)
	management, err := newEngine(f, config)
	if err != nil {
		return nil, err
	}
	management.UseRawPath = true // ids are URLs, too
	api.Routes(management, f, config.Management)
	return &Handler{pages, management}, nil
}

// Handler serves everything. The management API has a router of its own.
type Handler struct{ pages, management *gin.Engine }

// ServeHTTP hands a request to the router that it is for.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == api.Base || strings.HasPrefix(r.URL.Path, api.Base+"/") {
		h.management.ServeHTTP(w, r)
		return
	}
	h.pages.ServeHTTP(w, r)
}

// Routes are those that a browser's cookies count for: all but the management API's.
func (h *Handler) Routes() gin.RoutesInfo { return h.pages.Routes() }

// newEngine returns a router that knows who sends a request, and observes each.
func newEngine(f *frame.Frame, config Config) (*gin.Engine, error) {
	engine := gin.New()
	engine.HandleMethodNotAllowed = true
	engine.RedirectTrailingSlash = false
	engine.RemoteIPHeaders = []string{frame.RemoteIPHeader}
	if err := engine.SetTrustedProxies(config.TrustedProxies); err != nil {
		return nil, err
	}
	if config.Tracer != nil {
		engine.Use(frame.Trace(config.Tracer, config.TrustedProxies)...)
	}
	engine.Use(f.Observe)
	return engine, nil
}
