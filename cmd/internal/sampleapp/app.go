// Package sampleapp is Daybook, the small app that `wicket dev` serves beside Wicket so that a newcomer sees a whole
// sign-in from the app's side. It is an ordinary relying party, written as any app developer would write it, and it
// knows nothing of Wicket's insides: it speaks OpenID Connect through golang.org/x/oauth2 and go-oidc, and reads the
// rest from the issuer's metadata.
//
//	/          what Daybook received: claims, userinfo, facts about the tokens
//	/sign-in   starts the authorization code flow with PKCE, state and nonce
//	/callback  ends it
//	/refresh   trades the refresh token for new tokens
//	/sign-out  RP-initiated logout
//	/spa/      the same for a public client that lives in the browser
//	/mcp       a server of the Model Context Protocol, for agents that a person lets in
package sampleapp

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
)

// The names under which Wicket's consent page should introduce the two clients.
const (
	Name    = "Daybook"
	SPAName = "Daybook Pocket"
)

// Scopes is what both clients ask for.
var Scopes = []string{oidc.ScopeOpenID, "profile", "email", oidc.ScopeOfflineAccess}

// Config says who Daybook is at which issuer.
type Config struct {
	Issuer       string // exactly as the issuer's metadata writes it
	ClientID     string // the confidential client of the server-side app
	ClientSecret string
	BaseURL      string // where browsers find Daybook, without a slash at the end: http://localhost:8081
	SPAClientID  string // the public client of the single-page app; empty: no /spa/
}

// RedirectURI is what the confidential client must have registered.
func (c Config) RedirectURI() string { return c.BaseURL + "/callback" }

// PostLogoutRedirectURI is where Wicket sends the person after signing out of the server-side app.
func (c Config) PostLogoutRedirectURI() string { return c.BaseURL + "/" }

// SPARedirectURI is both redirect_uri and post_logout_redirect_uri of the single-page app, whose web origin is BaseURL.
func (c Config) SPARedirectURI() string { return c.BaseURL + "/spa/" }

// App is Daybook, an http.Handler.
type App struct {
	config   Config
	host     string
	handler  http.Handler
	issuer   *issuer
	sessions *sessions
	now      func() time.Time
}

// New returns Daybook without talking to the issuer, so that it may be started first: discovery happens when somebody
// signs in. ctx bounds every conversation with the issuer. It returns an error if c is incomplete.
func New(ctx context.Context, c Config) (*App, error) {
	c.BaseURL = strings.TrimSuffix(c.BaseURL, "/")
	base, err := absolute(c.BaseURL)
	if err != nil {
		return nil, fmt.Errorf("sample app: base URL: %w", err)
	}
	at, err := absolute(c.Issuer)
	if err != nil {
		return nil, fmt.Errorf("sample app: issuer: %w", err)
	}
	if c.ClientID == "" || c.ClientSecret == "" {
		return nil, errors.New("sample app: client id and client secret are needed")
	}
	a := &App{
		config:   c,
		host:     base.Host,
		issuer:   newIssuer(ctx, c),
		sessions: newSessions(base.Scheme == "https"),
		now:      time.Now,
	}
	a.handler = secured(a.routes(), at.Scheme+"://"+at.Host)
	return a, nil
}

func (a *App) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.handler.ServeHTTP(w, r) }

//go:embed assets spa
var files embed.FS

func (a *App) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", page(a.home))
	mux.Handle("GET /sign-in", page(a.signIn))
	mux.Handle("GET /callback", page(a.callback))
	mux.Handle("POST /refresh", page(a.refresh))
	mux.Handle("POST /sign-out", page(a.signOut))
	mux.Handle("GET /assets/{file}", http.FileServerFS(files))
	if a.config.SPAClientID != "" {
		mux.Handle("GET /spa/{$}", page(a.spa))
		mux.Handle("GET /spa/spa.js", http.StripPrefix("/spa/", http.FileServerFS(must(fs.Sub(files, "spa")))))
		mux.HandleFunc("GET /spa/config.json", a.spaConfig)
	}
	mux.Handle("/mcp", a.mcpServer())
	mux.Handle("GET "+mcpMetadataPath, a.mcpMetadata())
	mux.Handle("/", page(func(http.ResponseWriter, *http.Request) error {
		return problem{Status: http.StatusNotFound, Title: "There is no such page", Advice: "Daybook has only a few."}
	}))
	guard := http.NewCrossOriginProtection()
	guard.SetDenyHandler(page(func(http.ResponseWriter, *http.Request) error {
		return problem{Status: http.StatusForbidden, Title: "That came from another site",
			Advice: "Daybook only accepts what is sent from its own pages."}
	}))
	return a.atHome(guard.Handler(mux))
}

// atHome sends people who came by another name of this machine (127.0.0.1) to the one the issuer knows, where their
// cookie will be found again after signing in; and it keeps other hosts' names that point here from being served.
func (a *App) atHome(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Host == a.host:
			next.ServeHTTP(w, r)
		case r.Method == http.MethodGet && r.URL.Path == "/":
			http.Redirect(w, r, a.config.BaseURL+"/", http.StatusFound)
		default:
			http.Error(w, "Daybook lives at "+a.config.BaseURL, http.StatusMisdirectedRequest)
		}
	})
}

// secured adds the headers of every answer. The issuer is named where a page has to reach it: the sign-out form is
// redirected there (form-action also holds for redirects), and the single-page app calls it.
func secured(next http.Handler, issuer string) http.Handler {
	policy := "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self' " + issuer +
		"; form-action 'self' " + issuer + "; base-uri 'none'; frame-ancestors 'none'"
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

func absolute(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return nil, err
	}
	if u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("%q is not an absolute http(s) URL", raw)
	}
	return u, nil
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
