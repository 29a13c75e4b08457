package storage

import (
	"context"
	"database/sql"
	"errors"

	"github.com/uptrace/bun"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// StartSpan begins the span of a question to a database or to Redis, as a part of what is traced in ctx. Where nothing
// is traced it does nothing, and the span is none.
func StartSpan(ctx context.Context, name string, attributes ...attribute.KeyValue) (context.Context, trace.Span) {
	around := trace.SpanFromContext(ctx)
	if !around.IsRecording() {
		return ctx, trace.SpanFromContext(context.Background())
	}
	tracer := around.TracerProvider().Tracer("github.com/wicket-id/wicket/storage")
	return tracer.Start(ctx, name, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(attributes...))
}

// EndSpan ends it. What went wrong is for the log: errors repeat values.
func EndSpan(span trace.Span, err error) {
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		span.SetStatus(codes.Error, "")
	}
	span.End()
}

// Trace makes a span of every query of what is traced, by operation and table. Statements themselves stay here: bun has
// written the arguments into them.
func (d *Database) Trace() {
	system := "sqlite"
	if d.Kind == Postgres {
		system = "postgresql"
	}
	d.Observe(queryTracer{system})
}

type queryTracer struct{ system string }

type querySpanKey struct{}

func (q queryTracer) BeforeQuery(ctx context.Context, event *bun.QueryEvent) context.Context {
	name, attributes := event.Operation(), []attribute.KeyValue{
		attribute.String("db.system.name", q.system), attribute.String("db.operation.name", event.Operation()),
	}
	if model, ok := event.Model.(bun.TableModel); ok {
		table := model.Table().Name
		name += " " + table
		attributes = append(attributes, attribute.String("db.collection.name", table))
	}
	ctx, span := StartSpan(ctx, name, attributes...)
	return context.WithValue(ctx, querySpanKey{}, span)
}

func (queryTracer) AfterQuery(ctx context.Context, event *bun.QueryEvent) {
	if span, ok := ctx.Value(querySpanKey{}).(trace.Span); ok {
		EndSpan(span, event.Err)
	}
}
