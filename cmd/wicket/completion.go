package main

import (
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/wicket-id/wicket/cmd/internal/completion"
	"github.com/wicket-id/wicket/cmd/internal/printer"
)

type completionCommand struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

// Help says what to do with what it prints.
func (completionCommand) Help() string {
	return "bash: source <(wicket completion bash), in ~/.bashrc\n\nzsh: wicket completion zsh >\"${fpath[1]}/_wicket\"\n\n" +
		"fish: wicket completion fish >~/.config/fish/completions/wicket.fish"
}

// Run prints the script.
func (c completionCommand) Run(out printer.Printer) error {
	script, err := completion.Script(c.Shell)
	if err != nil {
		return err
	}
	out.Line("%s", strings.TrimSuffix(script, "\n"))
	return nil
}

// completeCommand is what the scripts call.
type completeCommand struct {
	Words []string `arg:"" optional:"" passthrough:"" help:"The words after wicket; the last is completed."`
}

// Run prints what may come next, a word a line, each with what it means behind a tab.
func (c completeCommand) Run(chosen *kong.Context, out printer.Printer) error {
	if slices.Index(c.Words, "--") == 0 {
		c.Words = c.Words[1:]
	}
	for _, candidate := range completion.Next(chosen.Model, c.Words) {
		out.Line("%s", strings.TrimSuffix(candidate.Word+"\t"+candidate.Help, "\t"))
	}
	return nil
}
