package server

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
)

// Environment is where configuration comes from: variables by their names. Nothing else in Wicket reads the
// environment.
type Environment map[string]string

// ProcessEnvironment is the environment of this process.
func ProcessEnvironment() Environment {
	env := Environment{}
	for _, variable := range os.Environ() {
		name, value, _ := strings.Cut(variable, "=")
		env[name] = value
	}
	return env
}

const (
	ourPrefix  = "WICKET_"
	fileSuffix = "_FILE"
)

// With is the same environment but for one variable.
func (e Environment) With(name, value string) Environment {
	changed := maps.Clone(e)
	delete(changed, name+fileSuffix)
	changed[name] = value
	return changed
}

// has tells whether a variable is given, or the file of it.
func (e Environment) has(name string) bool {
	return strings.TrimSpace(e[name]) != "" || e[name+fileSuffix] != ""
}

// Lookup returns a variable as it is, and whether it is set.
func (e Environment) Lookup(name string) (value string, set bool) {
	value, set = e[name]
	return value, set
}

// Value reads a variable, or the file that the variable of the same name with _FILE at its end names.
func (e Environment) Value(name string) (string, error) {
	value, _, err := e.read(name, os.ReadFile)
	return value, err
}

// read is Value that also says which file the value comes from, if any.
func (e Environment) read(name string, readFile func(path string) ([]byte, error)) (value, path string, err error) {
	value, path = e[name], e[name+fileSuffix]
	if path == "" {
		return strings.TrimSpace(value), "", nil
	}
	if value != "" {
		return "", path, fmt.Errorf("is set, and so is %s_FILE; set one of them", name)
	}
	content, err := readFile(path)
	if err != nil {
		return "", path, fmt.Errorf("read %s_FILE: %w", name, err)
	}
	return strings.TrimSpace(string(content)), path, nil
}

// foreign are variables that begin like ours and are not for the server: what Kubernetes sets in every pod for a
// Service called wicket or wicket-something, and what Wicket's own tests read, whose servers inherit it.
var foreign = regexp.MustCompile(`^WICKET_(` +
	`([A-Z0-9_]+_)?SERVICE_(HOST|PORT(_[A-Z0-9_]+)?)` +
	`|([A-Z0-9_]+_)?PORT(_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?` +
	`|(TEST|BENCH)_[A-Z0-9_]+|SCREENSHOTS)$`)

// unknown names the variables that begin like ours and that Wicket does not have: they are mistyped.
func (e Environment) unknown() (faults []error) {
	known := names()
	for _, name := range slices.Sorted(maps.Keys(e)) {
		bare := strings.TrimSuffix(name, fileSuffix)
		if !strings.HasPrefix(name, ourPrefix) || slices.Contains(known, bare) || foreign.MatchString(name) {
			continue
		}
		meant := nearest(strings.ToUpper(bare), known) + strings.TrimPrefix(name, bare)
		faults = append(faults, fmt.Errorf("%s: there is no such variable; did you mean %s?", name, meant))
	}
	return faults
}

// nearest is the name to which the fewest letters have to be changed.
func nearest(name string, names []string) string {
	return slices.MinFunc(names, func(a, b string) int { return distance(name, a) - distance(name, b) })
}

// distance counts the letters to insert and to leave out to make b of a. To replace one is to do both, so that a name
// with a part too few or too many is nearer than another one.
func distance(a, b string) int {
	row := make([]int, len(b)+1) // of the part of a that was looked at, to each beginning of b
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced += 2
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
