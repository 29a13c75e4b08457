package configuration

import (
	"fmt"
	"strings"
)

// Fault is what is wrong at one place of a file. It repeats no value, which may be a secret.
type Fault struct {
	Line int    // from 1 on
	Path string // such as clients[2].redirect_uris; empty: the file as a whole
	Err  error
}

func (f *Fault) Error() string {
	place := f.Path
	if f.Line > 0 {
		place = strings.TrimSuffix(fmt.Sprintf("line %d, %s", f.Line, f.Path), ", ")
	}
	if place == "" {
		return f.Err.Error()
	}
	return place + ": " + f.Err.Error()
}

func (f *Fault) Unwrap() error { return f.Err }

// Faults are all that is wrong with a file.
type Faults []*Fault

func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, fault := range f {
		lines[i] = fault.Error()
	}
	return strings.Join(lines, "\n")
}

func (f Faults) Unwrap() []error {
	all := make([]error, len(f))
	for i, fault := range f {
		all[i] = fault
	}
	return all
}
