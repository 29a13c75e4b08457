package frame

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gin-gonic/gin"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

// Only a trusted proxy says which trace a request is part of. What anybody else says is kept as a link.
func TestTracesOfStrangersAreNotJoined(t *testing.T) {
	gin.SetMode(gin.ReleaseMode)
	const theirs, parent = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
	for name, c := range map[string]struct {
		from, header string
		joins, links bool
	}{
		"a proxy in a network":     {"10.1.2.3:4444", "00-" + theirs + "-" + parent + "-01", true, false},
		"a proxy by its address":   {"[2001:db8::1]:4444", "00-" + theirs + "-" + parent + "-01", true, false},
		"an address mapped to v6":  {"[::ffff:10.1.2.3]:4444", "00-" + theirs + "-" + parent + "-01", true, false},
		"a proxy that names none":  {"10.1.2.3:4444", "", false, false},
		"a visitor":                {"192.0.2.7:4444", "00-" + theirs + "-" + parent + "-01", false, true},
		"a visitor, not sampled":   {"192.0.2.7:4444", "00-" + theirs + "-" + parent + "-00", false, true},
		"a visitor's neighbour":    {"[2001:db8::2]:4444", "00-" + theirs + "-" + parent + "-01", false, true},
		"a visitor that names one": {"192.0.2.7:4444", "nonsense", false, false},
	} {
		spans := tracetest.NewInMemoryExporter()
		engine := gin.New()
		provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))
		engine.Use(Trace(provider, []string{"10.0.0.0/8", "2001:db8::1"})...)
		engine.GET("/", func(*gin.Context) {})
		request := httptest.NewRequest(http.MethodGet, "/", nil)
		request.RemoteAddr = c.from
		request.Header.Set("Traceparent", c.header)
		engine.ServeHTTP(httptest.NewRecorder(), request)
		made := spans.GetSpans()
		if len(made) != 1 {
			t.Fatalf("%s: %d spans", name, len(made))
		}
		span := made[0]
		joined := span.SpanContext.TraceID().String() == theirs
		linked := len(span.Links) == 1 && span.Links[0].SpanContext.TraceID().String() == theirs
		if joined != c.joins || span.Parent.IsValid() != c.joins || linked != c.links || len(span.Links) > 1 {
			t.Errorf("%s: joined %t, parent %v, links %v", name, joined, span.Parent, span.Links)
		}
	}
}
