package main

import (
	"errors"
	"fmt"

	"github.com/wicket-id/wicket/cmd/internal/configurationcommands"
	"github.com/wicket-id/wicket/cmd/internal/printer"
	"github.com/wicket-id/wicket/cmd/internal/server"
)

type configCommands struct {
	Check configCheck `cmd:"" help:"Say what a server would run with: each variable's value, where it comes from, and all that is wrong."`

	Schema configurationcommands.Schema `cmd:"" help:"Print the JSON Schema of configuration files, by which editors complete and check them."`
}

type configCheck struct{}

// configView is what the command prints.
type configView struct {
	Settings []server.Setting `json:"settings"`
	Faults   []string         `json:"faults"`
}

// Run prints the settings, no secret among them, and fails where something is wrong with them.
func (configCheck) Run(env server.Environment, out printer.Printer) error {
	settings, faults := server.Check(env)
	view := configView{Settings: settings, Faults: make([]string, len(faults))}
	for i, fault := range faults {
		view.Faults[i] = fault.Error()
	}
	rows := make([][]any, len(settings))
	for i, s := range settings {
		rows[i] = []any{s.Name, shownValue(s), shownSource(s)}
	}
	err := out.Print(view, func() { out.Table([]any{"VARIABLE", "VALUE", "FROM"}, rows) })
	if err == nil && len(faults) > 0 {
		err = fmt.Errorf("the configuration has faults:\n%w", errors.Join(faults...))
	}
	return err
}

func shownValue(s server.Setting) string {
	switch {
	case s.Value != "":
		return s.Value
	case s.IsSet:
		return "set"
	case s.Note != "":
		return "unset: " + s.Note
	}
	return "unset"
}

func shownSource(s server.Setting) string {
	if s.File != "" {
		return s.Source + " " + s.File
	}
	return s.Source
}
