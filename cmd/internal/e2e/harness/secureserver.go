package harness

import (
	"bytes"
	"log/slog"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/wicket-id/wicket/cmd/internal/server"
	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/factor"
	"github.com/wicket-id/wicket/oidc/keys/keystest"
)

// Log keeps everything that a server logs.
type Log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *Log) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// StartSecure is Start behind https, with everything that the server logs, down to the least.
func StartSecure(t testing.TB, databaseURL string, change ...func(*Config)) (*Server, *Log) {
	t.Helper()
	listening := httptest.NewUnstartedServer(nil)
	config := &Config{
		Issuer: "https://" + listening.Listener.Addr().String(), DatabaseURL: databaseURL,
		Clock: identity.Clock, Seal: newSeal(t), Migrate: true, Registration: true,
	}
	config.RelyingParty = RelyingParty(t, "https://localhost", factor.HardwareKeyPolicy{}) // an address is none
	for _, change := range change {
		change(config)
	}
	log := new(Log)
	handler := slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})
	s, err := server.New(t.Context(), config, slog.New(handler))
	if err != nil {
		t.Fatal(err)
	}
	cheapenPasswords(s)
	keystest.Prepare(t, s.Keys)
	if err := s.Keys.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	listening.Config.Handler = s.Handler
	listening.StartTLS()
	t.Cleanup(func() {
		listening.Close()
		if err := s.Close(); err != nil {
			t.Errorf("close the server: %v", err)
		}
	})
	h := &Server{Server: s, Issuer: config.Issuer, Transport: listening.Client().Transport}
	h.User = h.registerAlice(t)
	return h, log
}
