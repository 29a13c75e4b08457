package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"time"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/storage/audit"
)

type serveCommand struct{}

// Run serves until ctx ends, then says that it is not ready any more, finishes the requests that are under way, then the
// jobs, and closes the database.
func (serveCommand) Run(ctx context.Context, env environment, out printer) error {
	config, err := env.configuration()
	if err != nil {
		return err
	}
	if _, chosen := env.lookup("GOGC"); !chosen {
		debug.SetGCPercent(gcPercent)
	}
	log := slog.New(traceLog{slog.NewJSONHandler(os.Stderr, nil)})
	h, err := build(ctx, config, log)
	if err != nil {
		return err
	}
	defer func() { _ = h.close() }()
	if err := h.declareClients(ctx, config.clients, log); err != nil {
		return fmt.Errorf("WICKET_CLIENTS: %w", err)
	}
	go h.watchFiles(ctx, env, log)
	return h.serve(ctx, config, log, func() {
		if err := h.inviteFirst(ctx, config, log, out); err != nil && ctx.Err() == nil {
			log.Error("invite the first person", "error", err)
		}
	})
}

// inviteFirst tells whoever started a Wicket in which nobody is registered how to become its administrator. If they chose the
// secret of the link, it works from now on. Else an embedded one prints a link on the terminal, which never goes into the log;
// of several replicas none would know whose link counts.
func (h *house) inviteFirst(ctx context.Context, config *configuration, log *slog.Logger, out printer) error {
	operator := audit.As(ctx, audit.Actor{Name: "operator"})
	switch {
	case config.invitation != "":
		open, err := h.identity.InviteFirstBy(operator, config.invitation)
		if err == nil && open {
			log.Info("nobody is registered yet; the link with the secret in WICKET_FIRST_INVITATION makes the first account, an administrator's",
				"link", invitationLink(config.issuer, "…"))
		}
		return err
	case config.embeddedDatabase() == "":
		people, err := h.identity.Users(ctx, uuid.Nil, 1)
		if err == nil && len(people) == 0 {
			log.Info("nobody is registered yet; invite an administrator with: wicket user invite --role admin")
		}
		return err
	}
	secret, err := h.identity.InviteFirst(operator)
	if err == nil && secret != "" {
		out.line("Nobody is registered yet. Within a day this link makes the first account, an administrator's:\n%s", invitationLink(config.issuer, secret))
	}
	return err
}

const (
	// gcPercent lets garbage grow further than Go's 100 before it is collected: what lives is a few megabytes, so this
	// costs little memory and spares a fifth of the CPU time.
	gcPercent        = 400
	shutdownPatience = 20 * time.Second
	maxHeaderBytes   = 64 << 10
)

// serve answers requests until ctx ends. ready is called once they are answered.
func (h *house) serve(ctx context.Context, config *configuration, log *slog.Logger, ready func()) error {
	listeners, err := listen(config.listen)
	if err != nil {
		return fmt.Errorf("WICKET_LISTEN: %w", err)
	}
	if err := h.keys.Load(ctx); err != nil {
		closeAll(listeners)
		return fmt.Errorf("load the signing keys: %w", err)
	}
	if h.metrics != nil {
		stop, err := h.serveMetrics(ctx, config.metricsListen, log)
		if err != nil {
			closeAll(listeners)
			return fmt.Errorf("WICKET_METRICS_LISTEN: %w", err)
		}
		defer stop() // last, so that the end can be watched
	}
	go h.keys.Watch(ctx)
	go h.clock.Watch(ctx)
	// The jobs end after the requests, which make some.
	if err := h.jobs.Start(context.WithoutCancel(ctx)); err != nil {
		closeAll(listeners)
		return fmt.Errorf("start the jobs: %w", err)
	}
	defer func() {
		finish, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownPatience)
		defer cancel()
		if err := h.jobs.Stop(finish); err != nil {
			log.Error("stop the jobs; what was not finished is done after the next start", "error", err)
		}
	}()
	log.Info("serving", "issuer", config.issuer, "address", listeners[0].Addr().String(), "database", h.database.Kind)
	open, shut := context.WithCancel(context.WithoutCancel(ctx))
	defer shut()
	go func() {
		select {
		case <-ctx.Done():
			h.drain(open, config.drain, log)
			shut()
		case <-open.Done(): // serving failed
		}
	}()
	return serveHTTP(open, listeners, h.handler, log, ready)
}

// drain says on /readyz that no more requests should be sent here, and goes on answering them for a while: a load balancer
// takes a moment to notice.
func (h *house) drain(ctx context.Context, patience time.Duration, log *slog.Logger) {
	log.Info("stopping", "drain", patience)
	h.draining.Store(true)
	select {
	case <-time.After(patience):
	case <-ctx.Done():
	}
}

// serveMetrics serves what Prometheus scrapes on a listener of its own, for it is not for the public, until stop is called.
func (h *house) serveMetrics(ctx context.Context, address string, log *slog.Logger) (stop func(), err error) {
	listeners, err := listen(address)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	go func() { ended <- serveHTTP(ctx, listeners, h.metrics.handler(), log, func() {}) }()
	log.Info("serving metrics", "address", listeners[0].Addr().String())
	return func() {
		cancel()
		if err := <-ended; err != nil {
			log.Error("serve the metrics", "error", err)
		}
	}, nil
}

// listen listens on an address; on both loopback addresses where it says localhost, for a client may try either first and
// no other.
func listen(address string) ([]net.Listener, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if host != "localhost" {
		listener, err := net.Listen("tcp", address)
		return []net.Listener{listener}, err
	}
	listener, err := net.Listen("tcp4", net.JoinHostPort("127.0.0.1", port))
	if err != nil {
		return nil, err
	}
	listeners := []net.Listener{listener}
	if second, err := net.Listen("tcp6", net.JoinHostPort("::1", port)); err == nil { // a machine may have no IPv6
		listeners = append(listeners, second)
	}
	return listeners, nil
}

func closeAll(listeners []net.Listener) {
	for _, listener := range listeners {
		_ = listener.Close()
	}
}

// serveHTTP serves handler on listeners until ctx ends.
func serveHTTP(ctx context.Context, listeners []net.Listener, handler http.Handler, log *slog.Logger, ready func()) error {
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      60 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	served := make(chan error, len(listeners))
	for _, listener := range listeners {
		go func() { served <- server.Serve(listener) }()
	}
	ready()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	finish, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownPatience)
	defer cancel()
	if err := server.Shutdown(finish); err != nil && !errors.Is(err, http.ErrServerClosed) {
		return errors.Join(err, server.Close())
	}
	return nil
}
