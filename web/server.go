// Package web says what a browser or an app sees: routes.go is the table of everything that is served. What handlers
// share is in frame, the handlers are in protocol, signin and account, which do not see each other. None of them
// decides what may be told to whom, which is oidc's question, nor who somebody is, which is identity's. Begin with New.
package web

import (
	"net/http"

	"github.com/gin-gonic/gin"
	"go.opentelemetry.io/otel/trace"

	"github.com/wicket-id/wicket/storage"
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
}

// Answered is told of each request that was answered.
type Answered = frame.Answered

// New returns the handler of everything that Wicket serves. It fails where a trusted proxy is neither an address nor a
// network.
func New(config Config) (http.Handler, error) {
	f, err := frame.New(config.Config)
	if err != nil {
		return nil, err
	}
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	engine.HandleMethodNotAllowed = true
	engine.RedirectTrailingSlash = false
	engine.RemoteIPHeaders = []string{frame.RemoteIPHeader}
	if err := engine.SetTrustedProxies(config.TrustedProxies); err != nil {
		return nil, err
	}
	routes(engine, f, config)
	return engine, nil
}
