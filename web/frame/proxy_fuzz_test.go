package frame

import (
	"io"
	"log/slog"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

// A visitor has the address of the connection, whatever their headers say; by a trusted proxy, the last address that
// it named and does not trust itself. Nobody but a proxy chooses the trace.
func FuzzForwarded(f *testing.F) {
	gin.SetMode(gin.ReleaseMode)
	for _, forwarded := range []string{
		"", "198.51.100.7", "10.0.0.1, 198.51.100.7", "198.51.100.7, 192.0.2.1", "192.0.2.1", "x", ",", ", ,", "198.51.100.7,x", "2001:db8::1", "::ffff:192.0.2.1", "[2001:db8::1]:80", "198.51.100.7:80", "fe80::1%eth0", "\"198.51.100.7\"",
		strings.Repeat("198.51.100.7,", 500), " 198.51.100.7 ", "0x7f.1", "198.51.100.07",
	} {
		f.Add(forwarded, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", true)
		f.Add(forwarded, "ff-x-"+forwarded, false)
	}
	spans := tracetest.NewInMemoryExporter()
	engine, log := gin.New(), slog.New(slog.NewTextHandler(io.Discard, nil))
	engine.RemoteIPHeaders = []string{RemoteIPHeader}
	if err := engine.SetTrustedProxies([]string{"192.0.2.1"}); err != nil {
		f.Fatal(err)
	}
	engine.Use(Trace(sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans)), []string{"192.0.2.1"})...)
	var ip string
	engine.GET("/", func(c *gin.Context) {
		new(untrustedProxy).look(c, time.Unix(1770091500, 0), log)
		ip = c.ClientIP()
	})
	f.Fuzz(func(t *testing.T, forwarded, trace string, trusted bool) {
		spans.Reset()
		peer := "203.0.113.9"
		if trusted {
			peer = "192.0.2.1"
		}
		request := httptest.NewRequest("GET", "/", nil)
		request.RemoteAddr = peer + ":4711"
		for _, header := range []string{RemoteIPHeader, "X-Real-IP", "CF-Connecting-IP", "True-Client-IP", "X-Appengine-Remote-Addr"} {
			request.Header.Set(header, forwarded)
		}
		request.Header.Set("Traceparent", trace)
		request.Header.Set("Tracestate", trace)
		engine.ServeHTTP(httptest.NewRecorder(), request)
		isNamed := strings.Contains(forwarded, ip) || strings.Contains(forwarded, ":") // IPv6 has several spellings
		if _, err := netip.ParseAddr(ip); err != nil || ip != peer && (!trusted || !isNamed) {
			t.Fatalf("%q by %s is %q (%v)", forwarded, peer, ip, err)
		}
		made := spans.GetSpans()
		if trusted && len(made) == 0 { // the proxy has said that the request is not to be traced
			return
		}
		if len(made) != 1 || len(made[0].Links) > 1 {
			t.Fatalf("%q: %d spans", trace, len(made))
		}
		span := made[0]
		if own := span.SpanContext.TraceID().String(); !trusted && (span.Parent.IsValid() || strings.Contains(trace, own)) ||
			span.Parent.IsValid() && !strings.Contains(trace, own) {
			t.Fatalf("%q by %s is a part of %s", trace, peer, own)
		}
	})
}
