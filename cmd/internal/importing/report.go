package importing

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
)

const maxRefusalsTold = 20 // on standard error

// Report takes the refused lines, into a file or onto standard error.
type Report struct {
	file *os.File
	told int
}

// ReportTo opens a report, which must not be the file that is read. Where path is empty it is standard error.
func ReportTo(path string, input *os.File) (*Report, error) {
	if path == "" {
		return &Report{}, nil
	}
	if there, err := os.Stat(path); err == nil {
		if read, err := input.Stat(); err == nil && os.SameFile(there, read) {
			return nil, errors.New("the report would overwrite the file that is imported")
		}
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	return &Report{file: file}, err
}

// Add tells of one line.
func (r *Report) Add(line Refusal) error {
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

// Close closes the file.
func (r *Report) Close() error {
	if r.file == nil {
		return nil
	}
	return r.file.Close()
}
