package clients_test

import (
	"crypto/ecdh"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/oidc/oidctest"
)

// keyServer serves a JWK set that a test changes, and counts how often it is asked.
type keyServer struct {
	*httptest.Server
	set     atomic.Pointer[json.RawMessage]
	fetched atomic.Int32
}

func newKeyServer(t *testing.T, set json.RawMessage) *keyServer {
	t.Helper()
	s := new(keyServer)
	s.set.Store(&set)
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		s.fetched.Add(1)
		_, _ = w.Write(*s.set.Load())
	}))
	t.Cleanup(s.Close)
	return s
}

// A key that its owner took out of the set is refused five minutes later, whoever else asks meanwhile.
func TestRemovedKeyIsNotBelievedForLong(t *testing.T) {
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		old, other := oidctest.NewAppKey(t), oidctest.NewAppKey(t)
		server := newKeyServer(t, oidctest.JWKSOf(t, "old", old.Public()))
		app := h.RemoteApp(t, server.URL)
		if got := h.PresentAs(t, app, "old", old); got != "" {
			t.Fatal(got)
		}
		replaced := oidctest.JWKSOf(t, "other", other.Public())
		server.set.Store(&replaced)
		h.Pass(4 * time.Minute)
		if got := h.PresentAs(t, app, "old", old); got != "" {
			t.Errorf("within five minutes: %q", got)
		}
		h.Pass(time.Minute)
		if got := h.PresentAs(t, app, "old", old); got != "invalid_client" {
			t.Errorf("after five minutes: %q", got)
		}
		// Nor is it trusted because the server is away.
		if got := h.PresentAs(t, app, "other", other); got != "" {
			t.Fatal(got)
		}
		server.Close()
		h.Pass(clients.KeysBelieved)
		if got := h.PresentAs(t, app, "other", other); got != "invalid_client" {
			t.Errorf("five minutes after the server went away: %q", got)
		}
	})
}

func TestKeySetIsNotFetchedFromWhereItRedirects(t *testing.T) {
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		private := oidctest.NewAppKey(t)
		keys := newKeyServer(t, oidctest.JWKSOf(t, "k", private.Public()))
		redirecting := httptest.NewServer(http.RedirectHandler(keys.URL, http.StatusFound))
		t.Cleanup(redirecting.Close)
		if got := h.PresentAs(t, h.RemoteApp(t, redirecting.URL), "k", private); got != "invalid_client" {
			t.Errorf("%q", got)
		}
		if n := keys.fetched.Load(); n != 0 {
			t.Errorf("the redirect was followed %d times", n)
		}
	})
}

// One key of a kind that we do not know, such as X25519 for encryption, does not spoil the others: RFC 7517, section 5.
// That an app is refused because its keys cannot be fetched is in the log, once a minute, with the cause, and without
// what may be secret in the address.
func TestKeysThatCannotBeFetchedAreInTheLog(t *testing.T) {
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		key := oidctest.NewAppKey(t)
		server := newKeyServer(t, oidctest.JWKSOf(t, "key", key.Public()))
		app := h.RemoteApp(t, server.URL+"/keys?token=s3cret")
		var working atomic.Bool
		handler := server.Config.Handler
		server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !working.Load() {
				http.Error(w, "away", http.StatusBadGateway)
				return
			}
			handler.ServeHTTP(w, r)
		})
		for i, step := range []struct {
			passes  time.Duration
			working bool
			lines   int // until then
		}{
			{0, false, 1}, {0, false, 1}, {57 * time.Second, false, 1}, {3 * time.Second, false, 2},
			{time.Minute, true, 2}, {10 * time.Minute, false, 3},
		} {
			h.Pass(step.passes)
			working.Store(step.working)
			want := map[bool]string{false: "invalid_client"}[step.working]
			if got := h.PresentAs(t, app, "key", key); got != want {
				t.Errorf("step %d: %q", i, got)
			}
			if n := strings.Count(h.Logged.String(), "level=WARN"); n != step.lines {
				t.Errorf("step %d: %d lines\n%s", i, n, &h.Logged)
			}
		}
		server.Close()
		h.Pass(10 * time.Minute)
		h.PresentAs(t, app, "key", key)
		log := h.Logged.String()
		if strings.Contains(log, "s3cret") || strings.Contains(log, "/keys") ||
			strings.Count(log, "client_id="+app.ID) != 4 || !strings.Contains(log, "the status 502") ||
			!strings.Contains(log, "connection refused") {
			t.Errorf("the log:\n%s", log)
		}
	})
}

func TestKeysOfUnknownKindsArePassedOver(t *testing.T) {
	private := oidctest.NewAppKey(t)
	encryption, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	set := func(keys ...any) json.RawMessage {
		encoded, err := json.Marshal(map[string]any{"keys": keys})
		if err != nil {
			t.Fatal(err)
		}
		return encoded
	}
	known := jose.JSONWebKey{Key: private.Public(), KeyID: "k"}
	unknown := map[string]string{
		"kty": "OKP", "crv": "X25519", "use": "enc",
		"x": base64.RawURLEncoding.EncodeToString(encryption.PublicKey().Bytes()),
	}
	future := map[string]string{"kty": "AKP", "alg": "ML-DSA-44", "pub": "AAAA"}
	mixed := set(unknown, known, future)
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		if got := h.PresentAs(t, h.RemoteApp(t, newKeyServer(t, mixed).URL), "k", private); got != "" {
			t.Errorf("behind a URI: %q", got)
		}
		app := oidctest.SigningApp{Client: &clients.Client{
			Name: "App", AuthMethod: clients.AuthPrivateKeyJWT, GrantTypes: []string{oidc.GrantClientCredentials}, JWKS: mixed,
		}}
		h.Add(t, app.Client)
		if got := h.PresentAs(t, app, "k", private); got != "" {
			t.Errorf("registered: %q", got)
		}
		useless := &clients.Client{
			Name: "App", AuthMethod: clients.AuthPrivateKeyJWT, GrantTypes: []string{oidc.GrantClientCredentials},
			JWKS: set(unknown, future),
		}
		if _, err := h.Clients.Create(t.Context(), useless); err == nil {
			t.Error("a set without any key that we can use was registered")
		}
	})
}

// Many requests that need the same set share one fetch, and one client's slow server does not hold up another's.
func TestRequestsThatWaitForTheSameKeysShareOneFetch(t *testing.T) {
	t.Parallel()
	private := oidctest.NewAppKey(t)
	set := oidctest.JWKSOf(t, "k", private.Public())
	var fetched atomic.Int32
	release := make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fetched.Add(1)
		<-release
		_, _ = w.Write(set)
	}))
	defer slow.Close()
	quick := newKeyServer(t, set)
	verify := clients.VerifierOf(time.Now)
	signed := oidctest.Assertion(t, jose.ES256, private, "k", map[string]any{"iss": "app"})
	var wg sync.WaitGroup
	var good atomic.Int32
	for range 20 {
		wg.Go(func() {
			if err := verify(t.Context(), slow.URL, signed); err == nil {
				good.Add(1)
			}
		})
	}
	if err := verify(t.Context(), quick.URL, signed); err != nil {
		t.Errorf("another client's keys: %v", err)
	}
	close(release)
	wg.Wait()
	if good.Load() != 20 {
		t.Errorf("%d of 20 verified", good.Load())
	}
	if n := fetched.Load(); n != 1 {
		t.Errorf("fetched %d times", n)
	}
}
