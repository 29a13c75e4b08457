package audit

import "context"

// Actor is who does something and from where, for the audit trail and the logs. It is a value: what was learned
// later, such as whose session a request belongs to, is a new Actor in a new context.
type Actor struct {
	Name      string // "user:ID", "client:ID", "api-key:ID", "operator:NAME" or "system"
	Via       string // by which way an administrator acts: see ViaAPI; empty: people and apps act for themselves
	IP        string
	UserAgent string
	SessionID string
	RequestID string
}

// The ways by which administrators act.
const (
	ViaAPI     = "api"
	ViaConsole = "console"
	ViaCommand = "cli"
	ViaFile    = "apply" // by a configuration file
)

type actorKey struct{}

// As returns a context in which actor does what is done.
func As(ctx context.Context, actor Actor) context.Context {
	return context.WithValue(ctx, actorKey{}, actor)
}

// AsNamed returns a context in which the actor of ctx has that name: it has turned out who they are.
func AsNamed(ctx context.Context, name string) context.Context {
	actor := ActorOf(ctx)
	actor.Name = name
	return As(ctx, actor)
}

// ActorOf returns who acts in ctx, "system" where that was not said.
func ActorOf(ctx context.Context) Actor {
	if actor, ok := ctx.Value(actorKey{}).(Actor); ok {
		return actor
	}
	return Actor{Name: "system"}
}
