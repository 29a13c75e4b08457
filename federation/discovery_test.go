package federation

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wicket-id/wicket/storage/storagetest"
)

// The document is read once an hour; a provider that is down is asked seldom, and its old document serves for a day.
func TestDiscoveryIsReadSeldom(t *testing.T) {
	var reads atomic.Int64
	var down atomic.Bool
	var server *httptest.Server
	server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		reads.Add(1)
		if down.Load() {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{
			"issuer": server.URL, "authorization_endpoint": server.URL + "/a", "token_endpoint": server.URL + "/t",
			"jwks_uri":                              server.URL + "/k",
			"id_token_signing_alg_values_supported": []string{"none", "HS256", "ES256"},
		})
	}))
	defer server.Close()
	clock := time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)
	u := &Upstreams{Now: func() time.Time { return clock }}
	p := &Provider{ID: "acme", Kind: KindOpenID, Issuer: server.URL}
	for i, c := range []struct {
		pass  time.Duration
		down  bool
		reads int64
		good  bool
	}{
		{0, true, 1, false},
		{time.Second, false, 0, false},
		{retriedAfter, false, 1, true},
		{time.Second, false, 0, true},
		{metadataKept, true, 1, true},
		{time.Second, true, 0, true},
		{retriedAfter, true, 1, true},
		{metadataServes, true, 1, false},
		{retriedAfter, false, 1, true},
	} {
		clock = clock.Add(c.pass)
		down.Store(c.down)
		reads.Store(0)
		m, _, err := u.metadata(t.Context(), p)
		storagetest.Eventually(t, 10*time.Second, "what was due was read", func() bool {
			_, due, _ := u.cached(p).look(p, clock)
			return !due
		})
		if reads.Load() != c.reads || (err == nil) != c.good || err != nil && !errors.Is(err, ErrUnreachable) {
			t.Errorf("step %d: %d reads, %v", i, reads.Load(), err)
		}
		if err == nil && (len(m.Algorithms) != 1 || m.Algorithms[0] != "ES256") {
			t.Errorf("step %d: algorithms %v", i, m.Algorithms)
		}
	}
	// Another row is another provider.
	reads.Store(0)
	p.ModifiedAt = clock
	if _, _, err := u.metadata(t.Context(), p); err != nil || reads.Load() != 1 {
		t.Errorf("after a change: %d reads, %v", reads.Load(), err)
	}
}

// A provider that hangs keeps nobody waiting who can be served by what is known, and others no longer than they want.
func TestDiscoveryThatHangs(t *testing.T) {
	var reads atomic.Int64
	var hangs atomic.Bool
	let := make(chan struct{})
	var server *httptest.Server
	server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		reads.Add(1)
		if hangs.Load() {
			<-let
		}
		_ = json.NewEncoder(w).Encode(map[string]any{
			"issuer": server.URL, "authorization_endpoint": server.URL + "/a", "token_endpoint": server.URL + "/t",
			"jwks_uri": server.URL + "/k",
		})
	}))
	defer server.Close()
	defer close(let)
	var ahead atomic.Int64
	u := &Upstreams{Now: func() time.Time { return time.Unix(0, ahead.Load()) }}
	p := &Provider{ID: "acme", Kind: KindOpenID, Issuer: server.URL}
	if _, _, err := u.metadata(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	hangs.Store(true)
	ahead.Store(int64(metadataKept))
	began := time.Now()
	var waiting sync.WaitGroup
	for range 20 {
		waiting.Go(func() {
			if m, _, err := u.metadata(t.Context(), p); err != nil || m == nil {
				t.Errorf("what is known does not serve: %v", err)
			}
		})
	}
	waiting.Wait()
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("they waited for %s", took)
	}
	storagetest.Eventually(t, 10*time.Second, "it is read again, once", func() bool { return reads.Load() == 2 })

	ahead.Store(int64(metadataKept + metadataServes)) // what is known is too old
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := u.metadata(ctx, p); !errors.Is(err, context.Canceled) {
		t.Errorf("who has gone: %v", err)
	}
	if reads.Load() != 2 {
		t.Errorf("read %d times", reads.Load())
	}
}
