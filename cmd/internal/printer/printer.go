// Package printer prints what a command has done: as one JSON value, or as text for people. Begin with Printer.
package printer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
)

// Printer prints the result of a command.
type Printer struct {
	Out  io.Writer
	JSON bool // one JSON value, and no text
}

// Print prints result as JSON, or calls text where the operator wants text.
func (p Printer) Print(result any, text func()) error {
	if !p.JSON {
		text()
		return nil
	}
	encoder := json.NewEncoder(p.Out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(result)
}

// Line prints a line of text.
func (p Printer) Line(format string, args ...any) {
	_, _ = fmt.Fprintf(p.Out, format+"\n", args...)
}

// Object prints the members of a JSON object, one a line, lists with spaces between.
func (p Printer) Object(encoded json.RawMessage) {
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
		p.Line("%-36s %s", name, fmt.Sprint(value))
	}
}

// Table prints rows of cells under headings.
func (p Printer) Table(headings []any, rows [][]any) {
	w := tabwriter.NewWriter(p.Out, 0, 4, 2, ' ', 0)
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

// Warn tells on standard error of what may be a mistake.
func Warn(format string, args ...any) {
	_, _ = fmt.Fprintf(os.Stderr, "wicket: warning: "+format+"\n", args...)
}
