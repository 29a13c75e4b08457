package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/wicket-id/wicket/cmd/internal/importing"
	"github.com/wicket-id/wicket/cmd/internal/server"
)

type userImport struct {
	File   string `arg:"" help:"The file of JSON lines, one person each; - is standard input."`
	DryRun bool   `name:"dry-run" help:"Check every line against the rules and the database, and keep nothing."`
	Report string `help:"Write the refused lines to this file, with reasons, as JSON lines. Without it they are told on standard error."`
}

const (
	maxRefusalsTold   = 20 // on standard error
	standardInputName = "-"
)

// Run takes in the people of a file.
func (c userImport) Run(ctx context.Context, env server.Environment, out printer) error {
	file, size, err := c.open()
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	s, ctx, err := server.Beside(ctx, env)
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	report, err := c.reportTo(file)
	if err != nil {
		return err
	}
	run := importing.Run{
		Store: s.Transfer, DryRun: c.DryRun, Refuse: report.add, Summary: importing.Summary{DryRun: c.DryRun},
		Progress: &importing.Progress{
			Out: os.Stderr, Screen: isTerminal(os.Stderr), Began: time.Now(), Size: size, Now: time.Now,
		},
	}
	err = run.All(ctx, file)
	run.Progress.End(run.Summary)
	err = errors.Join(err, report.close())
	if err != nil {
		_, _ = fmt.Fprintf(os.Stderr, "stopped after %d lines, %d imported; run it again to go on\n",
			run.Summary.Lines, run.Summary.Imported)
		return err
	}
	summary := run.Summary
	err = out.print(summary, func() {
		done := "Imported"
		if c.DryRun {
			done = "Dry run: would import"
		}
		out.line("%s %d, already there %d, refused %d.", done, summary.Imported, summary.AlreadyThere, summary.Refused)
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

// importReport takes the refused lines, into a file or onto standard error.
type importReport struct {
	file *os.File
	told int
}

// reportTo opens the report, which must not be the file that is read.
func (c userImport) reportTo(input *os.File) (*importReport, error) {
	if c.Report == "" {
		return &importReport{}, nil
	}
	if there, err := os.Stat(c.Report); err == nil {
		if read, err := input.Stat(); err == nil && os.SameFile(there, read) {
			return nil, errors.New("the report would overwrite the file that is imported")
		}
	}
	file, err := os.OpenFile(c.Report, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	return &importReport{file: file}, err
}

func (r *importReport) add(line importing.Refusal) error {
	if r.file != nil {
		return json.NewEncoder(r.file).Encode(line)
	}
	if r.told++; r.told <= maxRefusalsTold {
		_, _ = fmt.Fprintf(os.Stderr, "line %d %q: %s\n", line.Line, line.Username, line.Reason)
	} else if r.told == maxRefusalsTold+1 {
		_, _ = fmt.Fprintln(os.Stderr, "and more; --report FILE tells all of them")
	}
	return nil
}

func (r *importReport) close() error {
	if r.file == nil {
		return nil
	}
	return r.file.Close()
}
