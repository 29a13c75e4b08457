package server

import (
	"fmt"
	"strings"

	"github.com/alecthomas/kong"
)

// variable is a variable of the environment, as the tags of Config describe it.
type variable struct {
	Names   []string // of which the first that is set holds
	Section string
	Help    string
	Default string // empty: there is none
	Unset   string // what is so where it is left out and has no default
	Secret  bool
}

// variables are all there are, in the order of Config.
func variables() []variable {
	var all []variable
	section := ""
	for _, flag := range flags(&Config{}) {
		if begins := flag.Tag.Get("section"); begins != "" {
			section = begins
		}
		all = append(all, variable{
			Names: flag.Envs, Section: section, Help: flag.Help, Default: flag.Default, Unset: flag.Tag.Get("unset"),
			Secret: flag.Tag.Has("secret"),
		})
	}
	return all
}

// names are the names of the variables that are Wicket's own.
func names() []string {
	var own []string
	for _, v := range variables() {
		for _, name := range v.Names {
			if strings.HasPrefix(name, ourPrefix) {
				own = append(own, name)
			}
		}
	}
	return own
}

// flags are the variables with the fields of c that they fill. That they are called flags is kong's way; the command
// line has no such flags, for secrets have no place there. kong does not read the environment itself: it would stop at
// the first fault, and knows no files.
func flags(c *Config) []*kong.Flag {
	model, err := kong.New(c, append(mappers(c), kong.NoDefaultHelp())...)
	if err != nil {
		panic(fmt.Sprintf("the tags of Config: %v", err)) // a mistake in the program; every test would find it
	}
	return model.Model.Flags
}
