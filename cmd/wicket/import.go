package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/wicket-id/wicket/cmd/internal/importing"
	"github.com/wicket-id/wicket/cmd/internal/printer"
	"github.com/wicket-id/wicket/cmd/internal/server"
)

type userImport struct {
	File   string `arg:"" help:"The file of JSON lines, one person each; - is standard input."`
	DryRun bool   `name:"dry-run" help:"Check every line against the rules and the database, and keep nothing."`
	Report string `help:"Write the refused lines to this file, with reasons, as JSON lines. Without it they are told on standard error."`
}

const standardInputName = "-"

// Run takes in the people of a file.
func (c userImport) Run(ctx operator, s *server.Server, out printer.Printer) error {
	file, size, err := c.open()
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	report, err := importing.ReportTo(c.Report, file)
	if err != nil {
		return err
	}
	run := importing.Run{
		Store: s.Transfer, DryRun: c.DryRun, Refuse: report.Add, Summary: importing.Summary{DryRun: c.DryRun},
		Progress: &importing.Progress{
			Out: os.Stderr, Screen: isTerminal(os.Stderr), Began: time.Now(), Size: size, Now: time.Now,
		},
	}
	err = run.All(ctx, file)
	run.Progress.End(run.Summary)
	err = errors.Join(err, report.Close())
	if err != nil {
		_, _ = fmt.Fprintf(os.Stderr, "stopped after %d lines, %d imported; run it again to go on\n",
			run.Summary.Lines, run.Summary.Imported)
		return err
	}
	summary := run.Summary
	err = out.Print(summary, func() {
		done := "Imported"
		if c.DryRun {
			done = "Dry run: would import"
		}
		out.Line("%s %d, already there %d, refused %d.", done, summary.Imported, summary.AlreadyThere, summary.Refused)
	})
	if err == nil && summary.Refused > 0 {
		err = fmt.Errorf("%d of %d lines were refused", summary.Refused, summary.Lines)
	}
	return err
}

// open opens the file, and tells its size where that is known.
func (c userImport) open() (*os.File, int64, error) {
	if c.File == standardInputName {
		return os.Stdin, 0, nil
	}
	file, err := os.Open(c.File)
	if err != nil {
		return nil, 0, err
	}
	info, err := file.Stat()
	if err == nil && info.IsDir() {
		err = fmt.Errorf("%s is a directory", c.File)
	}
	if err != nil {
		_ = file.Close()
		return nil, 0, err
	}
	if !info.Mode().IsRegular() {
		return file, 0, nil
	}
	return file, info.Size(), nil
}
