// Package configurationcommands are the commands that make a server what a file declares: wicket plan, apply, export
// and detach. What they do is in manage/configuration.
package configurationcommands

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/wicket-id/wicket/cmd/internal/exit"
	"github.com/wicket-id/wicket/cmd/internal/printer"
	"github.com/wicket-id/wicket/cmd/internal/server"
	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/manage/configuration"
	"github.com/wicket-id/wicket/storage/audit"
)

// file is the file that a command reads, and what becomes of what it does not name any more.
type file struct {
	File     string `arg:"" help:"The configuration file, in YAML or JSON: docs/configuration-file.md. - reads it from standard input."`
	Prune    bool   `help:"Disable apps and providers that the file has declared and does not name any more, and delete those that were disabled so a week ago; delete such groups and APIs."`
	PruneNow bool   `name:"prune-now" help:"Delete apps and providers, too, that the file has declared and does not name any more, with what people have allowed them."`
}

func (f file) read(env server.Environment) (*configuration.Document, error) {
	source, err := io.ReadAll(os.Stdin)
	if f.File != "-" {
		source, err = os.ReadFile(f.File)
	}
	if err != nil {
		return nil, err
	}
	document, err := configuration.Read(source, configuration.Secrets{
		File: os.ReadFile, Variable: env.Lookup,
	})
	if err != nil {
		return nil, fmt.Errorf("%s:\n%w", f.File, err)
	}
	return document, nil
}

func (f file) prune() configuration.Prune {
	switch {
	case f.PruneNow:
		return configuration.PruneDelete
	case f.Prune:
		return configuration.PruneDisable
	}
	return configuration.PruneNothing
}

// by is the operator as package manage knows them.
func by(ctx context.Context) manage.Caller { return manage.Operator(audit.ActorOf(ctx).Name) }

// Plan is wicket plan.
type Plan struct{ file }

// Run tells what would change.
func (c Plan) Run(ctx server.Operator, env server.Environment, s *server.Server, out printer.Printer) error {
	document, err := c.read(env)
	if err != nil {
		return err
	}
	plan, err := s.Configuration.Plan(ctx, by(ctx), document, c.prune())
	if err != nil {
		return exit.Failed("%w", err)
	}
	if err := out.Print(plan, func() { tell(out, plan, "to make") }); err != nil {
		return err
	}
	if len(plan.Changes) > 0 {
		return exit.Changes()
	}
	return nil
}

// Apply is wicket apply.
type Apply struct {
	file
	Digest string `name:"plan" placeholder:"DIGEST" help:"Do what a plan with this digest said, or nothing."`
}

// Run makes the server what the file declares.
func (c Apply) Run(ctx server.Operator, env server.Environment, s *server.Server, out printer.Printer) error {
	document, err := c.read(env)
	if err != nil {
		return err
	}
	plan, err := s.Configuration.Apply(ctx, by(ctx), document, c.prune(), c.Digest)
	if err != nil {
		return err
	}
	return out.Print(plan, func() { tell(out, plan, "made") })
}

// Detach is wicket detach.
type Detach struct {
	Kind string `arg:"" enum:"group,client,api,provider" help:"group, client, api or provider."`
	ID   string `arg:"" name:"id" help:"The slug of the group, the client_id of the app, the identifier of the API, or the id of the provider."`
}

// Run takes something out of the hands of a file.
func (c Detach) Run(ctx server.Operator, s *server.Server, out printer.Printer) error {
	if err := s.Configuration.Detach(ctx, by(ctx), c.Kind, c.ID); err != nil {
		return err
	}
	result := map[string]string{"kind": c.Kind, "id": c.ID, "status": "detached"}
	return out.Print(result, func() {
		out.Line("No file declares the %s %s any more. One that names it takes it again when it is applied.", c.Kind, c.ID)
	})
}
