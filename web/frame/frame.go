// Package frame is what the handlers of all URLs share: how a request is read, who is there, what a handler may demand
// before it begins, and how its result or its error becomes an answer.
//
// New makes a Frame. Its methods Page, CrossSitePage and App wrap a Handler for the router; a Handler is given a Visit,
// which holds what was read of the request, and answers through it.
package frame

import (
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/wicket-id/wicket/federation"
	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/administrators"
	"github.com/wicket-id/wicket/identity/factor"
	"github.com/wicket-id/wicket/identity/signin"
	"github.com/wicket-id/wicket/identity/transfer"
	"github.com/wicket-id/wicket/manage/refusals"
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
)

// Config is what handlers work with. Set all of it but Refusals, Tally and Answered.
type Config struct {
	Provider *oidc.Provider
	Keys     *keys.Keys
	Clients  *clients.Store
	APIs     *apis.Store
	// where apps register themselves
	Registration *registration.Service
	Tokens       *tokens.Service
	Grants       *grants.Service
	Authorize    *authorize.Service
	Logout       *logout.Service
	Discovery    []byte // the discovery document
	// what the server tells of itself as an API
	ResourceMetadata []byte
	Upstreams        *federation.Upstreams
	Identity         *identity.Store
	Factors          *factor.Store
	SignIns          *signin.Store
	Transfer         *transfer.Store
	Administrators   *administrators.Store
	Refusals         *refusals.Recorder // nil: refusals are logged alone
	Limits           *cache.Limits
	Log              *slog.Logger
	Tally            storage.EventCounter // counts what happens; nil: nothing is counted
	Answered         Answered             // nil: not called
	Now              func() time.Time
}

// Answered is told of each request that was answered: by the pattern of its route, or "" where there is none.
type Answered func(route, method string, status int, took time.Duration)

// Frame is made once for a server and shared by its handlers.
type Frame struct {
	Config

	https       bool // the issuer is https, so cookies and headers can insist on it
	crossOrigin *http.CrossOriginProtection
	proxies     untrustedProxy
}

// New returns a Frame. It fails where the issuer is not an origin.
func New(config Config) (*Frame, error) {
	f := &Frame{
		Config:      config,
		https:       strings.HasPrefix(config.Provider.Issuer, "https:"),
		crossOrigin: http.NewCrossOriginProtection(),
	}
	// Behind a proxy the Host header may be another; the issuer's origin is ours in any case.
	if err := f.crossOrigin.AddTrustedOrigin(config.Provider.Issuer); err != nil {
		return nil, err
	}
	return f, nil
}
