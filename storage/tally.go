package storage

import "context"

// Tallier counts what happens, for metrics: an event such as "sign_ins" and what there is to tell it apart by.
type Tallier func(event string, labels ...string)

type (
	tallierKey struct{}
	pendingKey struct{}
)

// WithTallier returns a context in which tally counts what happens. Middleware sets it once for each request.
func WithTallier(ctx context.Context, tally Tallier) context.Context {
	return context.WithValue(ctx, tallierKey{}, tally)
}

// Tally counts an event where somebody in ctx counts. Within Database.Write it counts once the transaction is kept, and
// not at all if it is not.
func Tally(ctx context.Context, event string, labels ...string) {
	tally, ok := ctx.Value(tallierKey{}).(Tallier)
	if !ok {
		return
	}
	if pending, ok := ctx.Value(pendingKey{}).(*[]func()); ok {
		*pending = append(*pending, func() { tally(event, labels...) })
		return
	}
	tally(event, labels...)
}

// tallyAfter runs a transaction and counts what happened in it if it is kept.
func tallyAfter(ctx context.Context, transaction func(context.Context) error) error {
	var pending []func()
	err := transaction(context.WithValue(ctx, pendingKey{}, &pending))
	if err == nil {
		for _, count := range pending {
			count()
		}
	}
	return err
}
