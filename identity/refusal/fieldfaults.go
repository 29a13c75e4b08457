package refusal

import (
	"maps"
	"slices"
	"strings"
)

// FieldFaults says what is wrong with a form that somebody filled in: one error for each field that is not good, by the
// field's name. Nothing was changed.
type FieldFaults map[string]error

// Error names the fields and their errors, for logs and commands; a page shows each at its field.
func (f FieldFaults) Error() string {
	told := make([]string, 0, len(f))
	for _, name := range slices.Sorted(maps.Keys(f)) {
		told = append(told, name+": "+f[name].Error())
	}
	return strings.Join(told, "; ")
}

// Add notes what is wrong with a field, if anything is.
func (f FieldFaults) Add(name string, err error) {
	if err != nil {
		f[name] = err
	}
}
