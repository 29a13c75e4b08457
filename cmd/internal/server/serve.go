package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

const (
	shutdownPatience = 20 * time.Second
	maxHeaderBytes   = 64 << 10
)

// Serve makes the apps that are declared and answers requests until ctx ends. Then it says that it is not ready any
// more, finishes the requests that are under way, then the jobs. ready is called once requests are answered.
func (s *Server) Serve(ctx context.Context, ready func()) error {
	config := s.Config()
	if err := s.declareClients(ctx, config.Clients); err != nil {
		return err
	}
	listeners, err := Listen(config.Listen)
	if err != nil {
		return fmt.Errorf("WICKET_LISTEN: %w", err)
	}
	if err := s.Keys.Load(ctx); err != nil {
		closeAll(listeners)
		return fmt.Errorf("load the signing keys: %w", err)
	}
	stopMetrics, err := s.serveMetrics(ctx, config.MetricsListen)
	if err != nil {
		closeAll(listeners)
		return fmt.Errorf("WICKET_METRICS_LISTEN: %w", err)
	}
	defer stopMetrics() // last, so that the end can be watched
	go s.Keys.Watch(ctx)
	go s.Clock.Watch(ctx)
	stopJobs, err := s.startJobs(ctx)
	if err != nil {
		closeAll(listeners)
		return err
	}
	defer stopJobs() // after the requests, which make some
	s.log.Info("serving", "issuer", config.Issuer, "address", listeners[0].Addr().String(), "database", s.Database.Kind)
	serving, stopServing := context.WithCancel(context.WithoutCancel(ctx))
	defer stopServing()
	go func() {
		select {
		case <-ctx.Done():
			s.drain(serving, config.Drain)
			stopServing()
		case <-serving.Done(): // serving failed
		}
	}()
	return ServeHTTP(serving, listeners, s.Handler, s.log, ready)
}

func (s *Server) startJobs(ctx context.Context) (stop func(), err error) {
	ctx = context.WithoutCancel(ctx)
	if err := s.Jobs.Start(ctx); err != nil {
		return nil, fmt.Errorf("start the jobs: %w", err)
	}
	return func() {
		finish, cancel := context.WithTimeout(ctx, shutdownPatience)
		defer cancel()
		if err := s.Jobs.Stop(finish); err != nil {
			s.log.Error("stop the jobs; what was not finished is done after the next start", "error", err)
		}
	}, nil
}

// drain says on /readyz that no more requests should be sent here, and goes on answering them for a while: a load
// balancer takes a moment to notice.
func (s *Server) drain(ctx context.Context, patience time.Duration) {
	s.log.Info("stopping", "drain", patience)
	s.draining.Store(true)
	select {
	case <-time.After(patience):
	case <-ctx.Done():
	}
}

// serveMetrics serves what Prometheus scrapes, where that is wanted, until stop is called. It has a listener of its
// own, for it is not for the public.
func (s *Server) serveMetrics(ctx context.Context, address string) (stop func(), err error) {
	if s.metrics == nil {
		return func() {}, nil
	}
	listeners, err := Listen(address)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	go func() { ended <- ServeHTTP(ctx, listeners, s.metrics.handler(), s.log, func() {}) }()
	s.log.Info("serving metrics", "address", listeners[0].Addr().String())
	return func() {
		cancel()
		if err := <-ended; err != nil {
			s.log.Error("serve the metrics", "error", err)
		}
	}, nil
}

// Listen listens on an address; on both loopback addresses where it says localhost, for a client may try either first
// and no other.
func Listen(address string) ([]net.Listener, error) {
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

// ServeHTTP serves handler on listeners until ctx ends, and finishes the requests that are under way then. ready is
// called once requests are answered.
func ServeHTTP(
	ctx context.Context, listeners []net.Listener, handler http.Handler, log *slog.Logger, ready func(),
) error {
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
