package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/wicket-id/wicket/storage"
)

const (
	shutdownPatience = 20 * time.Second
	maxHeaderBytes   = 64 << 10
)

// Listeners are the addresses of a server, which it has before it answers there.
type Listeners struct{ web, metrics []net.Listener }

// TakeAddresses listens where a server will answer. That comes before all else: a database is not to be migrated for
// one that cannot serve then. The caller closes them.
func (c *Config) TakeAddresses() (*Listeners, error) {
	listeners := new(Listeners)
	var err, metricsErr error
	if listeners.web, err = Listen(c.Listen); err != nil {
		err = fmt.Errorf("WICKET_LISTEN: %w", err)
	}
	if c.MetricsListen != "" {
		if listeners.metrics, metricsErr = Listen(c.MetricsListen); metricsErr != nil {
			metricsErr = fmt.Errorf("WICKET_METRICS_LISTEN: %w", metricsErr)
		}
	}
	if err := errors.Join(err, metricsErr); err != nil {
		listeners.Close()
		return nil, err
	}
	return listeners, nil
}

// Close gives the addresses back.
func (l *Listeners) Close() {
	for _, listener := range slices.Concat(l.web, l.metrics) {
		_ = listener.Close()
	}
}

// Serve makes the apps that are declared and answers requests until ctx ends. Then it says that it is not ready any
// more, finishes the requests that are under way, then the jobs. ready is called once requests are answered.
func (s *Server) Serve(ctx context.Context, listeners *Listeners, ready func()) error {
	config := s.Config()
	if err := s.Database.CheckSoundness(ctx); err != nil {
		return fmt.Errorf("WICKET_DATABASE_URL: %w; restore a backup, as docs/upgrading.md says", err)
	}
	if err := s.declare(ctx, config); err != nil {
		return err
	}
	if err := s.Keys.Load(ctx); err != nil {
		return fmt.Errorf("load the signing keys: %w", err)
	}
	defer s.serveMetrics(ctx, listeners.metrics)() // ends last, so that the end can be watched
	go s.Keys.Watch(ctx)
	go s.Clock.Watch(ctx)
	go s.Events.Watch(ctx)
	go s.Webhooks.Watch(ctx)
	go storage.WatchLog(ctx, s.Database, s.log)
	stopJobs, err := s.startJobs(ctx)
	if err != nil {
		return err
	}
	defer stopJobs() // after the requests, which make some
	s.log.Info(
		"serving", "issuer", config.Issuer, "address", listeners.web[0].Addr().String(), "database", s.Database.Kind,
	)
	s.reportSilence(config)
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
	return ServeHTTP(serving, listeners.web, s.Handler, s.log, ready)
}

// reportSilence warns of what people will miss where messages cannot be sent. Pages say so too, to those concerned.
func (s *Server) reportSilence(config *Config) {
	if config.Mail() == nil {
		s.log.Warn("email cannot be sent: people cannot set a new password by themselves, verify an address or hear of new " +
			"sign-ins to their account; set WICKET_SMTP_URL")
	}
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
// balancer takes a moment to notice. Who asks for the end again means it at once.
func (s *Server) drain(ctx context.Context, patience time.Duration) {
	again := make(chan os.Signal, 1)
	signal.Notify(again, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(again)
	s.log.Info("stopping", "drain", patience)
	s.draining.Store(true)
	select {
	case <-time.After(patience):
	case <-again:
		s.log.Info("stopping at once")
	case <-ctx.Done():
	}
}

// serveMetrics serves what Prometheus scrapes, where that is wanted, until stop is called. It has listeners of its own,
// for it is not for the public.
func (s *Server) serveMetrics(ctx context.Context, listeners []net.Listener) (stop func()) {
	if s.metrics == nil || len(listeners) == 0 {
		return func() {}
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
	}
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
		if err != nil {
			return nil, err
		}
		return []net.Listener{listener}, nil
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

// ServeHTTP serves handler on listeners until ctx ends, and finishes the requests that are under way then; those that
// are not finished in time are cut off. ready is called once requests are answered.
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
	err := server.Shutdown(finish)
	if errors.Is(err, context.DeadlineExceeded) { // a client that sends slowly is no fault of ours
		log.Warn("requests were cut off, which took too long to finish", "patience", shutdownPatience)
		return server.Close()
	}
	return err
}
