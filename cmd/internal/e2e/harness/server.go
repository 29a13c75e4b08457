package harness

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"testing"
	"time"

	"github.com/wicket-id/wicket/cmd/internal/server"
	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/factor"
	"github.com/wicket-id/wicket/identity/password"
	"github.com/wicket-id/wicket/oidc/keys/keystest"
	"github.com/wicket-id/wicket/storage/seal"
	"github.com/wicket-id/wicket/storage/storagetest"
	"github.com/wicket-id/wicket/web"
	"github.com/wicket-id/wicket/web/notify"
)

// Alice is the user that every server begins with.
const (
	Username = "alice"
	Name     = "Alice Example"
	Email    = "alice@example.com"
	Password = "correct horse battery"
)

// Config is what a test may change.
type Config = server.Config

// Server is a running Wicket: as server.New makes it, behind a real listener on a free port of this machine. One that
// runs as a process of its own has an Issuer and nothing else.
type Server struct {
	*server.Server
	Issuer    string            // where the tests find it
	Transport http.RoundTripper // its own connections, trusting its certificate; nil: the default
	User      *identity.User    // alice
}

// Each runs test against a server on SQLite and against one on PostgreSQL.
func Each(t *testing.T, test func(t *testing.T, h *Server)) {
	t.Helper()
	storagetest.EachURL(t, func(t *testing.T, url string) { test(t, Start(t, url)) })
}

// EachWith is Each against servers that change sets up otherwise.
func EachWith(t *testing.T, change func(*Config), test func(t *testing.T, h *Server)) {
	t.Helper()
	storagetest.EachURL(t, func(t *testing.T, url string) { test(t, Start(t, url, change)) })
}

// Start serves on that database until the test ends, with the user alice and everything allowed that can be, unless
// change says otherwise. Passwords cost next to nothing there: see StartWithCostlyPasswords.
func Start(t testing.TB, databaseURL string, change ...func(*Config)) *Server {
	t.Helper()
	return start(t, databaseURL, cheapenPasswords, change)
}

// StartWithCostlyPasswords is Start for tests of how long answers take: to check a password costs what it costs at an
// operator's.
func StartWithCostlyPasswords(t testing.TB, databaseURL string, change ...func(*Config)) *Server {
	t.Helper()
	return start(t, databaseURL, func(*server.Server) {}, change)
}

func start(t testing.TB, databaseURL string, prepare func(*server.Server), change []func(*Config)) *Server {
	t.Helper()
	listener, origin := listen(t)
	config := &Config{
		Issuer: origin, DatabaseURL: databaseURL, Clock: identity.Clock, Seal: newSeal(t),
		Migrate: true, Registration: true, KeepLoginAttempts: 400 * 24 * time.Hour,
		Limits: web.DefaultLimits, Outbox: &notify.Outbox{}, SMSDaily: 1000,
	}
	config.RelyingParty = RelyingParty(t, config.Issuer, factor.HardwareKeyPolicy{})
	for _, change := range change {
		change(config)
	}
	h := serveOn(t, listener, config, prepare)
	h.User = h.registerAlice(t)
	return h
}

// Replica starts one more server on the same database, as one more process of the same Wicket. change may set it apart.
func (h *Server) Replica(t testing.TB, change ...func(*Config)) *Server {
	t.Helper()
	config := *h.Config()
	for _, change := range change {
		change(&config)
	}
	replica := Serve(t, &config)
	replica.User = h.User
	return replica
}

// Serve serves that configuration on a port of its own until the test ends.
func Serve(t testing.TB, config *Config) *Server {
	t.Helper()
	listener, origin := listen(t)
	h := ServeOn(t, listener, config)
	h.Issuer = origin
	return h
}

// listen takes a free port.
func listen(t testing.TB) (listener net.Listener, origin string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	return listener, "http://localhost:" + port
}

// ServeOn serves that configuration there until the test ends.
func ServeOn(t testing.TB, listener net.Listener, config *Config) *Server {
	t.Helper()
	return serveOn(t, listener, config, cheapenPasswords)
}

// serveOn is ServeOn that prepares the server before it serves.
func serveOn(t testing.TB, listener net.Listener, config *Config, prepare func(*server.Server)) *Server {
	t.Helper()
	log := slog.New(slog.NewTextHandler(LogWriter(t), &slog.HandlerOptions{Level: slog.LevelWarn}))
	s, err := server.New(t.Context(), config, log)
	if err != nil {
		t.Fatal(err)
	}
	connections := http.DefaultTransport.(*http.Transport).Clone()
	h := &Server{Server: s, Issuer: config.Issuer, Transport: connections}
	h.SignIns.SignInDelay, h.SignIns.RefusalTakes = time.Millisecond, 0
	prepare(s)
	keystest.Prepare(t, h.Keys)
	if err := h.Keys.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := h.Jobs.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- server.ServeHTTP(ctx, []net.Listener{listener}, h.Handler, log, func() {}) }()
	t.Cleanup(func() {
		connections.CloseIdleConnections() // or stopping waits for those that were dialled and never used
		stop()
		if err := <-ended; err != nil {
			t.Errorf("stop serving: %v", err)
		}
		if err := h.Jobs.Stop(context.Background()); err != nil {
			t.Errorf("stop the jobs: %v", err)
		}
		if _, isTest := t.(*testing.T); isTest { // a benchmark may have written very many
			h.checkEventNames(t)
		}
		if err := h.Close(); err != nil {
			t.Errorf("close the server: %v", err)
		}
	})
	return h
}

// cheapenPasswords makes a password cost next to nothing: what argon2id takes at an operator's, 19 MiB, takes the race
// detector a tenth of a second each time.
func cheapenPasswords(s *server.Server) {
	cores := runtime.GOMAXPROCS(0)
	*s.Identity.Hasher = *password.NewHasher(64, 1, cores, 10*time.Second) // in place: the metrics have it, too
	*s.SignIns.KnownHasher = *s.Identity.Hasher.Beside((cores + 1) / 2)
}

// newSeal makes a master key.
func newSeal(t testing.TB) *seal.Seal {
	t.Helper()
	made, err := seal.Parse(seal.NewMasterKey())
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// RelyingParty is Wicket as authenticators know it at that issuer.
func RelyingParty(t testing.TB, issuer string, policy factor.HardwareKeyPolicy) *factor.RelyingParty {
	t.Helper()
	parsed, err := url.Parse(issuer)
	if err != nil {
		t.Fatal(err)
	}
	party, err := factor.NewRelyingParty(parsed.Hostname(), "Wicket", []string{issuer}, policy)
	if err != nil {
		t.Fatal(err)
	}
	return party
}

// LogWriter returns what sends each line that is written to it to the log of a test.
func LogWriter(t testing.TB) io.Writer { return testLog{t} }

type testLog struct{ t testing.TB }

func (l testLog) Write(line []byte) (int, error) {
	l.t.Logf("%s", line)
	return len(line), nil
}
