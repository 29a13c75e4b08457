package main

import (
	"context"
	"log/slog"
	"os"
	"runtime/debug"

	"github.com/wicket-id/wicket/cmd/internal/printer"
	"github.com/wicket-id/wicket/cmd/internal/server"
)

type serveCommand struct{}

// Help lists the variables.
func (serveCommand) Help() string { return server.Help() }

// gcPercent lets garbage grow further than Go's 100 before it is collected: what lives is a few megabytes, so this
// costs little memory and spares a fifth of the CPU time.
const gcPercent = 400

// Run serves until ctx ends.
func (serveCommand) Run(ctx context.Context, env server.Environment, out printer.Printer) error {
	config, err := server.Load(env)
	if err != nil {
		return err
	}
	listeners, err := config.TakeAddresses()
	if err != nil {
		return err
	}
	defer listeners.Close()
	if _, chosen := env["GOGC"]; !chosen {
		debug.SetGCPercent(gcPercent)
	}
	log := server.NewLog(slog.NewJSONHandler(os.Stderr, nil))
	server.LimitMemory(log)
	s, err := server.New(ctx, config, log)
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	go s.WatchFiles(ctx)
	return s.Serve(ctx, listeners, func() {
		err := s.InviteFirst(ctx, func(link string) {
			out.Line("Nobody is registered yet. Within a day this link makes the first account, the owner's:\n%s", link)
		})
		if err != nil && ctx.Err() == nil {
			log.Error("invite the first person", "error", err)
		}
	})
}
