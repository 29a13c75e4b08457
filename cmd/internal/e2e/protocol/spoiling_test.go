package protocol

import (
	"strings"
	"testing"
	"unicode"
)

// spoiling is a way in which a parameter goes wrong.
type spoiling struct {
	column string                      // of the tables of outcomes
	values func(right string) []string // what to send in place of the value that would be right
}

var spoilings = map[string]spoiling{
	"missing":    {"left_out", func(string) []string { return nil }},
	"empty":      {"left_out", func(string) []string { return []string{""} }},
	"doubled":    {"doubled", func(right string) []string { return []string{right, right} }},
	"endless":    {"unreadable", func(string) []string { return []string{strings.Repeat("a", 10<<10)} }},
	"charset":    {"unreadable", func(right string) []string { return []string{right + "\xff"} }},
	"NUL":        {"unreadable", func(right string) []string { return []string{right + "\x00"} }},
	"new line":   {"new_line", func(right string) []string { return []string{right + "\r\nX-Evil: 1"} }},
	"wrong type": {"wrong_type", func(string) []string { return []string{`{"a":[1]}`} }},
	"other case": {"other_case", func(right string) []string { return []string{swapCase(right)} }},
}

func swapCase(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsUpper(r) {
			return unicode.ToLower(r)
		}
		return unicode.ToUpper(r)
	}, text)
}

// outcomes say what a spoiled parameter comes to: by parameter, and by column.
type outcomes map[string]map[string]string

// readOutcomes reads a table. Its first line names the columns, the others begin with a parameter. A row for
// parameter@kind, or for *@kind, is about one kind of client, or one type of grant, alone. The sign " stands for what
// is to its left.
func readOutcomes(table string) outcomes {
	lines := strings.Split(strings.TrimSpace(table), "\n")
	columns, all := strings.Fields(lines[0]), outcomes{}
	for _, line := range lines[1:] {
		cells := strings.Fields(line)
		row := map[string]string{}
		for i, column := range columns {
			row[column] = cells[i+1]
			if cells[i+1] == `"` {
				row[column] = row[columns[i-1]]
			}
		}
		all[cells[0]] = row
	}
	return all
}

// of returns what a spoiled parameter comes to where the kinds apply.
func (o outcomes) of(t *testing.T, parameter string, how spoiling, kinds ...string) string {
	t.Helper()
	for _, kind := range kinds {
		for _, row := range []string{"*@" + kind, parameter + "@" + kind} {
			if special, ok := o[row]; ok {
				return special[how.column]
			}
		}
	}
	if o[parameter] == nil {
		t.Fatalf("the table has no row for %s", parameter)
	}
	return o[parameter][how.column]
}
