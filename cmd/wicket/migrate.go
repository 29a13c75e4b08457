package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"

	"github.com/wicket-id/wicket/cmd/internal/printer"
	"github.com/wicket-id/wicket/cmd/internal/server"
	"github.com/wicket-id/wicket/storage"
)

type migrateCommand struct {
	DryRun bool `help:"Only say what would be done."`
}

// Run applies the migrations that are pending.
func (m migrateCommand) Run(ctx context.Context, env server.Environment, out printer.Printer) error {
	config, err := server.Load(env)
	if err != nil {
		return err
	}
	if err := config.PrepareMasterKey(); err != nil {
		return err
	}
	database, err := storage.Open(ctx, config.DatabaseURL)
	if err != nil {
		return fmt.Errorf("WICKET_DATABASE_URL: %w", err)
	}
	defer func() { _ = database.Close() }()
	apply := database.Migrate
	if m.DryRun {
		apply = database.Pending
	}
	steps, err := apply(ctx)
	if err != nil {
		return err
	}
	if len(steps) > 0 && !m.DryRun {
		log := server.NewLog(slog.NewTextHandler(os.Stderr, nil))
		if err := server.ReportUsernames(ctx, database, log); err != nil {
			return err
		}
	}
	type step struct {
		Version int64  `json:"version"`
		Name    string `json:"name"`
	}
	result := make([]step, len(steps))
	for i := range steps {
		result[i] = step{steps[i].Version, steps[i].Name}
	}
	return out.Print(result, func() {
		if len(result) == 0 {
			out.Line("The database is up to date.")
		}
		for _, s := range result {
			out.Line("%04d  %s", s.Version, s.Name)
		}
	})
}
