package main

import (
	"context"

	"github.com/wicket-id/wicket/cmd/internal/demo"
	"github.com/wicket-id/wicket/cmd/internal/printer"
	"github.com/wicket-id/wicket/cmd/internal/server"
)

type devCommand struct {
	Port    int    `default:"8080" help:"Where Wicket listens on localhost."`
	AppPort int    `default:"8081" help:"Where the sample app listens on localhost."`
	Data    string `default:"wicket-data" help:"Folder of the database and its key; kept from one run to the next."`
	Verbose bool   `short:"v" help:"Log every request."`
}

// Run serves Wicket with its demo and the sample app until ctx ends.
func (d devCommand) Run(ctx context.Context, _ server.Environment, out printer.Printer) error {
	return demo.Demo{Port: d.Port, AppPort: d.AppPort, Data: d.Data, Verbose: d.Verbose, Out: out.Out}.Run(ctx)
}
