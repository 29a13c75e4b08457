package server

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// Variable is a variable of the environment, as the tags of Config describe it.
type Variable struct {
	Names   []string // of which the first that is set holds
	Section string
	Help    string
	Default string // empty: there is none
	Unset   string // what is so where it is left out and has no default
	Secret  bool
}

// Variables are all there are, in the order of Config.
func Variables() []Variable {
	var variables []Variable
	section := ""
	for _, flag := range flags(&Config{}) {
		if begins := flag.Tag.Get("section"); begins != "" {
			section = begins
		}
		variables = append(variables, Variable{
			Names: flag.Envs, Section: section, Help: flag.Help, Default: flag.Default, Unset: flag.Tag.Get("unset"),
			Secret: flag.Tag.Has("secret"),
		})
	}
	return variables
}

// Names are the names of the variables that are Wicket's own.
func Names() []string {
	var names []string
	for _, flag := range flags(&Config{}) {
		for _, name := range flag.Envs {
			if strings.HasPrefix(name, ourPrefix) {
				names = append(names, name)
			}
		}
	}
	return names
}

// flags are the variables with the fields of c that they fill. That they are called flags is kong's way; the command
// line has no such flags, for secrets have no place there.
func flags(c *Config) []*kong.Flag {
	model, err := kong.New(c, append(mappers(c), kong.NoDefaultHelp())...)
	if err != nil {
		panic(fmt.Sprintf("the tags of Config: %v", err)) // a mistake in the program; every test would find it
	}
	return model.Model.Flags
}

// Setting is the value of a variable, where it comes from, and nothing that is secret.
type Setting struct {
	Name   string `json:"name"`
	Value  string `json:"value"` // empty where there is none, or where it is a secret
	Secret bool   `json:"secret"`
	IsSet  bool   `json:"set"`
	Source string `json:"source"`         // default, variable or file
	File   string `json:"file,omitempty"` // that it was read from
	Note   string `json:"note,omitempty"` // what is so without a value
}

// Where a value comes from.
const (
	fromDefault  = "default"
	fromVariable = "variable"
	fromFile     = "file"
)

// Check says what a server would run with, and all that is wrong with it. It changes nothing.
func Check(env Environment) ([]Setting, []error) {
	config, faults := load(env)
	return config.settings, faults
}

// variables fills the fields that belong to one variable each.
func (r *reading) variables() {
	c := r.config
	for _, flag := range flags(c) {
		name, value, path, err := r.look(flag.Envs)
		setting := Setting{Name: name, Secret: flag.Tag.Has("secret"), IsSet: value != "", Source: fromVariable, File: path}
		switch {
		case path != "":
			setting.Source = fromFile
		case value == "":
			setting.Source = fromDefault
			value = flag.Default
		}
		r.fault(name, err)
		if err == nil && value != "" {
			r.fault(name, decode(flag, value))
		}
		setting.Value = shown(value, setting.Secret)
		if value == "" {
			setting.Note = plain(flag.Tag.Get("unset"))
		}
		c.settings = append(c.settings, setting)
	}
}

// setting is that of a variable, by any of its names.
func (c *Config) setting(names ...string) *Setting {
	for i := range c.settings {
		if slices.Contains(names, c.settings[i].Name) {
			return &c.settings[i]
		}
	}
	panic(fmt.Sprintf("there is no variable %v", names))
}

// look finds the first of several variables that is set.
func (r *reading) look(names []string) (name, value, path string, err error) {
	for _, name := range names {
		if strings.HasPrefix(name, ourPrefix) {
			value, path, err = r.config.environment.read(name, r.config.readFile)
		} else {
			value = r.config.environment[name]
		}
		if value != "" || err != nil {
			return name, value, path, err
		}
	}
	return names[len(names)-1], "", path, nil // the general one
}

// shown is a value as it may be shown: no secret, and no password in a URL.
func shown(value string, secret bool) string {
	if secret && EmbeddedPath(value) == "" {
		return ""
	}
	if parsed, err := url.Parse(value); err == nil && parsed.User != nil {
		return parsed.Redacted()
	}
	return value
}
