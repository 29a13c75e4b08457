package frame

import (
	"context"
	"net/netip"
	"slices"

	"github.com/gin-gonic/gin"
	"go.opentelemetry.io/contrib/instrumentation/github.com/gin-gonic/gin/otelgin"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// Trace makes a span of every request but those that only ask how we are. A request of a trusted proxy, an address or a
// network, goes on with the trace that its header traceparent names. Whoever else names one gets a new trace, which is
// linked to theirs: visitors are not to choose which traces are kept, nor what the log says to which they belong.
func Trace(tracer trace.TracerProvider, proxies []string) gin.HandlersChain {
	spans := func(callers propagation.TextMapPropagator) gin.HandlerFunc {
		return otelgin.Middleware("", otelgin.WithTracerProvider(tracer), otelgin.WithPropagators(callers),
			otelgin.WithGinFilter(func(c *gin.Context) bool { return c.FullPath() != "/healthz" && c.FullPath() != "/readyz" }))
	}
	goOn, begin := spans(propagation.TraceContext{}), spans(propagation.NewCompositeTextMapPropagator())
	trusted := networks(proxies)
	first := func(c *gin.Context) {
		if contain(trusted, c.RemoteIP()) {
			goOn(c)
		} else {
			begin(c)
		}
	}
	return gin.HandlersChain{first, linkCaller}
}

// linkCaller links the span of a request to the one that the request names, where it is no part of that.
func linkCaller(c *gin.Context) {
	span := trace.SpanFromContext(c.Request.Context())
	caller := trace.SpanContextFromContext(
		propagation.TraceContext{}.Extract(context.Background(), propagation.HeaderCarrier(c.Request.Header)),
	)
	if caller.IsValid() && caller.TraceID() != span.SpanContext().TraceID() {
		span.AddLink(trace.Link{SpanContext: caller})
	}
}

// networks are the networks of addresses and networks; what is neither is left out, for the router has refused it.
func networks(names []string) []netip.Prefix {
	var all []netip.Prefix
	for _, name := range names {
		if network, err := netip.ParsePrefix(name); err == nil {
			all = append(all, network)
		} else if address, err := netip.ParseAddr(name); err == nil {
			all = append(all, netip.PrefixFrom(address, address.BitLen()))
		}
	}
	return all
}

func contain(networks []netip.Prefix, ip string) bool {
	address, err := netip.ParseAddr(ip)
	if err != nil {
		return false
	}
	return slices.ContainsFunc(networks, func(n netip.Prefix) bool { return n.Contains(address.Unmap()) })
}
