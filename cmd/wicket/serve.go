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
)

type serveCommand struct{}

// Run serves until ctx ends, then finishes the requests that are under way.
func (serveCommand) Run(ctx context.Context, env environment, _ printer) error {
	config, err := env.configuration()
	if err != nil {
		return err
	}
	if _, chosen := env.lookup("GOGC"); !chosen {
		debug.SetGCPercent(gcPercent)
	}
	log := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	h, err := build(ctx, config, log)
	if err != nil {
		return err
	}
	defer func() { _ = h.close() }()
	if err := h.declareClients(ctx, config.clients, log); err != nil {
		return fmt.Errorf("WICKET_CLIENTS: %w", err)
	}
	return h.serve(ctx, config, log, func() {
		if people, err := h.identity.Users(ctx, uuid.Nil, 1); err == nil && len(people) == 0 {
			log.Info("there are no people yet; register one with: wicket user create --username NAME --email ADDRESS --email-verified --password-stdin")
		}
	})
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
	go h.keys.Watch(ctx)
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
	return serveHTTP(ctx, listeners, h.handler, log, ready)
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
	log.Info("stopping")
	finish, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownPatience)
	defer cancel()
	if err := server.Shutdown(finish); err != nil && !errors.Is(err, http.ErrServerClosed) {
		return errors.Join(err, server.Close())
	}
	return nil
}
