package storage

import "context"

// Actor is who does something and from where, for the ledger and the logs. Middleware sets it once for each request,
// commands once for each run.
type Actor struct {
	Name      string // "user:ID", "client:ID", "operator:NAME" or "system"
	IP        string
	UserAgent string
	SessionID string
	RequestID string
}

type actorKey struct{}

// WithActor returns a context in which actor does what is done.
func WithActor(ctx context.Context, actor *Actor) context.Context {
	return context.WithValue(ctx, actorKey{}, actor)
}

// ActorOf returns who acts in ctx: never nil, "system" where nobody said. A handler that learns who is there (a session
// was read, a client authenticated) writes it into the returned actor.
func ActorOf(ctx context.Context) *Actor {
	if actor, ok := ctx.Value(actorKey{}).(*Actor); ok {
		return actor
	}
	return &Actor{Name: "system"}
}
