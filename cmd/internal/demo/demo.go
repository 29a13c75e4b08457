// Package demo is what wicket dev runs: a Wicket with a demo account, the clients of the sample app, and the app, on
// this machine alone. Begin with Demo.
package demo

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/wicket-id/wicket/cmd/internal/sampleapp"
	"github.com/wicket-id/wicket/cmd/internal/server"
	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/administrators"
	"github.com/wicket-id/wicket/oidc/apis"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
	"github.com/wicket-id/wicket/web/notify"
)

// Demo says where it runs.
type Demo struct {
	Port, AppPort int    // of localhost
	Data          string // the folder of the database and its key
	Verbose       bool   // every request is logged
	Out           io.Writer
}

// The demo account. It exists in dev's own database alone, which serve never opens.
const (
	demoUsername = "demo"
	demoEmail    = "demo@example.com"
	demoPassword = "open the wicket"
	demoClient   = "daybook"
	demoSPA      = "daybook-pocket"
)

// Run serves Wicket with its demo and the sample app until ctx ends.
func (d Demo) Run(ctx context.Context) error {
	config, err := d.config()
	if err != nil {
		return err
	}
	listeners, err := config.TakeAddresses()
	if err != nil {
		return err
	}
	defer listeners.Close()
	level := slog.LevelWarn
	if d.Verbose {
		level = slog.LevelInfo
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
	s, err := server.New(ctx, config, log)
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	s.Handler = onLoopback(s.Handler)
	appConfig := sampleapp.Config{
		Issuer: config.Issuer, BaseURL: fmt.Sprintf("http://localhost:%d", d.AppPort),
		ClientID: demoClient, SPAClientID: demoSPA,
		// Derived, so that it need not be kept anywhere: the database knows its digest alone.
		ClientSecret: base64.RawURLEncoding.EncodeToString(config.Seal.Derive("demo client", []byte(demoClient))[0]),
	}
	if err := furnish(audit.As(ctx, audit.Actor{Name: "operator:dev"}), s, appConfig); err != nil {
		return err
	}
	sample, err := sampleapp.New(ctx, appConfig)
	if err != nil {
		return err
	}
	appListeners, err := server.Listen(fmt.Sprintf("localhost:%d", d.AppPort))
	if err != nil {
		return fmt.Errorf("the sample app cannot listen (choose another --app-port): %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	appEnded := make(chan error, 1)
	go func() {
		defer cancel()
		appEnded <- server.ServeHTTP(ctx, appListeners, onLoopback(sample), log, func() {})
	}()
	err = s.Serve(ctx, listeners, func() { d.welcome(config, appConfig) })
	cancel()
	return errors.Join(err, <-appEnded)
}

// onLoopback answers requests that name this machine alone. A page elsewhere may have its own name lead here (DNS
// rebinding), and would read what is shown to nobody but the developer.
func onLoopback(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = strings.Trim(r.Host, "[]")
		}
		if !storage.IsLoopback(host) {
			http.Error(w, "wicket dev answers at localhost alone", http.StatusMisdirectedRequest)
			return
		}
		handler.ServeHTTP(w, r)
	})
}

// config is that of the demo, whatever the environment says.
func (d Demo) config() (*server.Config, error) {
	config, err := server.Load(server.Environment{
		"WICKET_ISSUER":       fmt.Sprintf("http://localhost:%d", d.Port),
		"WICKET_LISTEN":       fmt.Sprintf("localhost:%d", d.Port),
		"WICKET_DATABASE_URL": "sqlite:" + filepath.Join(d.Data, "dev.db"),
		"WICKET_REGISTRATION": "open", "WICKET_LOGIN_COMMAND": "on",
		// Agents that connect to the sample app make themselves known in one of these ways.
		"WICKET_CLIENT_REGISTRATION": "open", "WICKET_CLIENT_DOCUMENTS": "any",
	})
	if err == nil {
		config.Outbox = &notify.Outbox{}
	}
	return config, err
}

// welcome says what there is to try.
func (d Demo) welcome(config *server.Config, app sampleapp.Config) {
	d.line("")
	d.line("  Wicket is open.")
	d.line("")
	d.line("  1. Open the sample app   %s", app.BaseURL)
	d.line("  2. Choose “Sign in with Wicket” and type")
	d.line("       name                %s", demoUsername)
	d.line("       password            %s", demoPassword)
	d.line("")
	d.line("  The same for an SPA      %s", app.SPARedirectURI())
	d.line("  For an agent (MCP)       %s", app.MCPURI())
	d.line("  Your account, devices    %s/account", config.Issuer)
	d.line("  The console              %s/console", config.Issuer)
	d.line("  Mail that was “sent”     %s/dev/outbox", config.Issuer)
	d.line("  For your own app         %s/.well-known/openid-configuration", config.Issuer)
	d.line("  On the command line      wicket login %s", config.Issuer)
	d.line("  Data is kept in          %s", d.Data)
	d.line("  For commands beside it   export WICKET_DATABASE_URL=%s WICKET_ISSUER=%s",
		config.DatabaseURL, config.Issuer)
	d.line("")
	d.line("  Stop with Ctrl-C.")
}

func (d Demo) line(format string, args ...any) { _, _ = fmt.Fprintf(d.Out, format+"\n", args...) }

// furnish makes the demo account, and the clients and the API of the sample app, where they are missing.
func furnish(ctx context.Context, s *server.Server, app sampleapp.Config) error {
	user, err := s.Identity.Users().Create(ctx, identity.NewUser{
		Username: demoUsername, Email: demoEmail, EmailVerified: true, Password: demoPassword, Name: "Demo Person",
	})
	if err == nil {
		_, err = s.Manage.Administrators.Grant(ctx, administrators.Person(user.ID), administrators.Owner, nil)
	}
	if err != nil && !errors.Is(err, identity.ErrUsernameTaken) {
		return fmt.Errorf("make the demo user: %w", err)
	}
	for _, client := range []struct {
		*clients.Client
		secret string
	}{
		{&clients.Client{
			ID: app.ClientID, Name: sampleapp.Name, AuthMethod: clients.AuthBasic, ClientURI: app.BaseURL,
			RedirectURIs: []string{app.RedirectURI()}, PostLogoutRedirectURIs: []string{app.PostLogoutRedirectURI()},
		}, app.ClientSecret},
		{&clients.Client{
			ID: app.SPAClientID, Name: sampleapp.SPAName, AuthMethod: clients.AuthNone, ClientURI: app.BaseURL + "/spa/",
			RedirectURIs: []string{app.SPARedirectURI()}, PostLogoutRedirectURIs: []string{app.SPARedirectURI()},
		}, ""},
	} {
		existing, err := s.Clients.ByID(ctx, client.ID)
		if err == nil && slices.Equal(existing.RedirectURIs, client.RedirectURIs) {
			continue
		}
		if err == nil { // the last run was on another port
			err = s.Clients.Delete(ctx, client.ID)
		}
		if err == nil || errors.Is(err, storage.ErrNotFound) {
			err = s.Clients.CreateClientWithSecret(ctx, client.Client, client.secret)
		}
		if err != nil {
			return fmt.Errorf("make the demo client: %w", err)
		}
	}
	err = s.APIs.Create(ctx, &apis.API{
		Identifier: app.MCPURI(), Name: sampleapp.Name, IsOpen: true, Scopes: []apis.Scope{
			{Name: sampleapp.NotesRead, Words: "Read your notes"}, {Name: sampleapp.NotesWrite, Words: "Write notes for you"},
		},
	})
	if err != nil && !errors.Is(err, apis.ErrAPIExists) {
		return fmt.Errorf("make the demo API: %w", err)
	}
	return nil
}
