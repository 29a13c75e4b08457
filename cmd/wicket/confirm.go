package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/mattn/go-isatty"

	"github.com/wicket-id/wicket/cmd/internal/exit"
)

// confirmation is the flag of commands that destroy something.
type confirmation struct {
	Yes bool `short:"y" help:"Do not ask."`
}

// confirm asks whether to go on where somebody looks, and returns an error where they do not want to. Where nobody
// looks, unattended says whether to go on all the same.
func (c confirmation) confirm(unattended bool, format string, args ...any) error {
	switch {
	case c.Yes:
		return nil
	case isTerminal(os.Stdin):
		return ask(os.Stdin, os.Stderr, fmt.Sprintf(format, args...))
	case unattended:
		return nil
	}
	return exit.Usage("nobody is there to be asked: say --yes")
}

// ask returns nil where the answer is yes.
func ask(in io.Reader, out io.Writer, question string) error {
	_, _ = fmt.Fprintf(out, "%s Type yes to go on: ", question)
	answer, err := bufio.NewReader(in).ReadString('\n')
	if strings.ToLower(strings.TrimSpace(answer)) == "yes" && err == nil {
		return nil
	}
	return fmt.Errorf("nothing was done")
}

// isTerminal tells whether somebody looks at a file.
func isTerminal(file *os.File) bool { return isatty.IsTerminal(file.Fd()) }
