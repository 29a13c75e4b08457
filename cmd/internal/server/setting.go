package server

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
)

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
		case value == "" && err == nil: // an empty file says nothing
			setting.Source = fromDefault
			value = flag.Default
		case path != "":
			setting.Source = fromFile
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
	switch parsed, err := url.Parse(value); {
	case err == nil && parsed.User != nil:
		return parsed.Redacted()
	case err != nil && strings.Contains(value, "@"): // it may be a URL with a password
		return ""
	}
	return value
}
