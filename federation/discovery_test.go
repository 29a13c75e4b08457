package federation

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"
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
