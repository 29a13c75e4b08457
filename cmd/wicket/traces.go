package main

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

// traceProtocol says how traces are to be sent, or "" where they are not: unless the variables of OpenTelemetry name an
// exporter or where to send to, nothing is traced and nothing is spent on it.
func (e environment) traceProtocol(fault func(name string, err error)) string {
	first := func(names ...string) (name, value string) {
		for _, name := range names {
			if value, _ := e.lookup(name); value != "" {
				return name, value
			}
		}
		return names[0], ""
	}
	if _, disabled := first("OTEL_SDK_DISABLED"); disabled == "true" {
		return ""
	}
	_, endpoint := first("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
	switch name, exporter := first("OTEL_TRACES_EXPORTER"); {
	case exporter == "none", exporter == "" && endpoint == "":
		return ""
	case exporter != "" && exporter != "otlp":
		fault(name, errors.New("must be otlp or none"))
	}
	name, protocol := first("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
	switch protocol {
	case "":
		return tracesByHTTP
	case tracesByHTTP, tracesByGRPC:
	default:
		fault(name, fmt.Errorf("must be %s or %s", tracesByHTTP, tracesByGRPC))
	}
	return protocol
}

// newTraces returns what sends traces. Endpoint, headers, certificates, sampler, batches and resource are OpenTelemetry's
// own variables, which its SDK reads itself.
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
	whose, err := resource.New(ctx, resource.WithAttributes(semconv.ServiceName("wicket")), resource.WithTelemetrySDK(), resource.WithFromEnv())
	if err != nil {
		return nil, err
	}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { log.Warn("send traces", "error", err) }))
	return sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(whose)), nil
}

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
