package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/wicket-id/wicket/cmd/internal/server"
)

// printer prints the result of a command: one JSON value, or text for people.
type printer struct {
	out  io.Writer
	json bool
}

// print prints result as JSON, or calls text where the operator wants text.
func (p printer) print(result any, text func()) error {
	if !p.json {
		text()
		return nil
	}
	encoder := json.NewEncoder(p.out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(result)
}

func (p printer) line(format string, args ...any) {
	_, _ = fmt.Fprintf(p.out, format+"\n", args...)
}

// object prints the members of a JSON object, one a line, lists with spaces between.
func (p printer) object(encoded json.RawMessage) {
	decoder := json.NewDecoder(bytes.NewReader(encoded))
	_, _ = decoder.Token() // the brace
	for decoder.More() {
		name, _ := decoder.Token()
		var value any
		if decoder.Decode(&value) != nil {
			return
		}
		if list, ok := value.([]any); ok {
			value = strings.Trim(fmt.Sprint(list), "[]")
		} else if object, ok := value.(map[string]any); ok {
			text, _ := json.Marshal(object)
			value = string(text)
		}
		p.line("%-36s %s", name, fmt.Sprint(value))
	}
}

// table prints rows of cells under headings.
func (p printer) table(headings []any, rows [][]any) {
	w := tabwriter.NewWriter(p.out, 0, 4, 2, ' ', 0)
	for _, row := range append([][]any{headings}, rows...) {
		for i, cell := range row {
			separator := "\t"
			if i == len(row)-1 {
				separator = "\n"
			}
			_, _ = fmt.Fprint(w, cell, separator)
		}
	}
	_ = w.Flush()
}

// warn tells on standard error of what may be a mistake.
func warn(format string, args ...any) {
	_, _ = fmt.Fprintf(os.Stderr, "wicket: warning: "+format+"\n", args...)
}

// warnOfIssuer tells that a link that is printed may lead elsewhere, where the command does not know the issuer.
func warnOfIssuer(env server.Environment, link string) {
	if issuer, err := env.Value("WICKET_ISSUER"); err == nil && issuer == "" {
		warn("WICKET_ISSUER is not set here: if the server has another one, put that in place of the beginning of %s",
			strings.SplitAfter(link, "?")[0])
	}
}
