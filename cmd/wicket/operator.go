package main

import (
	"context"
	"errors"

	"github.com/alecthomas/kong"

	"github.com/wicket-id/wicket/cmd/internal/printer"
	"github.com/wicket-id/wicket/cmd/internal/server"
	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/storage/audit"
)

type operator = server.Operator

// by is the operator as package manage knows them: above all administrative roles.
func by(ctx operator) manage.Caller { return manage.Operator(audit.ActorOf(ctx).Name) }

// runBeside runs the chosen command. One that takes a [server.Server] gets it on the database, beside those that serve.
func runBeside(ctx context.Context, chosen *kong.Context, env server.Environment, out printer.Printer) error {
	var opened *server.Server
	open := func() (s *server.Server, err error) {
		opened, err = server.Beside(ctx, env)
		return opened, err
	}
	chosen.BindTo(ctx, (*context.Context)(nil))
	chosen.BindTo(server.AsOperator(ctx), (*operator)(nil))
	if err := chosen.BindSingletonProvider(open); err != nil {
		return err
	}
	err := chosen.Run(env, out)
	if opened != nil {
		_ = opened.Close()
	}
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		return errors.New("interrupted")
	}
	return err
}
