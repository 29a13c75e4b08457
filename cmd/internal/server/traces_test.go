package server

import (
	"strings"
	"testing"
)

// The variables of OpenTelemetry switch traces on, and wrong ones are faults beside all others.
func TestTraceVariables(t *testing.T) {
	read := func(variables map[string]string) (*Config, error) {
		variables["WICKET_DATABASE_URL"], variables["WICKET_SECRET"] = "postgres://localhost/x", testMasterKey
		return Load(variables)
	}
	for want, settings := range map[string][]map[string]string{
		"": {
			{},
			{"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
			{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:4318", "OTEL_SDK_DISABLED": "true"},
			{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:4318", "OTEL_TRACES_EXPORTER": "none"},
		},
		tracesByHTTP: {
			{"OTEL_TRACES_EXPORTER": "otlp"},
			{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:4318"},
			{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://localhost:4318/v1/traces"},
		},
		tracesByGRPC: {
			{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:4317", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
			{
				"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
				"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "grpc",
			},
		},
	} {
		for _, variables := range settings {
			if config, err := read(variables); err != nil || config.TraceProtocol != want {
				t.Errorf("%v: %+v, %v; want %q", variables, config, err, want)
			}
		}
	}
	_, err := read(map[string]string{
		"OTEL_TRACES_EXPORTER": "zipkin", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/json", "WICKET_LIMITS": "tokens.ip=1/s",
		"WICKET_REDIS_URL": "localhost:6379", "WICKET_DRAIN": "5",
	})
	for _, name := range []string{
		"OTEL_TRACES_EXPORTER: must be", "OTEL_EXPORTER_OTLP_PROTOCOL: must be", "WICKET_LIMITS: there is no limit",
		"WICKET_REDIS_URL: must look like", "WICKET_DRAIN: must be",
	} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%v\nlacks %q", err, name)
		}
	}
}
