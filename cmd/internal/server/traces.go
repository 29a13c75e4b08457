package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.37.0"
	"go.opentelemetry.io/otel/trace"
)

// The protocols that traces are sent by.
const (
	tracesByHTTP = "http/protobuf"
	tracesByGRPC = "grpc"
)

// traceVariables are those of OpenTelemetry that decide whether and how traces are sent; its SDK reads the others
// itself.
type traceVariables struct {
	Endpoint string `env:"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT,OTEL_EXPORTER_OTLP_ENDPOINT" unset:"no traces" help:"Where traces go, and the other variables of OpenTelemetry: docs/watching.md#traces."`
	Protocol string `env:"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL,OTEL_EXPORTER_OTLP_PROTOCOL" unset:"'http/protobuf'" help:"How traces are sent: 'http/protobuf' or 'grpc'."`
	Exporter string `env:"OTEL_TRACES_EXPORTER" unset:"'otlp' with an endpoint" help:"'otlp' or 'none'."`
	Disabled string `env:"OTEL_SDK_DISABLED" unset:"'false'" help:"'true': no traces."`
}

// traces decides how traces are sent, if at all: unless the variables of OpenTelemetry name an exporter or an
// endpoint, nothing is traced and nothing is spent on it.
func (r *reading) traces() {
	c, said := r.config, r.config.Traces
	switch {
	case said.Disabled == "true", said.Exporter == "none", said.Exporter == "" && said.Endpoint == "":
		return
	case said.Exporter != "" && said.Exporter != "otlp":
		r.fault("OTEL_TRACES_EXPORTER", errors.New("must be otlp or none"))
	}
	switch said.Protocol {
	case "":
		c.TraceProtocol = tracesByHTTP
	case tracesByHTTP, tracesByGRPC:
		c.TraceProtocol = said.Protocol
	default:
		name := c.setting("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL").Name
		r.fault(name, fmt.Errorf("must be %s or %s", tracesByHTTP, tracesByGRPC))
	}
}

// newTraces returns what sends traces. Endpoint, headers, certificates, sampler, batches and resource are
// OpenTelemetry's own variables, which its SDK reads itself.
func newTraces(ctx context.Context, protocol string, log *slog.Logger) (*sdktrace.TracerProvider, error) {
	client := otlptracehttp.NewClient()
	if protocol == tracesByGRPC {
		client = otlptracegrpc.NewClient()
	}
	exporter, err := otlptrace.New(ctx, client)
	if err != nil {
		return nil, err
	}
	// The later one prevails: OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES.
	service, err := resource.New(ctx, resource.WithAttributes(semconv.ServiceName("wicket")),
		resource.WithTelemetrySDK(), resource.WithFromEnv())
	if err != nil {
		return nil, err
	}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { log.Warn("send traces", "error", err) }))
	return sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(service)), nil
}

// NewLog returns a log whose lines say which trace they belong to.
func NewLog(handler slog.Handler) *slog.Logger { return slog.New(traceLog{handler}) }

// traceLog adds to each line of the log which trace it belongs to.
type traceLog struct{ slog.Handler }

func (l traceLog) Handle(ctx context.Context, record slog.Record) error {
	if span := trace.SpanContextFromContext(ctx); span.IsValid() {
		record.AddAttrs(slog.String("trace_id", span.TraceID().String()), slog.String("span_id", span.SpanID().String()))
	}
	return l.Handler.Handle(ctx, record)
}

func (l traceLog) WithAttrs(attrs []slog.Attr) slog.Handler {
	return traceLog{l.Handler.WithAttrs(attrs)}
}
func (l traceLog) WithGroup(name string) slog.Handler { return traceLog{l.Handler.WithGroup(name)} }
