package frame

import (
	"bytes"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
)

// A proxy that nobody trusts is in the log at once, and then once a minute; one that is trusted, and a visitor without
// a proxy, never.
func TestUntrustedProxies(t *testing.T) {
	var out bytes.Buffer
	log, now := slog.New(slog.NewTextHandler(&out, nil)), time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)
	proxies := new(untrustedProxy)
	engine := gin.New()
	engine.RemoteIPHeaders = []string{RemoteIPHeader}
	if err := engine.SetTrustedProxies([]string{"192.0.2.1"}); err != nil {
		t.Fatal(err)
	}
	engine.GET("/", func(c *gin.Context) { proxies.look(c, now, log) })
	for _, step := range []struct {
		what, peer, forwarded string
		passes                time.Duration
		said                  int // lines until then
	}{
		{"no proxy", "198.51.100.7", "", 0, 0},
		{"a trusted one", "192.0.2.1", "198.51.100.7", 0, 0},
		{"the visitor itself", "198.51.100.7", "198.51.100.7", 0, 0},
		{"no address", "198.51.100.7", "nonsense", 0, 0},
		{"another", "192.0.2.2", "198.51.100.7", 0, 1},
		{"at once", "192.0.2.2", "10.0.0.1, 198.51.100.7", 59 * time.Second, 1},
		{"a minute later", "192.0.2.2", "198.51.100.7", time.Second, 2},
	} {
		now = now.Add(step.passes)
		request := httptest.NewRequest("GET", "/", nil)
		request.RemoteAddr = step.peer + ":4711"
		if step.forwarded != "" {
			request.Header.Set("X-Forwarded-For", step.forwarded)
		}
		engine.ServeHTTP(httptest.NewRecorder(), request)
		if n := strings.Count(out.String(), "level=ERROR"); n != step.said {
			t.Errorf("%s: %d lines\n%s", step.what, n, &out)
		}
	}
	if !strings.Contains(out.String(), "proxy=192.0.2.2") {
		t.Errorf("the log does not say which:\n%s", &out)
	}
}
