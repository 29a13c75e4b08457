package storage

import (
	"context"
)

// EventCounter counts what happens, for metrics: an event such as "sign_ins" and what there is to tell it apart by.
type EventCounter func(event string, labels ...string)

type (
	eventCounterKey struct{}
	pendingKey      struct{}
)

// WithEventCounter returns a context in which count is told what happens. Middleware sets it once for each request.
func WithEventCounter(ctx context.Context, count EventCounter) context.Context {
	return context.WithValue(ctx, eventCounterKey{}, count)
}

// CountEvent counts an event where somebody in ctx counts. Within Database.Write it counts once the transaction is
// kept, and not at all if it is not.
func CountEvent(ctx context.Context, event string, labels ...string) {
	count, ok := ctx.Value(eventCounterKey{}).(EventCounter)
	if !ok {
		return
	}
	if pending, ok := ctx.Value(pendingKey{}).(*[]func()); ok {
		*pending = append(*pending, func() { count(event, labels...) })
		return
	}
	count(event, labels...)
}

// countAfter runs a transaction and counts what happened in it if it is kept.
func countAfter(ctx context.Context, transaction func(context.Context) error) error {
	var pending []func()
	err := transaction(context.WithValue(ctx, pendingKey{}, &pending))
	if err == nil {
		for _, count := range pending {
			count()
		}
	}
	return err
}
