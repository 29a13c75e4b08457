package harness

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/wicket-id/wicket/cmd/internal/server"
	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/factor"
	"github.com/wicket-id/wicket/storage/seal"
)

// tape keeps everything that a house logs.
type Log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (t *Log) Write(line []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.Write(line)
}

func (t *Log) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.String()
}

// StartSecure is Start behind https, with everything that it logs, down to the least, on tape. Its browsers
// need its transport.
func StartSecure(t testing.TB, databaseURL string) (*Server, http.RoundTripper, *Log) {
	t.Helper()
	listening := httptest.NewUnstartedServer(nil)
	seal, err := seal.Parse(seal.NewMasterKey())
	if err != nil {
		t.Fatal(err)
	}
	config := &Config{
		Issuer: "https://" + listening.Listener.Addr().String(), DatabaseURL: databaseURL, Clock: identity.Clock, Seal: seal,
		Migrate: true, Registration: true,
	}
	config.RelyingParty = RelyingParty(t, "https://localhost", factor.HardwareKeyPolicy{}) // an address is none
	log := new(Log)
	h, err := server.New(t.Context(), config, slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Keys.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	listening.Config.Handler = h.Handler
	listening.StartTLS()
	t.Cleanup(func() {
		listening.Close()
		if err := h.Close(); err != nil {
			t.Errorf("close the house: %v", err)
		}
	})
	open := &Server{Server: h, Issuer: config.Issuer}
	open.User = open.Register(t, identity.NewUser{Username: Username, Email: Email, EmailVerified: true, Password: Password, Name: "Alice Example"})
	return open, listening.Client().Transport, log
}
