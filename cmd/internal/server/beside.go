package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/user"

	"github.com/wicket-id/wicket/storage/audit"
)

// Beside makes a Server for a command, which works on the database beside a running server and serves nothing itself.
func Beside(ctx context.Context, env Environment) (*Server, error) {
	config, err := Load(env)
	if err == nil {
		err = config.databaseExists()
	}
	if err != nil {
		return nil, err
	}
	config.Redis, config.TraceProtocol, config.MetricsListen = nil, "", "" // these are for the one that serves
	return New(ctx, config, slog.New(slog.DiscardHandler))
}

// Operator is the context of what an operator does to the database: the audit trail names them. Commands that serve
// take a context.Context instead, for there people and apps act.
type Operator interface{ context.Context }

// AsOperator returns a context which says that the operator acts, by their name on this machine.
func AsOperator(ctx context.Context) context.Context {
	operator := "operator"
	if account, err := user.Current(); err == nil {
		operator += ":" + account.Username
	}
	return audit.As(ctx, audit.Actor{Name: operator, Via: audit.ViaCommand})
}

// databaseExists refuses to go on where a command would work on an embedded database that nobody has made: a mistyped
// path would otherwise look like an empty one.
func (c *Config) databaseExists() error {
	path := c.EmbeddedDatabase()
	if path == "" {
		return nil
	}
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("there is no database at %s: start wicket serve or run wicket migrate first, "+
			"or set WICKET_DATABASE_URL to where it is", path)
	}
	return nil
}
